"""Rankings and trends (考勤统计): homerooms with their conduct points, and students."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from card_server.access import allow, now, school_in_use, school_session
from card_server.calendar.points import write_points
from card_server.exports.enrolment import read_id
from card_server.exports.student_ranking import STUDENT_RANKING, read_wanted
from card_server.leave.callers import SEEING
from card_server.register.terms import list_terms
from card_server.reports.rankings import RankedRoom, read_ranking, read_room_weeks
from card_server.reports.sheet_rooms import SheetRoom, read_rooms
from card_server.reports.student_list import list_rooms
from card_server.reports.student_ranking import SORTS, StudentLine, list_counted
from card_server.school_time import day_of
from card_server.web.day_range import DayRange, asked_range, quick_choices, with_range
from card_server.web.downloads import send_list
from card_server.web.export import asked_export
from card_server.web.fragments import render_part
from card_server.web.paper import MOST_ROWS, asks_paper, choice, days_between, show_paper
from card_server.web.ranking_file import send_ranking
from card_server.web.room_choices import grade_choices, room_choices
from card_server.web.tables import Asked, Column, Page, read_asked, read_page
from card_server.words.grades import grade_word
from schema.tables.staff import Role

pages = Blueprint("rankings", __name__)

_NEVER = 101.0
"""A rate that is higher than any: who was never expected comes last."""
_SORTS: dict[str, Callable[[RankedRoom], Any]] = {
    "rank": lambda row: row.rank,
    "name": lambda row: (row.grade, row.name),
    "rate": lambda row: _NEVER if row.sums.rate is None else row.sums.rate,
    "late": lambda row: row.sums.late,
    "left_early": lambda row: row.sums.left_early,
    "absent": lambda row: row.sums.absent,
    "on_leave": lambda row: row.sums.on_leave,
    "points": lambda row: row.sums.points_tenths,
}
_COLUMNS = (
    Column(lazy_gettext("Rank"), "rank", is_number=True),
    Column(lazy_gettext("Homeroom"), "name"),
    Column(lazy_gettext("Students"), is_number=True, is_minor=True),
    Column(lazy_gettext("Attendance rate, per cent"), "rate", is_number=True),
    Column(lazy_gettext("Late"), "late", is_number=True),
    Column(lazy_gettext("Left early"), "left_early", is_number=True),
    Column(lazy_gettext("Absent"), "absent", is_number=True),
    Column(lazy_gettext("On leave"), "on_leave", is_number=True),
    Column(lazy_gettext("Points taken"), "points", is_number=True),
    Column(lazy_gettext("Sheets"), is_minor=True),
)
_STUDENT_COLUMNS = (
    Column(lazy_gettext("Full name"), "name"),
    Column(lazy_gettext("Student number"), "number"),
    Column(lazy_gettext("Homeroom"), "homeroom"),
    Column(lazy_gettext("Late"), "late", is_number=True),
    Column(lazy_gettext("Minutes late"), "late_minutes", is_number=True),
    Column(lazy_gettext("Left early"), "left_early", is_number=True),
    Column(lazy_gettext("Absent"), "absent", is_number=True),
    Column(lazy_gettext("On leave"), "on_leave", is_number=True),
)


@pages.get("/attendance/homerooms")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER)
def show_homerooms() -> ResponseReturnValue:
    """Homerooms over a time: rates, counts, points, ranks; by grade, and by week as a chart."""
    school = school_in_use()
    asked = read_asked(tuple(_SORTS), ("from", "to", "grade", "homeroom"), "rank")
    with school_session() as session:
        terms = list_terms(session, school.id)
        today = day_of(now(), school.zone)
        choices = quick_choices(today, terms)
        time = asked_range(today, choices[0].range)
        grade, homeroom_id = (read_id(asked.filters, name) for name in ("grade", "homeroom"))
        ranking = read_ranking(session, school.id, time.first, time.last, grade, homeroom_id)
        if kind := asked_export():
            weeks = read_room_weeks(session, school.id, time.first, time.last, ranking)
            return send_ranking(kind, ranking, weeks, time)
        rooms = list_rooms(session, school.id)
    rows = asked.sorted(ranking.rooms, _SORTS)
    grades = sorted({one.grade for one in ranking.rooms} | ({grade} if grade else set()))
    return render_part(
        "rankings.html",
        "rankings_part.html",
        asked=with_range(asked, time),
        choices=choices,
        columns=_COLUMNS,
        grades=grades,
        grade_choices=[(one, grade_word(one)) for one in grades],
        page=Page(rows, total=len(rows)),
        points=write_points,
        ranking=ranking,
        rooms=rooms,
        time=time,
        today=today,
    )


@pages.get("/attendance/students")
@allow(*SEEING)
def show_students() -> ResponseReturnValue:
    """Students by how often they were late, left early, were absent or on leave over a time."""
    return _show_students("")


@pages.post("/attendance/students")
@allow(*SEEING)
def find_students() -> ResponseReturnValue:
    """Those who answer to the words; by POST, because a name must not stand in an address."""
    return _show_students(request.form.get("words", "")[:100])


def _show_students(words: str) -> ResponseReturnValue:
    school = school_in_use()
    today = day_of(now(), school.zone)
    asked = read_asked(SORTS, ("from", "to", "grade", "homeroom"), "-late")
    with school_session() as session:
        choices = quick_choices(today, list_terms(session, school.id))
        time = asked_range(today, choices[0].range)
        asked = with_range(asked, time)
        if kind := asked_export():
            return send_list(kind, STUDENT_RANKING, {**asked.filters, "sort": asked.wanted_sort})
        wanted = read_wanted(asked.filters, today, words)
        rooms = read_rooms(session, school.id)
        if asks_paper():
            found = list_counted(session, school.id, wanted, asked.wanted_sort, 0, MOST_ROWS)
            return _show_paper(asked, time, rooms, *found)
        page = read_page(
            asked,
            lambda first, limit: list_counted(
                session, school.id, wanted, asked.wanted_sort, first, limit
            ),
        )
    return render_part(
        "ranking_students.html",
        "ranking_students_part.html",
        asked=asked,
        choices=choices,
        columns=_STUDENT_COLUMNS,
        page=page,
        grades=grade_choices(rooms),
        rooms=room_choices(rooms, asked.filters),
        time=time,
        today=today,
        words=words,
    )


def _show_paper(
    asked: Asked,
    time: DayRange,
    rooms: list[SheetRoom],
    found: list[StudentLine],
    total: int,
) -> ResponseReturnValue:
    about = [
        days_between(*time),
        *choice(gettext("Grade"), grade_choices(rooms), asked, "grade"),
        *choice(gettext("Homeroom"), room_choices(rooms, asked.filters), asked, "homeroom"),
    ]
    lines = [
        (
            one.number,
            one.name,
            one.homeroom,
            one.late,
            one.late_minutes,
            one.left_early,
            one.absent,
            one.on_leave,
        )
        for one in found
    ]
    heads = STUDENT_RANKING.heads
    return show_paper(lazy_gettext("Students by attendance"), asked, about, heads, lines, total)

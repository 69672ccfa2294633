"""Today's students by name (今日名单): absent, not judged and why, late, left early, on leave."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from card_server.access import allow, now, school_in_use, school_session
from card_server.attendance.facts import Waiting
from card_server.exports.today_list import FILTERS, TODAY_LIST, read_today_wanted
from card_server.reports.board import time_of
from card_server.reports.on_campus import Part
from card_server.reports.today_list import (
    SORTS,
    Today,
    TodayStatus,
    TodayStudent,
    TodayWanted,
    count_today,
    list_today,
    read_today,
)
from card_server.school_time import day_of
from card_server.web.downloads import send_list
from card_server.web.export import asked_export
from card_server.web.formats import hour
from card_server.web.fragments import render_part
from card_server.web.paper import MOST_ROWS, asks_paper, choice, days_between, show_paper
from card_server.web.tables import PAGE_ROWS, Asked, Column, count_page, read_asked
from card_server.words.choices import word
from card_server.words.grades import grade_word
from card_server.words.today import NAMES, TONES
from schema.tables.staff import Role

pages = Blueprint("today", __name__)
_SEEING = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER)
_COLUMNS = (
    Column(lazy_gettext("Full name"), "name"),
    Column(lazy_gettext("Student number"), "number"),
    Column(lazy_gettext("Homeroom"), "homeroom"),
    Column(lazy_gettext("Status"), "status"),
    Column(lazy_gettext("Details"), "minutes"),
)


@pages.get("/board/students")
@allow(*_SEEING)
def show() -> ResponseReturnValue:
    """Of the school, of the grade or of the homeroom that the address names."""
    return _show("")


@pages.post("/board/students")
@allow(*_SEEING)
def search() -> ResponseReturnValue:
    """Who answers to the words; by POST, because a name must not stand in an address."""
    return _show(request.form.get("words", "")[:100])


def _show(words: str) -> ResponseReturnValue:
    school, moment = school_in_use(), now()
    day = day_of(moment, school.zone)
    with school_session() as session:
        today = read_today(session, school, time_of(day, moment, school.zone))
    asked = _within(read_asked(SORTS, FILTERS, "homeroom"), today)
    if kind := asked_export():
        return send_list(kind, TODAY_LIST, {**asked.filters, "sort": asked.wanted_sort})
    wanted = read_today_wanted(asked.filters, words)
    with school_session() as session:
        counts = count_today(session, today, wanted)
        total = counts.total(wanted.status)
        number = min(asked.page, max(1, -(-total // PAGE_ROWS)))
        part = Part(asked.sort, asked.is_descending, (number - 1) * PAGE_ROWS, PAGE_ROWS)
        if asks_paper():
            part = Part(asked.sort, asked.is_descending, 0, MOST_ROWS)
        found = list_today(session, today, wanted, part)
    if asks_paper():
        return _show_paper(asked, today, found, total)
    return render_part(
        "today_students.html",
        "today_students_part.html",
        asked=asked,
        chosen=_chosen(today, wanted),
        columns=_COLUMNS,
        counts=counts,
        day=day,
        details=lambda one: _details(one, school.zone),
        grades=_grade_choices(today),
        number=number,
        names={one: str(name) for one, name in NAMES.items()},
        page=count_page(found, asked, number, total),
        rooms=_room_choices(today, wanted.grade),
        status=wanted.status,
        tones=TONES,
        wanted=wanted,
        words=words,
    )


def _show_paper(
    asked: Asked, today: Today, found: list[TodayStudent], total: int
) -> ResponseReturnValue:
    about = [
        days_between(today.time.day, today.time.day),
        *choice(gettext("Status"), list(NAMES.items()), asked, "status"),
        *choice(gettext("Grade"), _grade_choices(today), asked, "grade"),
        *choice(gettext("Homeroom"), _room_choices(today, None), asked, "homeroom"),
    ]
    heads = [column.label for column in _COLUMNS]
    zone = school_in_use().zone
    lines = [
        (
            one.name,
            one.number,
            one.homeroom,
            "、".join(str(NAMES[each]) for each in one.statuses),
            _details(one, zone),
        )
        for one in found
    ]
    return show_paper(TODAY_LIST.title, asked, about, heads, lines, total)


def _grade_choices(today: Today) -> list[tuple[int, str]]:
    return [(one, grade_word(one)) for one in sorted({room.grade for room in today.rooms})]


def _room_choices(today: Today, grade: int | None) -> list[tuple[int, str]]:
    return [(one.id, one.name) for one in today.rooms if grade in (None, one.grade)]


def _within(asked: Asked, today: Today) -> Asked:
    """Without the homeroom where another grade was chosen after it: nobody would be on the list."""
    wanted = read_today_wanted(asked.filters)
    if wanted.grade is None or wanted.homeroom_id is None:
        return asked
    room = (wanted.homeroom_id, wanted.grade)
    if any((one.id, one.grade) == room for one in today.rooms):
        return asked
    kept = {name: value for name, value in asked.filters.items() if name != "homeroom"}
    return replace(asked, filters=kept)


def _chosen(today: Today, wanted: TodayWanted) -> str:
    """Of which homeroom or grade the list is; empty for the school."""
    name = next((one.name for one in today.rooms if one.id == wanted.homeroom_id), "")
    return name or ("" if wanted.grade is None else grade_word(wanted.grade))


def _details(one: TodayStudent, zone: ZoneInfo) -> str:
    """What belongs to each status: sessions, minutes, the kind of leave and its end, or why not."""
    written = {
        TodayStatus.ABSENT: lambda: "、".join(one.absent_from),
        TodayStatus.NOT_JUDGED: lambda: _why(one),
        TodayStatus.LATE: lambda: _late(one),
        TodayStatus.LEFT_EARLY: lambda: _early(one),
        TodayStatus.ON_LEAVE: lambda: _leave(one, zone),
    }
    return " · ".join(text for status in one.statuses if (text := written[status]()))


def _late(one: TodayStudent) -> str:
    """Without the minutes where somebody said that the student was late."""
    texts = [hour(one.arrived_at)] if one.arrived_at else []
    if one.late_minutes:
        texts.append(gettext("%(minutes)s min late", minutes=one.late_minutes))
    return " ".join(texts)


def _early(one: TodayStudent) -> str:
    """Without the minutes where somebody said that the student left early."""
    texts = [hour(one.left_at)] if one.left_at else []
    if one.early_minutes:
        texts.append(gettext("%(minutes)s min early", minutes=one.early_minutes))
    return " ".join(texts)


def _leave(one: TodayStudent, zone: ZoneInfo) -> str:
    if one.leave_until is None:
        return word(one.leave)
    until = one.leave_until.astimezone(zone)
    if not until.hour and not until.minute:
        end = f"{until.date() - timedelta(days=1)}"
    else:
        end = f"{until:%Y-%m-%d %H:%M}"
    return str(gettext("%(kind)s until %(time)s", kind=word(one.leave), time=end))


def _why(one: TodayStudent) -> str:
    if one.waiting is None:
        return str(gettext("is being judged")) if one.due_at else ""
    if one.waiting is Waiting.NOT_DUE:
        return str(gettext("absence is judged from %(time)s on", time=hour(one.due_at)))
    return ": ".join(filter(None, (word(one.waiting), "、".join(one.gates))))

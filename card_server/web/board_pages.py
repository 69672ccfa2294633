"""Today's board (今日), and the same in large type for a wall (大屏)."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from card_server.access import allow, now, school_in_use, school_session
from card_server.calendar.hours import write_minute
from card_server.reports.arrivals import Minute, read_arrivals
from card_server.reports.board import (
    MAX_NAMES,
    Board,
    Counts,
    HomeroomRow,
    read_board,
    shown_rooms,
    time_of,
)
from card_server.reports.today_list import TodayStatus
from card_server.school_time import day_of
from card_server.web.board_words import day_sentences, waiting_sentences
from card_server.web.downloads import send_noted
from card_server.web.export import Cell, asked_export
from card_server.web.formats import hour
from card_server.web.fragments import render_part
from card_server.web.row_addresses import row_address
from card_server.web.tables import Column, Page, read_asked
from schema.tables.staff import Role

pages = Blueprint("board", __name__)

_SORTS: dict[str, Callable[[HomeroomRow], Any]] = {
    "name": lambda row: (row.grade, row.name),
    "arrived": lambda row: row.counts.arrived,
    "late": lambda row: row.counts.late,
    "left_early": lambda row: row.counts.left_early,
    "absent": lambda row: row.counts.absent,
    "on_leave": lambda row: row.counts.on_leave,
    "not_yet": lambda row: row.counts.not_yet,
    "inside": lambda row: row.counts.inside,
}
_COLUMNS = (
    Column(lazy_gettext("Homeroom"), "name"),
    Column(lazy_gettext("Share arrived"), is_minor=True),
    Column(lazy_gettext("Arrived"), "arrived", is_number=True),
    Column(lazy_gettext("Late"), "late", is_number=True),
    Column(lazy_gettext("Left early"), "left_early", is_number=True, is_minor=True),
    Column(lazy_gettext("Absent"), "absent", is_number=True),
    Column(lazy_gettext("On leave"), "on_leave", is_number=True, is_minor=True),
    Column(lazy_gettext("Not judged"), "not_yet", is_number=True),
    Column(lazy_gettext("On campus"), "inside", is_number=True, is_minor=True),
)


@pages.get("/board")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER)
def show() -> ResponseReturnValue:
    """The board of the school, of the grade or of the homeroom that the address names."""
    school, moment = school_in_use(), now()
    today = day_of(moment, school.zone)
    asked = read_asked(tuple(_SORTS), filters=("grade", "homeroom"))
    homeroom_id = request.args.get("homeroom", type=int)
    grade = request.args.get("grade", type=int)
    with school_session() as session:
        time = time_of(today, moment, school.zone)
        board = read_board(session, school, time, homeroom_id, grade)
        arrivals = read_arrivals(session, school.id, today, shown_rooms(board))
    if kind := asked_export():
        return send_noted(kind, "board", *_list_board(board, today))
    is_wall = "wall" in request.args
    rows = asked.sorted(board.rows, _SORTS)
    late_after = None if board.late_after is None else write_minute(board.late_after)
    return render_part(
        "board_wall.html" if is_wall else "board.html",
        "board_wall_part.html" if is_wall else "board_part.html",
        board=board,
        asked=asked,
        columns=_COLUMNS,
        page=Page(rows, total=len(rows)),
        arrivals=arrivals,
        day=today,
        now=moment,
        most=MAX_NAMES,
        late_after=late_after,
        late_line=_late_line(arrivals, late_after),
        lists=_lists_of(_scope(board)),
        room_lists=_lists("homeroom"),
        grade_lists=_lists("grade"),
        said=[
            *day_sentences(board.days),
            *waiting_sentences([board.chosen] if board.chosen else board.rows, moment),
        ],
        scope=_scope(board),
    )


def _scope(board: Board) -> dict[str, int]:
    """What the addresses of the same board's other forms carry."""
    if board.chosen:
        return {"homeroom": board.chosen.id}
    return {} if board.grade is None else {"grade": board.grade}


def _lists_of(scope: dict[str, Any]) -> dict[TodayStatus, str]:
    """By status where the students of this board are named."""
    return {one: url_for("today.show", status=one, **scope) for one in TodayStatus}


def _lists(name: str) -> dict[TodayStatus, Callable[[int | date], str]]:
    """By status where the students of a homeroom or a grade are named."""
    return {one: row_address("today.show", name, status=one) for one in TodayStatus}


def _late_line(arrivals: list[Minute], late_after: str | None) -> str:
    """The minute at which the chart has its line; empty where the chart does not reach it."""
    hours = {hour(one.at) for one in arrivals}
    return late_after if late_after in hours and late_after is not None else ""


def _list_board(board: Board, day: date) -> tuple[list[str], list[tuple[Cell, ...]]]:
    """The homerooms' numbers; of a chosen homeroom, who is not here yet and who was late."""
    if board.chosen is None:
        heads = [gettext("Day"), gettext("Grade"), gettext("Homeroom"), gettext("Students")]
        heads += [gettext("Expected"), gettext("Arrived"), gettext("Late"), gettext("Left early")]
        heads += [gettext("Absent"), gettext("On leave"), gettext("Not judged")]
        heads += [gettext("On campus")]
        lines: list[tuple[Cell, ...]] = [
            (day, row.grade, row.name, *_numbers(row.counts)) for row in board.rows
        ]
        total = gettext("together")
        lines += [(day, one.grade, total, *_numbers(one.counts)) for one in board.grades]
        return heads, lines
    heads = [gettext("Day"), gettext("Homeroom"), gettext("Student number"), gettext("Full name")]
    heads += [gettext("Arrived"), gettext("Minutes late")]
    return heads, list(_names(board, day))


def _numbers(counts: Counts) -> tuple[Cell, ...]:
    return (
        counts.students,
        counts.expected,
        counts.arrived,
        counts.late,
        counts.left_early,
        counts.absent,
        counts.on_leave,
        counts.not_yet,
        counts.inside,
    )


def _names(board: Board, day: date) -> Iterator[tuple[Cell, ...]]:
    for one in (*board.not_yet, *board.late):
        yield (day, one.homeroom, one.number, one.name, one.arrived_at, one.late_minutes)

"""Today's board (今日), and the same in large type for a wall (大屏)."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from card_server.access import allow, school_in_use, school_session
from card_server.reports.arrivals import read_arrivals
from card_server.reports.board import MAX_NAMES, Board, HomeroomRow, read_board
from card_server.school_time import day_of
from card_server.web.downloads import send_noted
from card_server.web.export import Cell, asked_export
from card_server.web.fragments import render_part
from card_server.web.tables import Column, Page, read_asked
from schema.tables.staff import Role

pages = Blueprint("board", __name__)

_SORTS: dict[str, Callable[[HomeroomRow], Any]] = {
    "name": lambda row: (row.grade, row.name),
    "arrived": lambda row: row.counts.arrived,
    "late": lambda row: row.counts.late,
    "not_yet": lambda row: row.counts.not_yet,
    "inside": lambda row: row.counts.inside,
}
_COLUMNS = (
    Column(lazy_gettext("Homeroom"), "name"),
    Column(lazy_gettext("Share arrived"), is_minor=True),
    Column(lazy_gettext("Arrived"), "arrived", is_number=True),
    Column(lazy_gettext("Late"), "late", is_number=True),
    Column(lazy_gettext("Not yet"), "not_yet", is_number=True),
    Column(lazy_gettext("On campus"), "inside", is_number=True, is_minor=True),
)


@pages.get("/board")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER)
def show() -> ResponseReturnValue:
    """The board of the whole school, or of the homeroom that `homeroom` names."""
    school, now = school_in_use(), datetime.now(UTC)
    today = day_of(now, school.zone)
    asked = read_asked(tuple(_SORTS), filters=("homeroom",))
    homeroom_id = request.args.get("homeroom", type=int)
    with school_session() as session:
        board = read_board(session, school.id, today, homeroom_id)
        arrivals = read_arrivals(session, school.id, today, homeroom_id)
    if kind := asked_export():
        return send_noted(kind, "board", *_list_board(board, today))
    is_wall = "wall" in request.args
    rows = asked.sorted(board.rows, _SORTS)
    return render_part(
        "board_wall.html" if is_wall else "board.html",
        "board_wall_part.html" if is_wall else "board_part.html",
        board=board,
        asked=asked,
        columns=_COLUMNS,
        page=Page(rows, total=len(rows)),
        arrivals=arrivals,
        day=today,
        now=now,
        most=MAX_NAMES,
        late_after=school.late_after,
    )


def _list_board(board: Board, day: date) -> tuple[list[str], list[tuple[Cell, ...]]]:
    """The homerooms' numbers; of a chosen homeroom, who is not here yet and who was late."""
    if board.chosen is None:
        heads = [gettext("Day"), gettext("Homeroom"), gettext("Students"), gettext("Arrived")]
        heads += [gettext("Late"), gettext("Not yet"), gettext("On campus")]
        return heads, [(day, *_numbers(row)) for row in board.rows]
    heads = [gettext("Day"), gettext("Homeroom"), gettext("Student number"), gettext("Full name")]
    heads += [gettext("Arrived"), gettext("Minutes late")]
    return heads, list(_names(board, day))


def _numbers(row: HomeroomRow) -> tuple[Cell, ...]:
    counts = row.counts
    return (row.name, counts.students, counts.arrived, counts.late, counts.not_yet, counts.inside)


def _names(board: Board, day: date) -> Iterator[tuple[Cell, ...]]:
    for one in (*board.not_yet, *board.late):
        yield (day, one.homeroom, one.number, one.name, one.arrived_at, one.late_minutes)

"""Who is on campus as a list (在校名单), by homeroom."""

from collections.abc import Iterator
from datetime import UTC, datetime

from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from card_server.exports.files import Cell, Row
from card_server.exports.lists import BATCH, ExportList, Filters
from card_server.reports.on_campus import (
    BOARDS_ASKED,
    Boards,
    Inside,
    Wanted,
    count_inside,
    read_all,
)
from card_server.staff.sessions import SchoolInUse
from card_server.words.choices import word

FILTERS = ("homeroom", "gate", "boarding", "leave")


def read_wanted(filters: Filters, words: str = "") -> Wanted:
    """The filter; what cannot be understood counts as not asked."""
    boards = BOARDS_ASKED.get(filters.get("boarding", ""))
    is_on_leave = {"yes": True, "no": False}.get(filters.get("leave", ""))
    room, gate = _number(filters.get("homeroom", "")), _number(filters.get("gate", ""))
    return Wanted(room, gate, boards, is_on_leave, words)


def _number(typed: str) -> int | None:
    is_id = typed.isascii() and typed.isdigit() and len(typed) <= 9
    return int(typed) if is_id else None


def _count(session: Session, school: SchoolInUse, filters: Filters) -> int:
    return count_inside(session, school.id, read_wanted(filters), datetime.now(UTC))


def _read(session: Session, school: SchoolInUse, filters: Filters) -> Iterator[Row]:
    now = datetime.now(UTC)
    return map(_cells, read_all(session, school.id, read_wanted(filters), now, BATCH))


def _cells(one: Inside) -> Row:
    return (
        one.homeroom,
        one.number,
        one.name,
        one.since_at,
        one.gate or gettext("by hand"),
        gettext("boarder") if one.is_boarder else gettext("day student"),
        word(one.leave),
    )


def _describe(_school: SchoolInUse, filters: Filters) -> list[tuple[str, Cell]]:
    wanted = read_wanted(filters)
    described: list[tuple[str, Cell]] = []
    if wanted.homeroom_id is not None:
        described.append((gettext("Homeroom"), wanted.homeroom_id))
    if wanted.reader_id is not None:
        described.append((gettext("Last gate"), wanted.reader_id))
    if wanted.boards is not None:
        boards = {
            Boards.BOARDER: gettext("boarder"),
            Boards.DAY: gettext("day student"),
            Boards.UNSEEN: gettext("boarder not seen since lessons"),
        }
        described.append((gettext("Boarding"), boards[wanted.boards]))
    if wanted.is_on_leave is not None:
        described.append((gettext("On leave"), gettext("yes") if wanted.is_on_leave else "–"))
    return described


ON_CAMPUS = ExportList(
    name="on-campus",
    title=lazy_gettext("On campus"),
    heads=(
        lazy_gettext("Homeroom"),
        lazy_gettext("Student number"),
        lazy_gettext("Full name"),
        lazy_gettext("Inside since"),
        lazy_gettext("Last gate"),
        lazy_gettext("Boarding"),
        lazy_gettext("On leave"),
    ),
    count=_count,
    read=_read,
    describe=_describe,
)

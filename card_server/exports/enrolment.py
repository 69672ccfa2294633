"""Who has not registered for a term (未报到名单)."""

from collections.abc import Iterator

from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from card_server.exports.files import Cell, Row
from card_server.exports.lists import BATCH, ExportList, Filters
from card_server.reports.enrolment import count_missing, read_missing
from card_server.staff.sessions import SchoolInUse

FILTERS = ("term", "homeroom")


def read_id(filters: Filters, name: str) -> int | None:
    """An id of the filter; what cannot be understood counts as not asked."""
    text = filters.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def _count(session: Session, school: SchoolInUse, filters: Filters) -> int:
    term_id = read_id(filters, "term") or 0
    return count_missing(session, school.id, term_id, read_id(filters, "homeroom"))


def _read(session: Session, school: SchoolInUse, filters: Filters) -> Iterator[Row]:
    term_id, homeroom_id = read_id(filters, "term") or 0, read_id(filters, "homeroom")
    for one in read_missing(session, school.id, term_id, homeroom_id, BATCH):
        yield one.number, one.name, one.grade, one.homeroom


def _describe(_school: SchoolInUse, filters: Filters) -> list[tuple[str, Cell]]:
    described: list[tuple[str, Cell]] = [(gettext("Term"), read_id(filters, "term"))]
    if homeroom_id := read_id(filters, "homeroom"):
        described.append((gettext("Homeroom"), homeroom_id))
    return described


NOT_REGISTERED = ExportList(
    name="not-registered",
    title=lazy_gettext("Not yet registered"),
    heads=(
        lazy_gettext("Student number"),
        lazy_gettext("Full name"),
        lazy_gettext("Grade"),
        lazy_gettext("Homeroom"),
    ),
    count=_count,
    read=_read,
    describe=_describe,
)

"""The list of taps (刷卡记录), newest first."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from card_server.exports.files import Cell, Row
from card_server.exports.lists import BATCH, ExportList, Filters
from card_server.reports.listings import ListedTap, list_taps
from card_server.staff.sessions import SchoolInUse
from card_server.words.choices import word
from schema.tables.taps import Tap


def _count(session: Session, school: SchoolInUse, _filters: Filters) -> int:
    wanted = select(func.count()).select_from(Tap).where(Tap.school_id == school.id)
    return session.scalar(wanted) or 0


def _read(session: Session, school: SchoolInUse, _filters: Filters) -> Iterator[Row]:
    before: tuple[datetime, UUID] | None = None
    while found := list_taps(session, school.id, before, None, BATCH):
        yield from map(_cells, found)
        if len(found) < BATCH:
            return
        before = (found[-1].received_at, found[-1].id)


def _cells(tap: ListedTap) -> Row:
    return (
        tap.occurred_at,
        tap.student,
        tap.homeroom,
        tap.uid,
        tap.reader,
        word(tap.direction),
        word(tap.reason) or word(tap.effect),
    )


def _describe(_school: SchoolInUse, _filters: Filters) -> list[tuple[str, Cell]]:
    return []


TAPS = ExportList(
    name="taps",
    title=lazy_gettext("Taps"),
    heads=(
        lazy_gettext("Time"),
        lazy_gettext("Student"),
        lazy_gettext("Homeroom"),
        lazy_gettext("Card"),
        lazy_gettext("Reader"),
        lazy_gettext("Direction"),
        lazy_gettext("Result"),
    ),
    count=_count,
    read=_read,
    describe=_describe,
)

"""The audit log as a list (审计日志), newest first; its personal part stays where it is."""

from collections.abc import Iterator
from datetime import date, datetime

from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from card_server.audit.reading import (
    LoggedEntry,
    Wanted,
    count_entries,
    read_actor_key,
    read_entries,
)
from card_server.exports.files import Cell, Row
from card_server.exports.lists import BATCH, ExportList, Filters
from card_server.school_time import bounds_of
from card_server.staff.sessions import SchoolInUse
from card_server.words.audit import action_word, actor_word, subject_word

FILTERS = ("actor", "action", "subject", "day")


def read_wanted(school: SchoolInUse, filters: Filters) -> Wanted:
    """The filter; what cannot be understood counts as not asked."""
    return Wanted(
        read_actor_key(filters.get("actor", "")),
        filters.get("action"),
        filters.get("subject"),
        _bounds(school, filters.get("day", "")),
    )


def _bounds(school: SchoolInUse, text: str) -> tuple[datetime, datetime] | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    if not date(2000, 1, 1) <= day <= date(2999, 12, 30):
        return None
    return bounds_of(day, school.zone)


def _count(session: Session, school: SchoolInUse, filters: Filters) -> int:
    return count_entries(session, school.id, read_wanted(school, filters))


def _read(session: Session, school: SchoolInUse, filters: Filters) -> Iterator[Row]:
    before: int | None = None
    wanted = read_wanted(school, filters)
    while found := read_entries(session, school.id, wanted, before, BATCH):
        yield from map(_cells, found)
        if len(found) < BATCH:
            return
        before = found[-1].seq


def _cells(one: LoggedEntry) -> Row:
    return (
        one.seq,
        one.at,
        actor_word(one.actor, one.name),
        str(one.actor),
        action_word(one.action),
        one.action,
        one.subject,
    )


def _describe(school: SchoolInUse, filters: Filters) -> list[tuple[str, Cell]]:
    wanted = read_wanted(school, filters)
    described: list[tuple[str, Cell]] = []
    if wanted.actor:
        described.append((gettext("Who"), actor_word(wanted.actor, "")))
    if wanted.action:
        described.append((gettext("What"), action_word(wanted.action)))
    if wanted.subject:
        described.append((gettext("About"), subject_word(wanted.subject)))
    if wanted.between:
        described.append((gettext("Day"), filters["day"]))
    return described


AUDIT = ExportList(
    name="audit",
    title=lazy_gettext("Audit log"),
    heads=(
        lazy_gettext("Number"),
        lazy_gettext("Time"),
        lazy_gettext("Who"),
        lazy_gettext("Account"),
        lazy_gettext("What"),
        lazy_gettext("Action"),
        lazy_gettext("About"),
    ),
    count=_count,
    read=_read,
    describe=_describe,
)

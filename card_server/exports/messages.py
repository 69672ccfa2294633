"""The list of messages to guardians (消息), the latest changed first."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext, lazy_gettext
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from card_server.exports.files import Cell, Row
from card_server.exports.lists import BATCH, ExportList, Filters
from card_server.reports.outbox import OutboxMessage, Wanted, list_messages, narrow_messages
from card_server.staff.sessions import SchoolInUse
from card_server.words.choices import word
from card_server.words.failures import carrier_word, failure
from schema.tables.messages import Message, MessageKind, MessageState, Suppression


def filter_messages(wanted: Wanted) -> Filters:
    """The filters of the list, as a file's name and a job carry them."""
    written = {
        "since": _write(wanted.since),
        "until": _write(wanted.until),
        "state": wanted.state,
        "kind": wanted.kind,
        "homeroom": str(wanted.homeroom_id or ""),
        "reason": wanted.suppression,
        "failure": wanted.failure,
    }
    return {name: str(value) for name, value in written.items() if value}


_MOMENT = "%Y-%m-%dT%H:%MZ"


def _write(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime(_MOMENT) if moment else ""


def read_wanted(filters: Filters) -> Wanted:
    """The messages that these filters let through."""
    homeroom = filters.get("homeroom")
    return Wanted(
        since=_read_moment(filters.get("since")),
        until=_read_moment(filters.get("until")),
        state=MessageState(filters["state"]) if "state" in filters else None,
        kind=MessageKind(filters["kind"]) if "kind" in filters else None,
        homeroom_id=int(homeroom) if homeroom else None,
        suppression=Suppression(filters["reason"]) if "reason" in filters else None,
        failure=filters.get("failure"),
    )


def _read_moment(written: str | None) -> datetime | None:
    return datetime.strptime(written, _MOMENT).replace(tzinfo=UTC) if written else None


def _count(session: Session, school: SchoolInUse, filters: Filters) -> int:
    counted: Select[*tuple[Any, ...]] = select(func.count(Message.id))
    wanted = narrow_messages(counted, school.id, read_wanted(filters))
    return session.scalar(wanted) or 0


def _read(session: Session, school: SchoolInUse, filters: Filters) -> Iterator[Row]:
    before: tuple[datetime, UUID] | None = None
    wanted = read_wanted(filters)
    while found := list_messages(session, school.id, wanted, before, BATCH):
        yield from map(_cells, found)
        if len(found) < BATCH:
            return
        before = (found[-1].changed_at, found[-1].id)


def _cells(one: OutboxMessage) -> Row:
    return (
        one.changed_at,
        one.student,
        one.homeroom,
        word(one.kind),
        f"••••{one.phone_tail}" if one.phone_tail else "",
        word(one.state),
        failure(one.error) or word(one.suppression),
        carrier_word(one.provider),
    )


def _describe(_school: SchoolInUse, filters: Filters) -> list[tuple[str, Cell]]:
    wanted = read_wanted(filters)
    described: list[tuple[str, Cell]] = [
        (gettext("Changed since"), wanted.since),
        (gettext("Changed before"), wanted.until),
        (gettext("State"), word(wanted.state)),
        (gettext("Kind"), word(wanted.kind)),
        (gettext("Homeroom (its number in this system)"), wanted.homeroom_id),
        (gettext("Reason"), word(wanted.suppression) or wanted.failure),
    ]
    return [(name, value) for name, value in described if value]


MESSAGES = ExportList(
    name="messages",
    title=lazy_gettext("Messages"),
    heads=(
        lazy_gettext("Time"),
        lazy_gettext("Student"),
        lazy_gettext("Homeroom"),
        lazy_gettext("Kind"),
        lazy_gettext("Phone"),
        lazy_gettext("State"),
        lazy_gettext("Reason"),
        lazy_gettext("Provider"),
    ),
    count=_count,
    read=_read,
    describe=_describe,
)

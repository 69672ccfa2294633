"""The list of messages to guardians (消息), the latest changed first."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

from flask_babel import gettext, lazy_gettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from card_server.exports.files import Cell, Row
from card_server.exports.lists import BATCH, ExportList, Filters
from card_server.reports.listings import list_messages
from card_server.reports.outbox import OutboxMessage
from card_server.staff.sessions import SchoolInUse
from card_server.words.choices import word
from schema.tables.messages import Message, MessageState


def filter_messages(state: MessageState | None, since: datetime) -> Filters:
    """The filters of the list: those of one state, changed since a moment."""
    written = since.astimezone(UTC).strftime(_MOMENT)
    return {"since": written} | ({"state": state.value} if state else {})


_MOMENT = "%Y-%m-%dT%H:%MZ"


def _state(filters: Filters) -> MessageState | None:
    return MessageState(filters["state"]) if "state" in filters else None


def _since(filters: Filters) -> datetime | None:
    if "since" not in filters:
        return None
    return datetime.strptime(filters["since"], _MOMENT).replace(tzinfo=UTC)


def _count(session: Session, school: SchoolInUse, filters: Filters) -> int:
    wanted = select(func.count()).select_from(Message).where(Message.school_id == school.id)
    if since := _since(filters):
        wanted = wanted.where(Message.changed_at >= since)
    if state := _state(filters):
        wanted = wanted.where(Message.state == state)
    return session.scalar(wanted) or 0


def _read(session: Session, school: SchoolInUse, filters: Filters) -> Iterator[Row]:
    before: tuple[datetime, UUID] | None = None
    since, state = _since(filters), _state(filters)
    while found := list_messages(session, school.id, before, since, state, BATCH):
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
        f"••••{one.phone_tail}",
        word(one.state),
        one.error or word(one.suppression),
        one.provider,
    )


def _describe(_school: SchoolInUse, filters: Filters) -> list[tuple[str, Cell]]:
    described: list[tuple[str, Cell]] = []
    if since := _since(filters):
        described.append((gettext("Changed since"), since))
    if state := _state(filters):
        described.append((gettext("State"), word(state)))
    return described


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

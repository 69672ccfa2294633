"""What guardians are told of arrivals and departures: one message for each, however taps come in.

A message belongs to a tap. When an earlier tap comes in later, what was an arrival may turn out to
be a double tap, or a departure: its message is withdrawn if nobody was told yet, and if somebody
was, the message of the tap that takes its place is not sent to them.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from card_server.attendance.day_book import DayBook
from card_server.attendance.tap_changes import TapChange
from card_server.messages import write_text
from card_server.services.protocol import PlacedTap
from card_server.taps.directory import Holder, SchoolFacts
from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from schema.tables.taps import Effect


class Notice(Struct, gc=False):
    """What one guardian is told of one tap (a row of `message`)."""

    school_id: int
    id: UUID
    kind: MessageKind
    tap_id: UUID
    student_id: int
    guardian_id: int
    body: str
    state: MessageState
    suppression: Suppression | None
    attempts: int
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    changed_at: datetime


def suppression_of(tap: PlacedTap) -> Suppression | None:
    """Why a tap's message is not sent; None when it is."""
    if tap.clock_suspect:
        return Suppression.CLOCK_SUSPECT
    if tap.received_at - tap.occurred_at > timedelta(minutes=tap.reader.school.stale_minutes):
        return Suppression.STALE
    return None


def notices_of(tap: PlacedTap, local: datetime, now: datetime) -> list[Notice]:
    """The messages of a tap that is an arrival or a departure; `local` in the school's zone."""
    if tap.holder is None:
        return []
    school = tap.reader.school
    return _write(school, tap.holder, tap.id, tap.effect, local, suppression_of(tap), now)


def late_notices_of(
    school: SchoolFacts, holder: Holder, change: TapChange, now: datetime
) -> list[Notice]:
    """The messages of a tap on record that was a double tap and now counts."""
    before = change.before
    suppression = None
    if before.is_suspect:
        suppression = Suppression.CLOCK_SUSPECT
    elif now - before.at > timedelta(minutes=school.stale_minutes):
        suppression = Suppression.STALE
    local = before.at.astimezone(school.zone)
    return _write(school, holder, change.after.id, change.after.effect, local, suppression, now)


def _write(
    school: SchoolFacts,
    holder: Holder,
    tap_id: UUID,
    effect: Effect,
    local: datetime,
    suppression: Suppression | None,
    now: datetime,
) -> list[Notice]:
    kind = _KINDS[effect]
    state = MessageState.SUPPRESSED if suppression else MessageState.QUEUED
    expires_at = local.astimezone(UTC) + timedelta(minutes=school.stale_minutes)
    time = f"{local.hour:02}:{local.minute:02}"
    return [
        Notice(
            school.id,
            uuid7(),
            kind,
            tap_id,
            holder.student_id,
            guardian_id,
            write_text(kind, language, school.signature, holder.name, time),
            state,
            suppression,
            0,
            now,
            now,
            expires_at,
            now,
        )
        for guardian_id, language in holder.told
    ]


def settle_messages(
    session: Session, book: DayBook, notices: Iterable[Notice], now: datetime
) -> None:
    """Withdraw what is wrong by what was judged now, and tell nobody a second time.

    All judging ends here, so nowhere else is a message withdrawn or queued because of a judgement.
    `notices` are the new messages of the same students, which are not written yet.
    """
    wrong = {
        (one.school_id, one.after.id): one
        for one in book.tap_changes
        if _kind_of(one.before.effect) not in (None, _kind_of(one.after.effect))
    }
    if not wrong:
        return
    told = _withdraw(session, wrong, now)
    for notice in notices:
        if (notice.school_id, notice.student_id, notice.guardian_id, notice.kind) in told:
            notice.state, notice.suppression = MessageState.SUPPRESSED, Suppression.DUPLICATE


def _withdraw(
    session: Session, wrong: Mapping[tuple[int, UUID], TapChange], now: datetime
) -> set[tuple[int, int, int, MessageKind]]:
    """Take back what waits; who was told already, of which student and kind."""
    told = set()
    message = Message.__table__.c
    connection = session.connection()
    for (school_id, tap_id), change in sorted(wrong.items()):
        right = _kind_of(change.after.effect)
        of_tap = (
            (message.school_id == school_id)
            & (message.student_id == change.student_id)
            & (message.tap_id == tap_id)
            & message.kind.in_([kind for kind in MessageKind if kind is not right])
        )
        connection.execute(
            update(Message.__table__)  # type: ignore[arg-type]
            .where(of_tap, message.state.in_((MessageState.QUEUED, MessageState.SUPPRESSED)))
            .values(
                state=MessageState.SUPPRESSED,
                suppression=Suppression.WITHDRAWN if right else Suppression.DUPLICATE,
                changed_at=now,
            )
        )
        stays = select(message.guardian_id, message.kind).where(
            of_tap, message.state != MessageState.SUPPRESSED
        )
        for guardian_id, kind in connection.execute(stays):
            told.add((school_id, change.student_id, guardian_id, kind))
    return told


def told_again(session: Session, changes: Sequence[TapChange]) -> list[TapChange]:
    """Those that count after all, or as something else, and of which nobody was told so."""
    message = Message.__table__.c
    found = []
    for one in changes:
        kind = _kind_of(one.after.effect)
        if kind is None or kind is _kind_of(one.before.effect):
            continue
        told = select(message.id).where(
            message.school_id == one.school_id,
            message.student_id == one.student_id,
            message.tap_id == one.after.id,
            message.kind == kind,
            message.suppression.is_distinct_from(Suppression.DUPLICATE),
            message.suppression.is_distinct_from(Suppression.WITHDRAWN),
        )
        if session.connection().scalar(told.limit(1)) is None:
            found.append(one)
    return found


def _kind_of(effect: Effect) -> MessageKind | None:
    """What is told of a tap with this effect; None where nothing is."""
    return _KINDS.get(effect)


_KINDS: Final = {
    Effect.ARRIVAL: MessageKind.ARRIVAL,
    Effect.DEPARTURE: MessageKind.DEPARTURE,
}

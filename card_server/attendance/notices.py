"""What guardians are told of arrivals and departures: one message for each, however taps come in.

A message belongs to a tap. When an earlier tap comes in later, what was an arrival may turn out to
be a double tap, or a departure: its message is withdrawn if nobody was told yet, and if somebody
was, the message of the tap that takes its place is not sent to them. What was late may turn out in
time: what waits is written anew.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from card_server.attendance.absences import Owed, withdraw_absences
from card_server.attendance.day_book import DayBook
from card_server.attendance.lateness import arrival_kind, mend_lateness
from card_server.attendance.rows import DayKey
from card_server.attendance.tap_changes import TapChange
from card_server.messages.moments import say_time
from card_server.messages.queueing import NewMessage, expiry_of
from card_server.services.protocol import PlacedTap
from card_server.taps.directory import Holder, SchoolFacts, Told
from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from schema.tables.taps import Effect


class Passed(NamedTuple):
    """An arrival or a departure, as it is told."""

    tap_id: UUID
    effect: Effect
    late_minutes: int
    local: datetime
    """In the school's zone."""
    suppression: Suppression | None


class Settled(NamedTuple):
    """What was told before, as far as it decides what is told now."""

    told: set[tuple[int, int, int, Effect]]
    """Who was told of a passing that was not one: school, student, guardian, and as what."""
    owed: Owed


def suppression_of(tap: PlacedTap) -> Suppression | None:
    """Why a tap's message is not sent; None when it is."""
    if tap.clock_suspect:
        return Suppression.CLOCK_SUSPECT
    if tap.received_at - tap.occurred_at > timedelta(minutes=tap.reader.school.stale_minutes):
        return Suppression.STALE
    return None


def passed_late(school: SchoolFacts, change: TapChange, now: datetime) -> Passed:
    """A tap on record that was a double tap and now counts."""
    before, after = change.before, change.after
    suppression = None
    if before.is_suspect:
        suppression = Suppression.CLOCK_SUSPECT
    elif now - before.at > timedelta(minutes=school.stale_minutes):
        suppression = Suppression.STALE
    local = before.at.astimezone(school.zone)
    return Passed(after.id, after.effect, after.late_minutes, local, suppression)


def messages_of(
    school: SchoolFacts, holder: Holder, passed: Passed, settled: Settled, now: datetime
) -> list[NewMessage]:
    """The messages of one passing; whoever is owed the news of an arrival gets it with this one."""
    slots = {"student": holder.name, "time": say_time(passed.local)}
    if passed.late_minutes:
        slots["minutes"] = str(passed.late_minutes)
    owed = _take_owed(settled.owed, school, holder, passed) if settled.owed else _NOBODY
    messages = []
    for told in holder.told:
        kind, suppression = _kind_for(told, passed), passed.suppression
        if owed and told.guardian_id in owed:
            # However late it is known: it ends a worry that our message made.
            kind, suppression = MessageKind.ARRIVED, None
        elif settled.told and _is_told(settled, school, holder, told, passed):
            suppression = Suppression.DUPLICATE
        if kind is None:
            continue
        messages.append(_write(school, holder, told, passed, kind, slots, suppression, now))
    return messages


_NOBODY: Final = frozenset[int]()


def _take_owed(owed: Owed, school: SchoolFacts, holder: Holder, passed: Passed) -> AbstractSet[int]:
    """Who is told with this passing that the student has come after all; nobody is told twice."""
    if passed.effect is not Effect.ARRIVAL or passed.suppression is Suppression.CLOCK_SUSPECT:
        return _NOBODY
    return owed.pop(DayKey(school.id, passed.local.date(), holder.student_id), _NOBODY)


def _is_told(
    settled: Settled, school: SchoolFacts, holder: Holder, told: Told, passed: Passed
) -> bool:
    return (school.id, holder.student_id, told.guardian_id, passed.effect) in settled.told


def _kind_for(told: Told, passed: Passed) -> MessageKind | None:
    if passed.effect is not Effect.ARRIVAL:
        return MessageKind.DEPARTURE if MessageKind.DEPARTURE in told.wanted else None
    return arrival_kind(passed.late_minutes, told.wanted)


def _write(
    school: SchoolFacts,
    holder: Holder,
    told: Told,
    passed: Passed,
    kind: MessageKind,
    slots: Mapping[str, str],
    suppression: Suppression | None,
    now: datetime,
) -> NewMessage:
    written = school.texts.write(kind, told.language, slots)
    about_at = passed.local.astimezone(UTC)
    return NewMessage(
        school.id,
        uuid7(),
        kind,
        passed.tap_id,
        holder.student_id,
        told.guardian_id,
        told.language,
        told.channel,
        written.body,
        written.slots,
        MessageState.SUPPRESSED if suppression else MessageState.QUEUED,
        suppression,
        0,
        about_at,
        now,
        now,
        expiry_of(kind, about_at, school.stale_minutes, now),
        now,
    )


def settle_messages(session: Session, book: DayBook, now: datetime) -> Settled:
    """Withdraw or mend what is wrong by what was judged now; what is on record has to be told with.

    All judging ends here, so nowhere else is a message withdrawn because of a judgement. It comes
    before new messages are written, which go by what it answers.
    """
    told = _withdraw_passings(session, book, now)
    mend_lateness(session, book, now)
    return Settled(told, withdraw_absences(session, book, now))


def _withdraw_passings(
    session: Session, book: DayBook, now: datetime
) -> set[tuple[int, int, int, Effect]]:
    """Take back what waits of taps that are something else now; who was told already, and what."""
    wrong = {
        (one.school_id, one.after.id): one
        for one in book.tap_changes
        if one.before.effect in _KINDS and one.before.effect is not one.after.effect
    }
    told = set()
    connection = session.connection()
    for (school_id, tap_id), change in sorted(wrong.items()):
        right = _KINDS.get(change.after.effect, ())
        of_tap = (
            (Message.school_id == school_id)
            & (Message.student_id == change.student_id)
            & (Message.tap_id == tap_id)
            & Message.kind.not_in(right)
        )
        connection.execute(
            update(Message)
            .where(of_tap, Message.state.in_((MessageState.QUEUED, MessageState.SUPPRESSED)))
            .values(
                state=MessageState.SUPPRESSED,
                suppression=Suppression.WITHDRAWN if right else Suppression.DUPLICATE,
                changed_at=now,
            )
        )
        stays = select(Message.guardian_id, Message.kind).where(
            of_tap, Message.state != MessageState.SUPPRESSED
        )
        for guardian_id, kind in connection.execute(stays):
            told.add((school_id, change.student_id, guardian_id, _EFFECTS[kind]))
    return told


def told_again(session: Session, changes: Sequence[TapChange]) -> list[TapChange]:
    """Those that count after all, or as something else, and of which nobody was told so."""
    found = []
    for one in changes:
        kinds = _KINDS.get(one.after.effect)
        if kinds is None or one.after.effect is one.before.effect:
            continue
        told = select(Message.id).where(
            Message.school_id == one.school_id,
            Message.student_id == one.student_id,
            Message.tap_id == one.after.id,
            Message.kind.in_(kinds),
            Message.suppression.is_distinct_from(Suppression.DUPLICATE),
            Message.suppression.is_distinct_from(Suppression.WITHDRAWN),
        )
        if session.connection().scalar(told.limit(1)) is None:
            found.append(one)
    return found


_KINDS: Final = {
    Effect.ARRIVAL: (MessageKind.ARRIVAL, MessageKind.LATE, MessageKind.ARRIVED),
    Effect.DEPARTURE: (MessageKind.DEPARTURE,),
}
"""As what each passing may be told."""
_EFFECTS: Final = {kind: effect for effect, kinds in _KINDS.items() for kind in kinds}

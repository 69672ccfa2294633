"""Whether an arrival is told as late, and mending what waits when the day is judged otherwise.

An earlier tap that comes in later may show that nobody was late; a correction or leave as well.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from card_server.attendance.day_book import DayBook
from card_server.attendance.rows import OddDay
from card_server.messages.queueing import listeners_of
from card_server.messages.templates import SchoolTexts, texts_of
from card_server.school_time import bounds_of, day_of
from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from schema.tables.people import Language

_ARRIVALS: Final = (MessageKind.ARRIVAL, MessageKind.LATE)
_NOBODY: Final = frozenset[MessageKind]()


class _Waiting(NamedTuple):
    id: UUID
    kind: MessageKind
    tap_id: UUID | None
    guardian_id: int
    language: Language
    slots: str


def arrival_kind(late_minutes: int, wanted: Collection[MessageKind]) -> MessageKind | None:
    """As what an arrival is told: late if it is and that is wanted, else plainly; or not at all."""
    if late_minutes and MessageKind.LATE in wanted:
        return MessageKind.LATE
    return MessageKind.ARRIVAL if MessageKind.ARRIVAL in wanted else None


def mend_lateness(session: Session, book: DayBook, now: datetime) -> None:
    """Write anew what waits of arrivals on record that are late otherwise than they were."""
    changed = [one for one in book.odd_days if _may_differ(one, now)]
    texts: dict[int, SchoolTexts] = {}
    for one in changed:
        school_id, student_id = one.school.id, one.after.student_id
        for message in _waiting(session, one):
            minutes = _minutes_of(book, student_id, message.tap_id)
            if _is_right(message, minutes):
                continue
            if school_id not in texts:
                texts[school_id] = texts_of(session, school_id)
            _rewrite(session, texts[school_id], school_id, student_id, message, minutes, now)


def _minutes_of(book: DayBook, student_id: int, tap_id: UUID | None) -> int:
    return book.late_taps.get((student_id, tap_id), 0) if tap_id else 0


def _may_differ(one: OddDay, now: datetime) -> bool:
    """Of older days nothing waits any more."""
    if one.before is None or one.before.sessions == one.after.sessions:
        return False
    return one.after.day >= day_of(now, one.school.zone) - timedelta(days=1)


def _waiting(session: Session, one: OddDay) -> list[_Waiting]:
    """Messages of the day's arrivals that nobody has been sent."""
    begin, end = bounds_of(one.after.day, one.school.zone)
    found = session.connection().execute(
        select(
            Message.id,
            Message.kind,
            Message.tap_id,
            Message.guardian_id,
            Message.language,
            Message.slots,
        ).where(
            Message.school_id == one.school.id,
            Message.student_id == one.after.student_id,
            Message.created_at >= begin,
            Message.about_at >= begin,
            Message.about_at < end,
            Message.tap_id.is_not(None),
            Message.kind.in_(_ARRIVALS),
            Message.state == MessageState.QUEUED,
        )
    )
    return [_Waiting(*row) for row in found.all()]


def _is_right(message: _Waiting, minutes: int) -> bool:
    """Whether it says what is so; a school's own text need not name the minutes."""
    if message.kind is MessageKind.ARRIVAL:
        return minutes == 0
    return minutes > 0 and _slots(message).get("minutes", str(minutes)) == str(minutes)


def _slots(message: _Waiting) -> dict[str, str]:
    return dict(msgspec.json.decode(message.slots, type=list[tuple[str, str]]))


def _rewrite(
    session: Session,
    texts: SchoolTexts,
    school_id: int,
    student_id: int,
    message: _Waiting,
    minutes: int,
    now: datetime,
) -> None:
    """Unless a notifier has taken it meanwhile."""
    wanted = _NOBODY
    for listener in listeners_of(session, {student_id}).get(student_id, ()):
        if listener.guardian_id == message.guardian_id:
            wanted = listener.wanted
    kind = arrival_kind(minutes, wanted)
    if kind is None:
        values: dict[str, object] = {
            "state": MessageState.SUPPRESSED,
            "suppression": Suppression.WITHDRAWN,
        }
    else:
        slots = _slots(message) | {"minutes": str(minutes)}
        written = texts.write(kind, message.language, slots)
        values = {"kind": kind, "body": written.body, "slots": written.slots}
    session.connection().execute(
        update(Message)
        .where(
            Message.school_id == school_id,
            Message.id == message.id,
            Message.state == MessageState.QUEUED,
        )
        .values(changed_at=now, **values)
    )

"""Writing messages to guardians down, in the transaction of what they tell of.

A row says who is told what; whether it may be sent is judged when its turn comes (judging.py).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from card_server.messages.kinds import UNASKED, wish_of, worth_until
from card_server.messages.templates import SchoolTexts, texts_of
from card_server.messages.wanted import read_wanted
from card_server.storage.bulk import Write, write_all
from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from schema.tables.people import Channel, Guardian, Guardianship, Language
from schema.tables.school import School

_LASTING: Final = frozenset({MessageKind.ABSENCE, MessageKind.ARRIVED})
"""What still holds when it is told: it is worth telling from when it is known, and not from when
it happened."""


class NewMessage(Struct, gc=False):
    """A message to one guardian that is not written yet (a row of `message`)."""

    school_id: int
    id: UUID
    kind: MessageKind
    tap_id: UUID | None
    student_id: int
    guardian_id: int
    language: Language
    channel: Channel
    body: str
    slots: str
    state: MessageState
    suppression: Suppression | None
    attempts: int
    about_at: datetime
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    changed_at: datetime


class News(NamedTuple):
    """What is told of one student, to every guardian who wants it."""

    kind: MessageKind
    student_id: int
    about_at: datetime
    slots: Mapping[Language, Mapping[str, str]]
    until: datetime | None = None
    """After this it is worth nothing, however new."""


class Listener(NamedTuple):
    """A guardian of a student, and what this one is told."""

    student_id: int
    guardian_id: int
    language: Language
    channel: Channel
    wanted: frozenset[MessageKind]
    """Nothing for whom the school does not tell."""


def queue_news(
    session: Session,
    school_id: int,
    news: Sequence[News],
    now: datetime,
    *,
    guardian_id: int | None = None,
) -> int:
    """Write a message for each guardian who wants it; how many that were.

    With `guardian_id` nobody else is told.
    """
    if not news:
        return 0
    listeners = listeners_of(session, {one.student_id for one in news})
    texts, stale_minutes = texts_of(session, school_id), _stale_minutes(session, school_id)
    messages = [
        _write(school_id, one, listener, texts, stale_minutes, now)
        for one in news
        for listener in listeners.get(one.student_id, ())
        if _wants(listener, one.kind) and guardian_id in {None, listener.guardian_id}
    ]
    write_all(session, [Write(Message, messages)])
    return len(messages)


def _wants(listener: Listener, kind: MessageKind) -> bool:
    """Whether a guardian is told this; nobody chooses whether to get a link or a code."""
    wish = wish_of(kind)
    return wish is None or wish in listener.wanted


def listeners_of(session: Session, student_ids: set[int]) -> dict[int, list[Listener]]:
    """The guardians of these students, by student; whoever asks need not see them all."""
    found = session.connection().execute(
        select(
            Guardianship.student_id,
            Guardian.id,
            Guardian.language,
            Guardianship.channel,
            Guardianship.wanted,
            Guardianship.is_told,
        )
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .where(Guardianship.student_id.in_(student_ids))
        .order_by(Guardianship.student_id, Guardian.id)
    )
    listeners: dict[int, list[Listener]] = {}
    for student_id, guardian_id, language, channel, wanted, is_told in found:
        kinds = read_wanted(wanted) if is_told else frozenset()
        listener = Listener(student_id, guardian_id, language, channel, kinds)
        listeners.setdefault(student_id, []).append(listener)
    return listeners


def _write(
    school_id: int,
    news: News,
    listener: Listener,
    texts: SchoolTexts,
    stale_minutes: int,
    now: datetime,
) -> NewMessage:
    written = texts.write(news.kind, listener.language, news.slots[listener.language])
    expires_at = expiry_of(news.kind, news.about_at, stale_minutes, now)
    if news.until is not None:
        expires_at = min(expires_at, news.until)
    is_stale = expires_at <= now
    return NewMessage(
        school_id=school_id,
        id=uuid7(),
        kind=news.kind,
        tap_id=None,
        student_id=news.student_id,
        guardian_id=listener.guardian_id,
        language=listener.language,
        # What shows whose number it is goes to that number.
        channel=Channel.SMS if news.kind in UNASKED else listener.channel,
        body=written.body,
        slots=written.slots,
        state=MessageState.SUPPRESSED if is_stale else MessageState.QUEUED,
        suppression=Suppression.STALE if is_stale else None,
        attempts=0,
        about_at=news.about_at,
        created_at=now,
        due_at=now,
        expires_at=expires_at,
        changed_at=now,
    )


def expiry_of(kind: MessageKind, about_at: datetime, stale_minutes: int, now: datetime) -> datetime:
    """When a message that is written now, of what happened then, is stale."""
    since = now if kind in _LASTING else about_at
    return since + _worth(kind, stale_minutes)


_worth = lru_cache(worth_until)


def _stale_minutes(session: Session, school_id: int) -> int:
    found = session.connection().scalar(select(School.stale_minutes).where(School.id == school_id))
    return found or 0

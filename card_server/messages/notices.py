"""School notices (学校通知): what staff write to the guardians of many students, once a number.

Whoever writes one reaches the students that their session shows, and nobody else.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import Problems
from card_server.field_errors import marked as _
from card_server.messages.kinds import worth_until
from card_server.messages.queueing import NewMessage
from card_server.messages.rules import rules_of
from card_server.messages.segments import Size, size_of
from card_server.messages.states import TAKEN
from card_server.messages.templates import Written, texts_of
from card_server.messages.wanted import read_wanted
from card_server.storage.bulk import Write, write_all
from schema.tables.messages import Message, MessageKind, MessageState, Notice
from schema.tables.people import Channel, Guardian, Guardianship, Language, Student, StudentStatus
from schema.tables.school import Homeroom

AT_ONCE: Final = 500
"""More messages than this are written by a background job."""
MOST: Final = 300
"""Characters of a notice in one language."""
_AGAIN_AFTER: Final = timedelta(minutes=10)
"""Within this the same notice to the same people is a button pressed twice."""
_AUDIENCE: Final = re.compile(r"school|grade:\d{1,2}|homeroom:\d{1,9}( homeroom:\d{1,9}){0,29}")


@dataclass(frozen=True)
class NoticeWish:
    """A notice as it is typed."""

    audience: str
    """As `Notice.audience` keeps it."""
    chinese: str
    english: str
    """Empty: everybody gets the Chinese text."""

    def text(self, language: Language) -> str:
        """What a guardian of this language reads."""
        return self.english if language is Language.ENGLISH and self.english else self.chinese


class Recipient(NamedTuple):
    """A number that gets a notice: one guardian of it, and the first of the students."""

    guardian_id: int
    student_id: int
    language: Language
    channel: Channel


@dataclass(frozen=True)
class Preview:
    """What a notice would be, before anybody confirms it."""

    body: str
    size: Size
    english_body: str
    english_size: Size | None
    """None when everybody gets the Chinese text."""
    numbers: int
    segments: int
    """Of all messages together."""
    price: int
    """In thousandths of the currency."""
    currency: str


@dataclass(frozen=True)
class NoticeLine:
    """A notice and what became of it."""

    id: int
    audience: str
    text_chinese: str
    text_english: str
    made_by: str
    made_at: datetime
    sent: int
    """How many messages it became."""
    taken: int
    """How many a carrier has, or had."""
    delivered: int
    failed: int
    waiting: int
    suppressed: int


class MadeNotice(NamedTuple):
    """A new notice, and how many numbers it reaches."""

    notice: Notice
    numbers: int


class _NoticeMessage(NewMessage, gc=False):
    notice_id: int


def read_notice(typed: Mapping[str, str], rooms: Sequence[int]) -> NoticeWish:
    """What somebody typed; `rooms` are the homerooms that were ticked. Raises FieldsError."""
    wrong = Problems()
    audience = typed.get("audience", "")
    if audience == "homerooms":
        audience = " ".join(f"homeroom:{room}" for room in sorted(set(rooms)))
    if not _AUDIENCE.fullmatch(audience):
        wrong.add("audience", _("Choose whom it is for; thirty homerooms at most."))
    chinese = wrong.text("chinese", typed.get("chinese", ""), MOST)
    english = typed.get("english", "")
    if english.strip():
        english = wrong.text("english", english, MOST)
    if set(chinese + english) & set("【】"):
        wrong.add(
            "chinese", _("Leave the brackets 【】 out; the signature stands in them already.")
        )
    wrong.refuse()
    return NoticeWish(audience, chinese, english.strip())


def preview_notice(session: Session, school_id: int, wish: NoticeWish) -> Preview:
    """How many numbers it reaches, in how many segments, and what that costs."""
    written = _write_texts(session, school_id, wish)
    sizes = {language: size_of(text.body) for language, text in written.items()}
    found = _recipients(session, school_id, wish.audience)
    segments = sum(sizes[one.language].segments for one in found if one.channel is Channel.SMS)
    rules = rules_of(session, school_id)
    return Preview(
        written[Language.CHINESE].body,
        sizes[Language.CHINESE],
        written[Language.ENGLISH].body if wish.english else "",
        sizes[Language.ENGLISH] if wish.english else None,
        len(found),
        segments,
        segments * rules.price_per_segment,
        rules.currency,
    )


def make_notice(
    session: Session, actor: Actor, school_id: int, wish: NoticeWish, now: datetime
) -> MadeNotice:
    """A notice of which nothing is queued yet.

    Raises AppError(CONFLICT) when it reaches nobody, and for a button that was pressed twice.
    """
    numbers = len(_recipients(session, school_id, wish.audience))
    if not numbers:
        raise AppError(Code.CONFLICT, "Nobody of these wants notices and can get them.")
    again = select(Notice.id).where(
        Notice.school_id == school_id,
        Notice.made_at > now - _AGAIN_AFTER,
        Notice.audience == wish.audience,
        Notice.text_chinese == wish.chinese,
    )
    if session.scalar(again.limit(1)) is not None:
        raise AppError(Code.CONFLICT, "This notice was sent just now.")
    notice = Notice(
        school_id=school_id,
        audience=wish.audience,
        text_chinese=wish.chinese,
        text_english=wish.english,
        made_by=actor.name[:120],
        made_at=now,
    )
    session.add(notice)
    session.flush()
    details = {"audience": wish.audience, "text": wish.chinese}
    note(session, school_id, actor, "notice.made", f"notice:{notice.id}", details=details)
    return MadeNotice(notice, numbers)


def queue_notice(session: Session, school_id: int, notice_id: int, now: datetime) -> int:
    """Queue a notice's messages, one a number; how many. A notice is queued once.

    The session decides who is reached, as it did when the notice was written.
    Raises AppError(NOT_FOUND).
    """
    notice = session.scalar(
        select(Notice)
        .where(Notice.school_id == school_id, Notice.id == notice_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if notice is None:
        raise AppError(Code.NOT_FOUND, "There is no such notice.")
    if notice.sent:
        return notice.sent
    wish = NoticeWish(notice.audience, notice.text_chinese, notice.text_english)
    written = _write_texts(session, school_id, wish)
    messages = [
        _message(notice, one, written[one.language], now)
        for one in _recipients(session, school_id, notice.audience)
    ]
    notice.sent = len(messages)
    session.flush()
    write_all(session, [Write(Message, messages)])
    return notice.sent


def list_notices(session: Session, school_id: int, most: int = 100) -> list[NoticeLine]:
    """The newest notices with what became of their messages."""
    notices = session.scalars(
        select(Notice)
        .where(Notice.school_id == school_id)
        .order_by(Notice.made_at.desc(), Notice.id.desc())
        .limit(most)
    ).all()
    found = session.connection().execute(
        select(Message.notice_id, Message.state, func.count())
        .where(
            Message.school_id == school_id,
            Message.notice_id.in_([one.id for one in notices]),
        )
        .group_by(Message.notice_id, Message.state)
    )
    counts = {(notice_id, state): count for notice_id, state, count in found}

    def count(notice: Notice, *states: MessageState) -> int:
        return sum(counts.get((notice.id, state), 0) for state in states)

    return [
        NoticeLine(
            one.id,
            one.audience,
            one.text_chinese,
            one.text_english,
            one.made_by,
            one.made_at,
            one.sent,
            count(one, *TAKEN),
            count(one, MessageState.DELIVERED),
            count(one, MessageState.FAILED, MessageState.UNDELIVERED),
            count(one, MessageState.QUEUED, MessageState.SENDING, MessageState.UNKNOWN),
            count(one, MessageState.SUPPRESSED),
        )
        for one in notices
    ]


def _recipients(session: Session, school_id: int, audience: str) -> list[Recipient]:
    """Each number once, of who is told and wants notices, in the order of students."""
    found = session.execute(
        select(
            Guardian.id,
            Student.id,
            Guardian.language,
            Guardianship.channel,
            Guardianship.wanted,
            Guardian.phone_hash,
        )
        .join(Guardianship, Guardianship.guardian_id == Guardian.id)
        .join(Student, Student.id == Guardianship.student_id)
        .where(
            Guardian.school_id == school_id,
            Guardian.phone_tail != "",
            Guardianship.is_told,
            Student.school_id == school_id,
            Student.status == StudentStatus.ENROLLED,
            _is_meant(audience),
        )
        .order_by(Student.id, Guardian.id)
    )
    numbers: dict[bytes, Recipient] = {}
    for guardian_id, student_id, language, channel, wanted, phone_hash in found:
        if MessageKind.NOTICE in read_wanted(wanted):
            one = Recipient(guardian_id, student_id, language, channel)
            numbers.setdefault(phone_hash, one)
    return list(numbers.values())


def _is_meant(audience: str) -> ColumnElement[bool]:
    """Which students an audience holds."""
    if audience == "school":
        return true()
    named = [int(part.partition(":")[2]) for part in audience.split()]
    if audience.startswith("homeroom:"):
        return Student.homeroom_id.in_(named)
    of_grade = select(Homeroom.id).where(Homeroom.grade.in_(named), Homeroom.is_past.is_(False))
    return Student.homeroom_id.in_(of_grade)


def _write_texts(session: Session, school_id: int, wish: NoticeWish) -> dict[Language, Written]:
    """What a guardian of each language reads: without an English text the Chinese one."""
    texts = texts_of(session, school_id)
    chinese = texts.write(MessageKind.NOTICE, Language.CHINESE, {"text": wish.chinese})
    if not wish.english:
        return dict.fromkeys(Language, chinese)
    english = texts.write(MessageKind.NOTICE, Language.ENGLISH, {"text": wish.english})
    return {Language.CHINESE: chinese, Language.ENGLISH: english}


def _message(notice: Notice, to: Recipient, text: Written, now: datetime) -> _NoticeMessage:
    return _NoticeMessage(
        school_id=notice.school_id,
        id=uuid7(),
        kind=MessageKind.NOTICE,
        tap_id=None,
        student_id=to.student_id,
        guardian_id=to.guardian_id,
        # The carrier's approved template goes by it.
        language=to.language if notice.text_english else Language.CHINESE,
        channel=to.channel,
        body=text.body,
        slots=text.slots,
        state=MessageState.QUEUED,
        suppression=None,
        attempts=0,
        about_at=notice.made_at,
        created_at=now,
        due_at=now,
        expires_at=now + worth_until(MessageKind.NOTICE, 0),
        changed_at=now,
        notice_id=notice.id,
    )

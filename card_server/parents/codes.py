"""Codes that show whose phone it is: six digits, sent to the guardian's number, for five minutes.

What the database keeps of a code is a keyed hash, and the digits sealed, for the notifier alone.
"""

import hmac
import secrets
import unicodedata
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.messages.queueing import News, queue_news
from card_server.messages.templates import STARS
from card_server.parents.children import children_of
from card_server.storage.sealing import Seal
from schema.tables.messages import Message, MessageKind
from schema.tables.parents import ParentCode
from schema.tables.people import Guardian, Language

LASTS: Final = timedelta(minutes=5)
MOST_TRIES: Final = 5
BETWEEN: Final = timedelta(seconds=60)
MOST_A_DAY: Final = 5
WRONG: Final = _(
    "This is not the code, or it has run out. After five tries or five minutes it takes a new one."
)


def send_code(
    session: Session, seal: Seal, school_id: int, guardian_id: int, now: datetime
) -> None:
    """Make a guardian's next code and queue the message with it; the one before is dead.

    Raises AppError(CONFLICT) within 60 seconds of the last one, and after five within 24 hours,
    counted for the number, whoever has it.
    """
    guardian = _lock_number(session, school_id, guardian_id)
    _refuse_too_many(session, guardian, now)
    digits = f"{secrets.randbelow(1_000_000):06d}"
    session.merge(
        ParentCode(
            school_id=school_id,
            guardian_id=guardian_id,
            code_hash=_hash(seal, guardian_id, digits),
            code_sealed=seal.close(digits),
            made_at=now,
            expires_at=now + LASTS,
            tries=0,
            used_at=None,
        )
    )
    session.flush()
    slots = {"code": STARS, "minutes": str(LASTS.seconds // 60)}
    child = children_of(session, school_id, guardian_id)[0]
    news = News(MessageKind.CODE, child.id, now, dict.fromkeys(Language, slots))
    queue_news(session, school_id, [news], now, guardian_id=guardian_id)


def use_code(session: Session, seal: Seal, guardian: Guardian, typed: str, now: datetime) -> bool:
    """Whether this is the guardian's code; each try counts, the right one uses it up."""
    row = session.scalar(
        select(ParentCode)
        .where(ParentCode.guardian_id == guardian.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    digits = "".join(unicodedata.normalize("NFKC", typed).split())
    is_equal = hmac.compare_digest(
        row.code_hash if row else bytes(32), _hash(seal, guardian.id, digits)
    )
    if row is None or not _is_alive(row, guardian, now):
        return False
    row.tries += 1
    if is_equal:
        row.used_at = now
    session.flush()
    return is_equal


def _is_alive(row: ParentCode, guardian: Guardian, now: datetime) -> bool:
    is_of_number = guardian.phone_since is None or guardian.phone_since <= row.made_at
    return is_of_number and row.used_at is None and now < row.expires_at and row.tries < MOST_TRIES


def _hash(seal: Seal, guardian_id: int, digits: str) -> bytes:
    return seal.hash(f"parent-code:{guardian_id}:{digits}")


def _lock_number(session: Session, school_id: int, guardian_id: int) -> Guardian:
    """The guardian, while nobody else can send a code to the same number."""
    guardian = session.get_one(Guardian, guardian_id)
    session.scalars(
        select(Guardian.id)
        .where(Guardian.school_id == school_id, Guardian.phone_hash == guardian.phone_hash)
        .order_by(Guardian.id)
        .with_for_update(key_share=True)
    ).all()
    return guardian


def _refuse_too_many(session: Session, guardian: Guardian, now: datetime) -> None:
    same_number = select(Guardian.id).where(
        Guardian.school_id == guardian.school_id, Guardian.phone_hash == guardian.phone_hash
    )
    sent = session.scalars(
        select(Message.created_at)
        .where(
            Message.school_id == guardian.school_id,
            Message.guardian_id.in_(same_number),
            Message.kind == MessageKind.CODE,
            Message.created_at > now - timedelta(days=1),
        )
        .order_by(Message.created_at.desc())
    ).all()
    if sent and now - sent[0] < BETWEEN:
        raise AppError(
            Code.CONFLICT, "A code is on its way. A new one can be sent after one minute."
        )
    if len(sent) >= MOST_A_DAY:
        raise AppError(
            Code.CONFLICT,
            "This number has been sent five codes today. Try again tomorrow, or ask the homeroom "
            "teacher.",
        )

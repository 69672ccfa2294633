"""That a finding was looked at: whoever may see it may say so, and take it back."""

import re
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from card_server.attendance.facts import Finding
from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.people.students import find_student
from card_server.storage.bulk import insert_missing
from schema.tables.findings import FindingLook, PairKind, TapPair
from schema.tables.taps import REFUSED, Tap

KEY: Final = r"^[a-z_]{4,20}:[0-9A-Za-z]{1,32}(:20[0-9]{2}-[01][0-9]-[0-3][0-9])?$"
_MISSING: Final = _("There is no such finding.")
_REFUSED_AGAIN: Final = "refused_again"
_PAIRS: Final = frozenset(PairKind)
_LONGEST_ID: Final = 9
_OF_STUDENTS: Final = frozenset({*Finding, "always_late"})


class _Look(Struct, gc=False):
    """A new row of `finding_look`."""

    school_id: int
    key: str
    looked_by: str
    looked_at: datetime


def look_at(session: Session, actor: Actor, school_id: int, key: str, now: datetime) -> None:
    """Note that somebody has looked; once is enough. Raises AppError(NOT_FOUND)."""
    subject = _subject_of(session, school_id, key)
    if _find(session, school_id, key) is not None:
        return
    insert_missing(session, FindingLook, [_Look(school_id, key, actor.name, now)])
    note(session, school_id, actor, "finding.looked_at", subject, details={"finding": key})


def take_back(session: Session, actor: Actor, school_id: int, key: str) -> None:
    """Let it stand among the open ones again. Raises AppError(NOT_FOUND)."""
    subject = _subject_of(session, school_id, key)
    look = _find(session, school_id, key)
    if look is None:
        return
    session.delete(look)
    note(session, school_id, actor, "finding.reopened", subject, details={"finding": key})


def _find(session: Session, school_id: int, key: str) -> FindingLook | None:
    return session.scalar(
        select(FindingLook).where(FindingLook.school_id == school_id, FindingLook.key == key)
    )


def _subject_of(session: Session, school_id: int, key: str) -> str:
    """Whom a finding is about, as the audit log names it; only what the session sees is there."""
    kind, of = key.split(":")[:2] if re.match(KEY, key) else ("", "")
    if kind == _REFUSED_AGAIN:
        return _refused_card(session, school_id, of)
    if kind in _PAIRS:
        student_id = _student_of_pair(session, school_id, of)
    elif kind in _OF_STUDENTS and of.isdigit() and len(of) <= _LONGEST_ID:
        student_id = int(of)
    else:
        raise AppError(Code.NOT_FOUND, _MISSING)
    find_student(session, school_id, student_id)
    return f"student:{student_id}"


def _refused_card(session: Session, school_id: int, uid: str) -> str:
    """A tap of the card, which stands for it: the number itself is nobody's business."""
    wanted = select(Tap.id).where(
        Tap.school_id == school_id, literal_column(f"({REFUSED})"), Tap.uid == uid
    )
    tap_id = session.scalar(wanted.order_by(Tap.received_at).limit(1))
    if tap_id is None:
        raise AppError(Code.NOT_FOUND, _MISSING)
    return f"tap:{tap_id}"


def _student_of_pair(session: Session, school_id: int, text: str) -> int:
    try:
        later_id = UUID(text)
    except ValueError:
        raise AppError(Code.NOT_FOUND, _MISSING) from None
    wanted = select(TapPair.student_id).where(
        TapPair.school_id == school_id, TapPair.later_id == later_id
    )
    student_id = session.scalar(wanted.limit(1))
    if student_id is None:
        raise AppError(Code.NOT_FOUND, _MISSING)
    return student_id

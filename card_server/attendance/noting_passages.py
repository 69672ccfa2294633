"""Writing down who was let in or out without a card (手工放行), and taking it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.hand_passages import find_passage
from card_server.attendance.telling_passages import (
    Passed,
    judge_and_take_back,
    judge_and_tell,
)
from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.people.stays import lock_student
from card_server.school_time import day_of
from schema.tables.attendance import HandPassage
from schema.tables.people import StudentStatus
from schema.tables.readers import Direction

LATEST = timedelta(hours=24)
"""How long afterwards a passage can be written down."""
_CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True)
class AtGate:
    """Who stands at the gate and writes down, in which school, and when."""

    actor: Actor
    staff_id: int
    """The account, or that of whoever made the program's token."""
    school_id: int
    zone: ZoneInfo
    now: datetime
    is_school: bool = False
    """Whether this person may take back what others wrote down."""


@dataclass(frozen=True)
class PassageWish:
    """Which way somebody went, when, and why without a card."""

    direction: Direction
    at: datetime
    reason: str


def read_passage(typed: Mapping[str, str], zone: ZoneInfo, now: datetime) -> PassageWish:
    """What the guard typed; without a time it is now. Raises FieldsError.

    The time is one of the last 24 hours, without its day: 23:50 at half past midnight was
    yesterday.
    """
    wrong = Problems()
    direction = typed.get("direction", "")
    if direction not in list(Direction):
        wrong.add("direction", _("Choose from the list."))
    reason = wrong.text("reason", typed.get("reason", ""), 200)
    at = _read_time(wrong, typed.get("at", ""), zone, now)
    wrong.refuse()
    return PassageWish(Direction(direction), at, reason)


def _read_time(wrong: Problems, typed: str, zone: ZoneInfo, now: datetime) -> datetime:
    if not typed.strip():
        return now
    try:
        hour = datetime.strptime(typed.strip()[:5], "%H:%M").time()  # noqa: DTZ007
    except ValueError:
        wrong.add("at", _("Write the time like 07:30."))
        return now
    today = datetime.combine(day_of(now, zone), hour, zone)
    at = today if today <= now + _CLOCKS_DIFFER else today - timedelta(days=1)
    return min(at.astimezone(UTC), now)


def record_passage(
    session: Session, doing: AtGate, student_id: int, wanted: PassageWish
) -> HandPassage:
    """Write down that a student passed the gate without a card; guardians are told as of a tap.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) for who is not at the school and for what is
    written down already, FieldsError for a time to come or one that is too long ago.
    """
    student = lock_student(session, doing.school_id, student_id)
    if student.status is not StudentStatus.ENROLLED:
        raise AppError(Code.CONFLICT, "This student is not at the school now.")
    if wanted.at > doing.now + _CLOCKS_DIFFER:
        raise FieldsError({"at": _("This time has not come yet.")})
    if wanted.at < doing.now - LATEST:
        raise FieldsError({"at": _("A passage can be written down for 24 hours.")})
    _refuse_twice(session, doing.school_id, student_id, wanted)
    at = min(wanted.at, doing.now)
    judge_and_tell(
        session, Passed(doing.school_id, student.id, student.name, wanted.direction, at), doing.now
    )
    row = HandPassage(
        school_id=doing.school_id,
        student_id=student_id,
        at=at,
        direction=wanted.direction,
        reason=wanted.reason,
        made_by=doing.actor.name[:120],
        made_by_id=doing.staff_id,
        made_at=doing.now,
    )
    session.add(row)
    session.flush()
    _note(session, doing, row, "passage.recorded", wanted.reason)
    return row


def take_back(session: Session, doing: AtGate, passage_id: int) -> None:
    """Undo what was written down: by whoever wrote it, or an administrator.

    Guardians are not told of it any more, and of an absence if the student has not come without it.

    Raises AppError(NOT_FOUND), AppError(NOT_ALLOWED) for another guard, AppError(CONFLICT) when it
    is undone already.
    """
    row = find_passage(session, doing.school_id, passage_id, is_locked=True)
    if row.made_by_id != doing.staff_id and not doing.is_school:
        raise AppError(
            Code.NOT_ALLOWED, "Only who wrote this down, or an administrator, can take it back."
        )
    if row.ended_at is not None:
        raise AppError(Code.CONFLICT, "This is taken back already.")
    row.ended_by, row.ended_at = doing.actor.name[:120], doing.now
    session.flush()
    _note(session, doing, row, "passage.taken_back", "")
    judge_and_take_back(session, row, doing.now)


def _refuse_twice(session: Session, school_id: int, student_id: int, wanted: PassageWish) -> None:
    """A thumb that presses twice writes one passage."""
    other = session.scalar(
        select(HandPassage.id).where(
            HandPassage.school_id == school_id,
            HandPassage.student_id == student_id,
            HandPassage.direction == wanted.direction,
            HandPassage.at > wanted.at - _CLOCKS_DIFFER,
            HandPassage.at < wanted.at + _CLOCKS_DIFFER,
            HandPassage.ended_at.is_(None),
        )
    )
    if other is not None:
        raise AppError(Code.CONFLICT, "This is written down already.")


def _note(session: Session, doing: AtGate, row: HandPassage, action: str, reason: str) -> None:
    details = {"passage": row.id, "at": row.at, "direction": row.direction}
    subject = f"student:{row.student_id}"
    note(session, doing.school_id, doing.actor, action, subject, reason=reason, details=details)

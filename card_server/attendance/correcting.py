"""Writing corrections (更正): who may say what of which day, and what is ended by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from card_server.attendance.corrections import find_correction, list_corrections
from card_server.attendance.facts import ALL_DAY
from card_server.attendance.refold import refold
from card_server.audit.writing import Actor, note
from card_server.calendar.plan import BOARDERS_POSITION
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.people.stays import lock_student
from card_server.register.terms import list_terms, term_of
from card_server.school_time import day_of
from schema.tables.attendance import Correction, SessionStatus
from schema.tables.leave import LeaveKind

MOST_SESSIONS: Final = BOARDERS_POSITION
"""The boarders' return stands after all sessions of a day."""
STATUSES: Final = tuple(one for one in SessionStatus if one is not SessionStatus.NOT_JUDGED)
"""What staff can say: that nobody knows is no correction."""
WITH_MINUTES: Final = (SessionStatus.LATE, SessionStatus.LEFT_EARLY)
MOST_MINUTES: Final = 600
"""More than that was no lateness."""
_DAYS_WITHOUT_TERM: Final = 30


@dataclass(frozen=True)
class Doing:
    """Who corrects, in which school, and when."""

    actor: Actor
    school_id: int
    zone: ZoneInfo
    now: datetime
    is_school: bool = False
    """Whether this person speaks for the school, and may go further back than the term."""
    staff_id: int | None = None
    """The account, or that of whoever made the program's token; None for no account's."""


@dataclass(frozen=True)
class Mark:
    """What somebody says of a session, or of all of them."""

    position: int
    status: SessionStatus
    leave_kind: LeaveKind | None
    reason: str
    minutes: int | None = None
    """How late, or how early gone; None: as many as the taps say."""


def read_mark(typed: Mapping[str, str]) -> Mark:
    """What somebody typed; a kind of leave and minutes only where the status has such.

    Raises FieldsError.
    """
    wrong = Problems()
    status, kind = typed.get("status", ""), typed.get("leave_kind", "")
    if status not in list(STATUSES):
        wrong.add("status", _("Choose from the list."))
    if status == SessionStatus.ON_LEAVE and kind not in list(LeaveKind):
        wrong.add("leave_kind", _("Choose what kind of leave it is."))
    position = read_position(wrong, typed.get("position", ""))
    reason = wrong.text("reason", typed.get("reason", ""), 200)
    minutes = None
    if status in WITH_MINUTES:
        minutes = _read_minutes(wrong, typed.get("minutes", "").strip(), position)
    wrong.refuse()
    leave_kind = LeaveKind(kind) if status == SessionStatus.ON_LEAVE else None
    return Mark(position, SessionStatus(status), leave_kind, reason, minutes)


def _read_minutes(wrong: Problems, typed: str, position: int) -> int | None:
    """Of one session; said of a whole day they would count once for each of its sessions."""
    if not typed:
        return None
    is_number = typed.isascii() and typed.isdigit() and len(typed) <= 3
    if not is_number or not 1 <= int(typed) <= MOST_MINUTES:
        wrong.add("minutes", _("Write a number of minutes from 1 to 600, or nothing."))
        return None
    if position == ALL_DAY:
        wrong.add("minutes", _("Minutes belong to one session: choose which."))
    return int(typed)


def read_position(wrong: Problems, typed: str) -> int:
    """Which session, from 1; `ALL_DAY` for all."""
    if typed.isascii() and typed.isdigit() and len(typed) <= 2 and int(typed) <= MOST_SESSIONS:
        return int(typed)
    wrong.add("position", _("Choose from the list."))
    return ALL_DAY


def correct(session: Session, doing: Doing, student_id: int, day: date, mark: Mark) -> Correction:
    """Say what a session of a student's day was; what was said of it before is ended.

    Raises AppError(NOT_FOUND), FieldsError for a day that has not come or is too long ago.
    """
    lock_student(session, doing.school_id, student_id)
    refuse_day(session, doing, day)
    row = write_correction(session, doing, student_id, day, mark)
    refold(session, doing.school_id, student_id, day, day, doing.now)
    return row


def write_correction(
    session: Session,
    doing: Doing,
    student_id: int,
    day: date,
    mark: Mark,
    marking_id: UUID | None = None,
) -> Correction:
    """The same for a student who is locked and a day that may be corrected; nothing is judged."""
    for former in _standing(session, doing.school_id, student_id, day):
        if mark.position in (ALL_DAY, former.position):
            former.ended_by, former.ended_at = doing.actor.name[:120], doing.now
    row = Correction(
        school_id=doing.school_id,
        student_id=student_id,
        day=day,
        position=mark.position,
        status=mark.status,
        leave_kind=mark.leave_kind,
        minutes=mark.minutes,
        reason=mark.reason,
        made_by=doing.actor.name[:120],
        made_at=doing.now,
        marking_id=marking_id,
    )
    session.add(row)
    session.flush()
    _note(session, doing, row, "attendance.corrected", mark.reason)
    return row


def end_correction(session: Session, doing: Doing, correction_id: int) -> Correction:
    """Take back what was said; the taps decide again.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) when it counts no more, FieldsError for a day
    that is too long ago.
    """
    row = find_correction(session, doing.school_id, correction_id)
    lock_student(session, doing.school_id, row.student_id)
    session.refresh(row)
    if row.ended_at is not None:
        raise AppError(Code.CONFLICT, "This correction counts no more already.")
    refuse_day(session, doing, row.day)
    row.ended_by, row.ended_at = doing.actor.name[:120], doing.now
    session.flush()
    _note(session, doing, row, "attendance.correction_ended", "")
    refold(session, doing.school_id, row.student_id, row.day, row.day, doing.now)
    return row


def refuse_day(session: Session, doing: Doing, day: date) -> None:
    """Raise FieldsError for a day that has not come, or that only the school can still correct."""
    today = day_of(doing.now, doing.zone)
    if day > today:
        raise FieldsError({"day": _("This day has not come yet.")})
    if not doing.is_school and day < first_day(session, doing.school_id, today):
        raise FieldsError(
            {
                "day": _(
                    "This day lies before the term: only the school's administrators correct it."
                )
            }
        )


def first_day(session: Session, school_id: int, today: date) -> date:
    """The first day that a teacher can correct: of this term, or in the holidays of the last."""
    terms = list_terms(session, school_id)
    begun = [one.starts_on for one in terms if one.starts_on <= today]
    current = term_of(terms, today)
    if current is not None:
        return current.starts_on
    return max(begun, default=today - timedelta(days=_DAYS_WITHOUT_TERM))


def _standing(session: Session, school_id: int, student_id: int, day: date) -> list[Correction]:
    found = list_corrections(session, school_id, student_id, day)
    return [one for one in found if one.ended_at is None]


def _note(session: Session, doing: Doing, row: Correction, action: str, reason: str) -> None:
    details = {
        "correction": row.id,
        "day": row.day,
        "session": row.position,
        "status": row.status,
        "leave_kind": row.leave_kind,
        **({"minutes": row.minutes} if row.minutes is not None else {}),
        **({"marking": str(row.marking_id)} if row.marking_id else {}),
    }
    subject = f"student:{row.student_id}"
    note(session, doing.school_id, doing.actor, action, subject, reason=reason, details=details)

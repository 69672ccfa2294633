"""Students who leave and come back (学籍变动): suspended, transferred, graduated, enrolled."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from card_server.attendance.refold import refold
from card_server.audit.writing import Actor, note
from card_server.cards.cards import release_cards
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.people.boarding import end_all_boarding
from card_server.people.stays import (
    close_stay,
    find_new_homeroom,
    lock_student,
    open_stay,
    refuse_future,
)
from card_server.school_time import day_of
from card_server.webhooks.changes import NewStatus, tell_of_statuses
from schema.tables.people import Student, StudentStatus
from schema.tables.school import Homeroom

AWAY_FOR_GOOD = frozenset({StudentStatus.TRANSFERRED, StudentStatus.GRADUATED})
"""Who has no homeroom any more."""


@dataclass(frozen=True)
class StatusChange:
    """What a student becomes, from which day on, and why; the homeroom is for who comes back."""

    status: StudentStatus
    on: date
    reason: str = ""
    homeroom_id: int | None = None


def change_status(
    session: Session,
    actor: Actor,
    school_id: int,
    student_id: int,
    wanted: StatusChange,
    now: datetime,
    zone: ZoneInfo,
) -> bool:
    """Whether the status changed; the days since then are judged anew.

    Who leaves loses cards and bed at once. Raises AppError(NOT_FOUND), FieldsError for a day or a
    status that cannot be, or when somebody comes back whose homeroom is over and no other one is
    named.
    """
    if not write_status(session, actor, school_id, student_id, wanted, now, zone):
        return False
    refold(session, school_id, student_id, wanted.on, day_of(now, zone), now)
    return True


def write_status(
    session: Session,
    actor: Actor,
    school_id: int,
    student_id: int,
    wanted: StatusChange,
    now: datetime,
    zone: ZoneInfo,
) -> bool:
    """The same, and nothing is judged: for whoever changes many and judges them together."""
    student = lock_student(session, school_id, student_id)
    before = student.status
    if before is wanted.status:
        return False
    if wanted.status is StudentStatus.SUSPENDED and before in AWAY_FOR_GOOD:
        raise FieldsError({"status": _("Who is not of the school cannot be suspended.")})
    _check_day(student, wanted.on, day_of(now, zone))
    if wanted.status is StudentStatus.ENROLLED:
        homeroom = _bring_back(session, student, wanted, before)
    else:
        homeroom = session.get_one(Homeroom, student.homeroom_id)
        _send_away(session, actor, student, wanted, now, zone)
    student.status, student.status_since = wanted.status, wanted.on
    session.flush()
    tell_of_statuses(session, school_id, [NewStatus(student_id, before, wanted.status, wanted.on)])
    details = {"status": [before, wanted.status], "on": wanted.on, "homeroom": homeroom.name}
    note(
        session,
        school_id,
        actor,
        "student.status_changed",
        f"student:{student_id}",
        reason=wanted.reason,
        details=details,
    )
    return True


def _check_day(student: Student, on: date, today: date) -> None:
    refuse_future(on, today)
    if student.status_since is not None and on < student.status_since:
        raise FieldsError({"on": _("The present status began after this day.")})


def _send_away(
    session: Session,
    actor: Actor,
    student: Student,
    wanted: StatusChange,
    now: datetime,
    zone: ZoneInfo,
) -> None:
    """A suspended student keeps the homeroom, for the time being."""
    is_of_school = student.status not in AWAY_FOR_GOOD
    if wanted.status in AWAY_FOR_GOOD and is_of_school:
        close_stay(session, student, wanted.on)
    end_all_boarding(session, student, wanted.on, day_of(now, zone))
    release_cards(session, actor, student.id, wanted.reason or wanted.status.value, now)


def _bring_back(
    session: Session, student: Student, wanted: StatusChange, before: StudentStatus
) -> Homeroom:
    room_id = wanted.homeroom_id or student.homeroom_id
    room = session.get(Homeroom, student.homeroom_id)
    if wanted.homeroom_id is None and (room is None or room.is_past):
        raise FieldsError({"homeroom_id": _("Choose the homeroom that the student comes into.")})
    homeroom = find_new_homeroom(session, student.school_id, room_id)
    is_still_there = before not in AWAY_FOR_GOOD
    if is_still_there and homeroom.id == student.homeroom_id:
        return homeroom
    if is_still_there:
        close_stay(session, student, wanted.on)
    open_stay(session, student, homeroom, wanted.on)
    return homeroom

"""Boarding (住校): from which day until which a student sleeps at school."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.refold import refold
from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.people.stays import lock_student
from card_server.school_time import day_of
from schema.tables.people import Boarding, Student, StudentStatus

AHEAD: Final = timedelta(days=366)
"""So far ahead boarding may begin or end."""


@dataclass(frozen=True)
class BoardingTime:
    """A time in which a student boarded, boards or is going to."""

    from_on: date
    until_on: date | None
    """The first day at home again; None where no end is set."""

    def holds_on(self, day: date) -> bool:
        """Whether the student boards then."""
        return self.from_on <= day and (self.until_on is None or day < self.until_on)


@dataclass(frozen=True)
class BoardingNow:
    """Whether a student boards, and what is going to change; None where there is no such day."""

    since: date | None
    until: date | None
    """The first day at home again, where the end of the present time is set."""
    begins_on: date | None
    """The coming day on which the student begins to board."""


def boarding_on(times: Sequence[BoardingTime], day: date) -> BoardingNow:
    """What the student's times say of a day."""
    now = next((one for one in times if one.holds_on(day)), None)
    return BoardingNow(
        since=now.from_on if now else None,
        until=now.until_on if now else None,
        begins_on=min((one.from_on for one in times if one.from_on > day), default=None),
    )


def list_boardings(session: Session, school_id: int, student_id: int) -> list[BoardingTime]:
    """When a student boarded or is going to, the newest time first."""
    found = session.execute(
        select(Boarding.from_on, Boarding.until_on)
        .where(Boarding.school_id == school_id, Boarding.student_id == student_id)
        .order_by(Boarding.from_on.desc())
    )
    return [BoardingTime(*row) for row in found]


def set_boarding(
    session: Session,
    actor: Actor,
    school_id: int,
    student_id: int,
    is_boarding: bool,
    on: date,
    now: datetime,
    zone: ZoneInfo,
) -> bool:
    """Whether it is otherwise from `on`: a boarder becomes a day student, or the other way round.

    The day may be a coming one, and until it comes saying it again moves it: a time that has not
    begun begins on the new day or never, one whose end has not come ends on the new day or goes on.
    The days since `on` are judged anew.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) for who is not enrolled, FieldsError for a day
    too far ahead or within an earlier time.
    """
    student = lock_student(session, school_id, student_id)
    if student.status is not StudentStatus.ENROLLED:
        raise AppError(Code.CONFLICT, "This student is not enrolled.")
    today = day_of(now, zone)
    if on - today > AHEAD:
        raise FieldsError({"on": _("This lies more than a year ahead.")})
    change = _begin if is_boarding else _end
    if not change(session, student, on, today):
        return False
    session.flush()
    refold(session, school_id, student_id, on, today, now)
    details = {"is_boarding": [not is_boarding, is_boarding], "on": on}
    note(session, school_id, actor, "student.boarding", f"student:{student_id}", details=details)
    return True


def end_all_boarding(session: Session, student: Student, on: date, today: date) -> None:
    """Who leaves is at home from `on`, today or earlier, and does not begin again on a coming day.

    Raises FieldsError for a day before the present time began.
    """
    for one in _times(session, student):
        if one.from_on > today:
            session.delete(one)
        elif one.until_on is None or one.until_on > on:
            _end_one(session, one, on)
    session.flush()


def _begin(session: Session, student: Student, on: date, today: date) -> bool:
    times = _times(session, student)
    coming = next((one for one in times if one.from_on > today), None)
    if coming is not None:
        if coming.from_on == on and coming.until_on is None:
            return False
        session.delete(coming)
        session.flush()
        times.remove(coming)
    last = times[0] if times else None
    if last is None or (last.until_on is not None and last.until_on < on):
        session.add(Boarding(student_id=student.id, from_on=on, school_id=student.school_id))
        return True
    if last.until_on is None:
        return coming is not None
    is_over = last.until_on <= today
    if last.until_on > on and (is_over or last.from_on > on):
        raise FieldsError({"on": _("The student boarded until after this day already.")})
    last.until_on = None
    return True


def _end(session: Session, student: Student, on: date, today: date) -> bool:
    """What was to begin later never does; the time before ends, unless its end has come already."""
    times = _times(session, student)
    dropped = [one for one in times if one.from_on > today and one.from_on >= on]
    for one in dropped:
        session.delete(one)
    last = next((one for one in times if one not in dropped), None)
    if last is None or (last.until_on is not None and last.until_on <= today):
        return bool(dropped)
    if last.until_on == on or (dropped and last.until_on is not None and last.until_on < on):
        return bool(dropped)
    _end_one(session, last, on)
    return True


def _end_one(session: Session, one: Boarding, on: date) -> None:
    """At home again from `on`; a time that began then never was."""
    if one.from_on > on:
        raise FieldsError({"on": _("The student began to board after this day.")})
    if one.from_on == on:
        session.delete(one)
    else:
        one.until_on = on


def _times(session: Session, student: Student) -> list[Boarding]:
    """All of the student's, the newest first."""
    found = session.scalars(
        select(Boarding).where(Boarding.student_id == student.id).order_by(Boarding.from_on.desc())
    )
    return list(found)

"""Lessons for a school in a test: a term, hours that are the same each day, and held exits."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from card_server.register.version import touch_register
from schema.tables.attendance import AttendanceRules
from schema.tables.calendar import (
    CalendarEntry,
    DayKind,
    DayPart,
    EntrySource,
    Timetable,
    TimetableSession,
)
from schema.tables.leave import LeaveKind, LeaveSlip, LeaveState
from schema.tables.school import Term

ALL_DAY = ((0, 24 * 60),)
_DAY = timedelta(days=1)
_AT = datetime(2026, 1, 1, tzinfo=UTC)


def add_lessons(
    session: Session,
    school_id: int,
    day: date,
    hours: Iterable[tuple[int, int]] = ALL_DAY,
    grades: str = "",
) -> Timetable:
    """On that day and the next ones, whatever weekday and holiday they are, lessons from late_after
    to leave_from, in minutes of the day."""
    timetable = Timetable(school_id=school_id, name="每天", starts_on=day - _DAY, grades=grades)
    session.add(timetable)
    session.flush()
    for weekday in range(1, 8):
        for position, (begin, end) in enumerate(hours, 1):
            session.add(
                TimetableSession(
                    timetable_id=timetable.id,
                    weekday=weekday,
                    position=position,
                    name=f"第{position}节",
                    part=DayPart.MORNING,
                    arrive_from=begin,
                    late_after=begin,
                    absent_after=begin,
                    leave_from=end,
                    ends=end,
                )
            )
    for number in range(4):
        session.add(
            CalendarEntry(
                school_id=school_id,
                day=day + number * _DAY,
                kind=DayKind.LESSONS,
                grades=grades,
                source=EntrySource.STAFF,
                made_by="test",
                made_at=_AT,
            )
        )
    touch_register(session, {school_id})
    return timetable


def hold_exits(session: Session, school_id: int, day: date) -> None:
    """A term around that day, and the rule that exits are held."""
    session.add(
        Term(
            school_id=school_id,
            school_year=day.year,
            name="学期",
            starts_on=day - 30 * _DAY,
            ends_on=day + 90 * _DAY,
        )
    )
    session.add(AttendanceRules(school_id=school_id, holds_exits=True))
    touch_register(session, {school_id})


def add_slip(
    session: Session,
    school_id: int,
    student_id: int,
    from_at: datetime,
    until_at: datetime,
    state: LeaveState = LeaveState.APPROVED,
    *,
    lets_out: bool = True,
) -> LeaveSlip:
    """A leave slip, in whatever state."""
    slip = LeaveSlip(
        school_id=school_id,
        student_id=student_id,
        kind=LeaveKind.PERSONAL,
        from_at=from_at,
        until_at=until_at,
        lets_out=lets_out,
        needs_school=False,
        reason_sealed=b"",
        state=state,
        asked_by="test",
        asked_at=from_at,
    )
    session.add(slip)
    session.flush()
    touch_register(session, {school_id})
    return slip

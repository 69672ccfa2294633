"""One student's day: arrival, departure, every tap, and what the guardians were told."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Result, and_, select
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.school_time import bounds_of
from schema.messages import Decision, Refusal
from schema.tables.attendance import Attendance
from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from schema.tables.people import Guardian, Guardianship, Student
from schema.tables.readers import Direction, Reader
from schema.tables.school import Homeroom
from schema.tables.taps import DirectionBy, Effect, Tap


@dataclass(frozen=True)
class DayTap:
    """One tap of the day."""

    occurred_at: datetime
    received_at: datetime
    clock_suspect: bool
    reader: str
    place: str
    decision: Decision
    reason: Refusal | None
    direction: Direction | None
    direction_by: DirectionBy | None
    effect: Effect


@dataclass(frozen=True)
class DayMessage:
    """One message of the day; of the phone only the last digits."""

    created_at: datetime
    kind: MessageKind
    state: MessageState
    suppression: Suppression | None
    guardian: str
    relation: str | None
    phone_tail: str
    body: str
    error: str | None


@dataclass(frozen=True)
class StudentDay:
    """A student and one of their days; times are None while they have not happened."""

    student_id: int
    name: str
    number: str
    homeroom: str
    arrived_at: datetime | None
    departed_at: datetime | None
    late_minutes: int
    taps: list[DayTap]
    messages: list[DayMessage]


def read_student_day(
    session: Session, school_id: int, student_id: int, day: date, zone: ZoneInfo
) -> StudentDay:
    """The day in three queries. Raises AppError(NOT_FOUND) for another school's student."""
    row = session.execute(
        select(
            Student.name,
            Student.number,
            Homeroom.name,
            Attendance.arrived_at,
            Attendance.departed_at,
            Attendance.late_minutes,
        )
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .outerjoin(
            Attendance,
            and_(
                Attendance.school_id == school_id,
                Attendance.student_id == Student.id,
                Attendance.day == day,
            ),
        )
        .where(Student.school_id == school_id, Student.id == student_id)
    ).one_or_none()
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such student in this school.")
    name, number, homeroom, arrived_at, departed_at, late_minutes = row
    bounds = bounds_of(day, zone)
    return StudentDay(
        student_id,
        name,
        number,
        homeroom,
        arrived_at,
        departed_at,
        late_minutes or 0,
        _read_taps(session, school_id, student_id, bounds),
        _read_messages(session, school_id, student_id, bounds),
    )


def _read_taps(
    session: Session, school_id: int, student_id: int, bounds: tuple[datetime, datetime]
) -> list[DayTap]:
    found: Result[*tuple[Any, ...]] = session.execute(
        select(
            Tap.occurred_at,
            Tap.received_at,
            Tap.clock_suspect,
            Reader.name,
            Reader.place,
            Tap.decision,
            Tap.reason,
            Tap.direction,
            Tap.direction_by,
            Tap.effect,
        )
        .join(Reader, Reader.id == Tap.reader_id)
        .where(
            Tap.school_id == school_id,
            Tap.student_id == student_id,
            Tap.occurred_at >= bounds[0],
            Tap.occurred_at < bounds[1],
        )
        .order_by(Tap.occurred_at, Tap.id)
    )
    return [DayTap(*row) for row in found]


def _read_messages(
    session: Session, school_id: int, student_id: int, bounds: tuple[datetime, datetime]
) -> list[DayMessage]:
    found = session.execute(
        select(
            Message.created_at,
            Message.kind,
            Message.state,
            Message.suppression,
            Guardian.name,
            Guardianship.relation,
            Guardian.phone_tail,
            Message.body,
            Message.error,
        )
        .join(Guardian, Guardian.id == Message.guardian_id)
        .outerjoin(
            Guardianship,
            and_(
                Guardianship.guardian_id == Message.guardian_id,
                Guardianship.student_id == Message.student_id,
            ),
        )
        .where(
            Message.school_id == school_id,
            Message.student_id == student_id,
            Message.created_at >= bounds[0],
            Message.created_at < bounds[1],
        )
        .order_by(Message.created_at, Message.id)
    )
    return [DayMessage(*row) for row in found]

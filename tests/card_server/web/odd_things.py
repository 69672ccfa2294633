"""What days are, judged days and findings, written straight into a small school."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec
import uuid_utils
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan, SessionPlan
from card_server.attendance.rows import DayKey
from card_server.school_time import DISTRICT_ZONE, day_of
from schema.messages import Refusal
from schema.tables.attendance import DayPlanRow, Deadline
from schema.tables.calendar import DayKind, DayPart
from schema.tables.findings import PairKind, TapPair
from schema.tables.people import Student
from schema.tables.school import Homeroom
from tests.card_server.web.small_school import SmallSchool, add_tap, keep_day, make_day

MORNING = SessionPlan(1, "上午", DayPart.MORNING, 390, 450, 510, 700, 710)
AFTERNOON = SessionPlan(2, "下午", DayPart.AFTERNOON, 780, 840, 870, 1010, 1020)
BACK = SessionPlan(9, "返校", DayPart.EVENING, 0, 1110, 1170, 1440, 1440, is_return=True)
LESSONS = DayPlan(DayKind.LESSONS, (MORNING, AFTERNOON))


def add_plan(
    session: Session,
    school: SmallSchool,
    day: date,
    plan: DayPlan = LESSONS,
    rooms: Sequence[int] | None = None,
) -> None:
    """What a day is for these homerooms, or for all of the school."""
    for room in school.homerooms if rooms is None else rooms:
        session.merge(
            DayPlanRow(
                school_id=school.id,
                day=day,
                homeroom_id=room,
                plan=msgspec.json.encode(plan).decode(),
                made_at=datetime.now(UTC),
            )
        )
    session.flush()


def begin_day(session: Session, school: SmallSchool, day: date) -> None:
    """What the day is for every homeroom, as the clock keeps it when it begins."""
    rooms = session.scalars(select(Homeroom.id).where(Homeroom.school_id == school.id)).all()
    add_plan(session, school, day, rooms=rooms)


def add_deadline(
    session: Session,
    school: SmallSchool,
    day: date,
    due_at: datetime,
    waiting_for: str = "",
    position: int = 1,
) -> None:
    """A session that is to be judged, for every homeroom."""
    for room in school.homerooms:
        session.merge(
            Deadline(
                school_id=school.id,
                day=day,
                homeroom_id=room,
                position=position,
                due_at=due_at,
                judged_at=None,
                waiting_for=waiting_for,
            )
        )
    session.flush()


def add_day(
    session: Session, school: SmallSchool, student: int, day: date, **numbers: int | str
) -> None:
    """A student's judged day, and what it adds to the homeroom's counts; came unless absent."""
    student_id = school.students[student]
    room = session.scalars(select(Student.homeroom_id).where(Student.id == student_id)).one()
    came = not (numbers.get("absent") or numbers.get("on_leave")) or bool(numbers.get("present"))
    arrived_at = datetime.combine(day, datetime.min.time(), UTC) if came else None
    known = {"present": 2 if came else 0, **numbers}
    keep_day(session, make_day(DayKey(school.id, day, student_id), room, arrived_at, **known))


def add_pair(
    session: Session, school: SmallSchool, student: int, at: datetime, kind: PairKind
) -> UUID:
    """Two taps, twelve seconds apart."""
    later_id = UUID(str(uuid_utils.uuid7()))
    session.add(
        TapPair(
            school_id=school.id,
            later_id=later_id,
            kind=kind,
            student_id=school.students[student],
            at=at,
            seconds=12,
            earlier_reader_id=school.readers[0],
            later_reader_id=school.readers[1],
        )
    )
    session.flush()
    return later_id


def add_odd_things(session: Session, school: SmallSchool, student: int) -> None:
    """One of each finding of a student, yesterday and today."""
    now = datetime.now(UTC)
    today = day_of(now, DISTRICT_ZONE)
    begin_day(session, school, today)
    add_deadline(session, school, today, now - timedelta(hours=1), str(school.readers[0]))
    for back in range(1, 5):
        add_day(
            session,
            school,
            student,
            today - timedelta(days=back),
            late=1,
            late_minutes=3,
            findings="missed_exit forgotten_exit",
        )
    for kind in PairKind:
        add_pair(session, school, student, now - timedelta(hours=2), kind)
    for _ in range(3):
        add_tap(session, school, student, reason=Refusal.LOST)

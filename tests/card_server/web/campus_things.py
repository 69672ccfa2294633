"""Who is on campus, and an evacuation, written straight into a small school."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from card_server.school_time import day_of
from schema.tables.attendance import Correction, Deadline, Presence, SessionStatus
from schema.tables.calendar import DayPart, Timetable, TimetableSession
from schema.tables.evacuation import Evacuation, EvacuationStudent
from schema.tables.people import Student
from tests.card_server.web.small_school import SmallSchool


def add_presence(
    session: Session,
    school: SmallSchool,
    student: int,
    since_at: datetime | None = None,
    *,
    is_inside: bool = True,
    is_closed: bool = False,
    reader_id: int | None = None,
) -> Presence:
    """Where a student is, whatever was known before."""
    row = session.merge(
        Presence(
            school_id=school.id,
            student_id=school.students[student],
            homeroom_id=session.get_one(Student, school.students[student]).homeroom_id,
            is_inside=is_inside,
            since_at=since_at or datetime.now(UTC) - timedelta(hours=1),
            reader_id=school.readers[0] if reader_id is None else reader_id,
            is_closed=is_closed,
        )
    )
    session.flush()
    return row


def add_mark(
    session: Session,
    school: SmallSchool,
    student: int,
    made_at: datetime | None = None,
    *,
    position: int = 0,
    status: SessionStatus = SessionStatus.PRESENT,
    ended_at: datetime | None = None,
) -> None:
    """What a teacher said of a student's day: of the day of that moment in the school's zone."""
    at = made_at or datetime.now(UTC)
    session.add(
        Correction(
            school_id=school.id,
            student_id=school.students[student],
            day=day_of(at, ZoneInfo("Asia/Shanghai")),
            position=position,
            status=status,
            reason="没带卡",
            made_by="班老师",
            made_at=at,
            ended_at=ended_at,
        )
    )
    session.flush()


def add_timetable(session: Session, school: SmallSchool, starts_on: date) -> None:
    """Lessons in the morning, Monday to Friday."""
    timetable = Timetable(school_id=school.id, name="作息", starts_on=starts_on)
    session.add(timetable)
    session.flush()
    session.add_all(
        TimetableSession(
            timetable_id=timetable.id,
            weekday=weekday,
            position=1,
            name="上午",
            part=DayPart.MORNING,
            arrive_from=420,
            late_after=480,
            absent_after=510,
            leave_from=700,
            ends=720,
        )
        for weekday in range(1, 6)
    )
    session.flush()


def add_evacuation(
    session: Session,
    school: SmallSchool,
    students: Iterable[int],
    *,
    is_running: bool = True,
    found: Iterable[int] = (),
    at: datetime | None = None,
) -> Evacuation:
    """An evacuation with these students on its list, some of them found."""
    now = at or datetime.now(UTC) - timedelta(minutes=2)
    row = Evacuation(
        school_id=school.id,
        running_school_id=school.id if is_running else None,
        reason="消防演练",
        started_at=now,
        started_by="王老师",
        started_by_id=None,
        gates="[]",
        changed_at=now,
        ended_at=None if is_running else now + timedelta(minutes=1),
        ended_by="" if is_running else "王老师",
    )
    session.add(row)
    session.flush()
    for student in students:
        is_found = student in set(found)
        session.add(
            EvacuationStudent(
                evacuation_id=row.id,
                student_id=school.students[student],
                school_id=school.id,
                homeroom_id=session.get_one(Student, school.students[student]).homeroom_id,
                reader_id=school.readers[0],
                since_at=now - timedelta(hours=1),
                is_found=is_found,
                marked_at=now if is_found else None,
                marked_by="班老师" if is_found else "",
                received_at=now if is_found else None,
            )
        )
    session.flush()
    school.evacuations.append(row.id)
    return row


def add_to_evacuation(session: Session, school: SmallSchool, students: Iterable[int]) -> None:
    """These students are on campus, and on the list of the school's first evacuation."""
    for student in students:
        place = add_presence(session, school, student)
        session.add(
            EvacuationStudent(
                evacuation_id=school.evacuations[0],
                student_id=place.student_id,
                school_id=school.id,
                homeroom_id=place.homeroom_id,
                reader_id=place.reader_id,
                since_at=place.since_at,
            )
        )
    session.flush()


def add_waiting(session: Session, school: SmallSchool, days_ago: int) -> None:
    """A session of a day that waits for the first gate in the first homeroom."""
    due_at = datetime.now(UTC) - timedelta(days=days_ago, minutes=5)
    session.add(
        Deadline(
            school_id=school.id,
            day=due_at.date(),
            homeroom_id=school.homerooms[0],
            position=1,
            due_at=due_at,
            waiting_for=str(school.readers[0]),
        )
    )
    session.flush()

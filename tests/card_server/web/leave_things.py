"""Leave, corrections, exemptions and passages by hand, written straight into a small school."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from schema.tables.attendance import (
    Attendance,
    Correction,
    DayNote,
    Exemption,
    HandPassage,
    SessionStatus,
)
from schema.tables.leave import LeaveKind, LeaveSlip, LeaveState
from schema.tables.readers import Direction
from tests.card_server.web.small_school import SEAL, SmallSchool

_ZONE = ZoneInfo("Asia/Shanghai")
REASON = "发烧三十八度五"


def add_leave_things(
    session: Session, school: SmallSchool, student: int, made_by_id: int | None = None
) -> None:
    """One of each for a student: leave next week that waits, today's correction and passage."""
    now = datetime.now(UTC).replace(microsecond=0)
    student_id, today = school.students[student], now.astimezone(_ZONE).date()
    slip = make_slip(school, student, now + timedelta(days=7))
    correction = Correction(
        school_id=school.id,
        student_id=student_id,
        day=today,
        position=0,
        status=SessionStatus.PRESENT,
        reason="没带卡",
        made_by="班老师",
        made_at=now,
    )
    exemption = Exemption(
        school_id=school.id, student_id=student_id, from_on=today, reason="校队集训"
    )
    passage = make_passage(school, student, now, made_by_id)
    day_note = make_day_note(school, student, today, made_by_id)
    session.add_all([slip, correction, exemption, passage, day_note])
    session.flush()
    school.slips.append(slip.id)
    school.corrections.append(correction.id)
    school.day_notes.append(day_note.id)
    school.exemptions.append(exemption.id)
    school.passages.append(passage.id)


def add_marking(session: Session, school: SmallSchool, student: int) -> UUID:
    """By one click the student's whole homeroom was there today; the click's id."""
    now, marking_id = datetime.now(UTC), uuid4()
    student_id, today = school.students[student], now.astimezone(_ZONE).date()
    session.merge(
        Attendance(
            school_id=school.id,
            day=today,
            student_id=student_id,
            homeroom_id=school.homerooms[student % 2],
            late_minutes=0,
        )
    )
    session.add(
        Correction(
            school_id=school.id,
            student_id=student_id,
            day=today,
            position=1,
            status=SessionStatus.PRESENT,
            reason="读卡器坏了",
            made_by="班老师",
            made_at=now,
            marking_id=marking_id,
        )
    )
    return marking_id


def make_day_note(
    school: SmallSchool, student: int, day: date, made_by_id: int | None = None
) -> DayNote:
    """What the homeroom teacher heard of the mother."""
    return DayNote(
        school_id=school.id,
        student_id=school.students[student],
        day=day,
        body="已联系家长，十点到校",
        made_by="班老师",
        made_by_id=made_by_id,
        made_at=datetime.now(UTC),
    )


def make_slip(school: SmallSchool, student: int, begin: datetime, hours: int = 24) -> LeaveSlip:
    """A slip of some hours that waits for the homeroom teacher."""
    return LeaveSlip(
        school_id=school.id,
        student_id=school.students[student],
        kind=LeaveKind.SICK,
        from_at=begin,
        until_at=begin + timedelta(hours=hours),
        lets_out=False,
        needs_school=False,
        reason_sealed=SEAL.close(REASON),
        state=LeaveState.ASKED,
        asked_by="班老师",
        asked_at=begin - timedelta(days=8),
    )


def make_passage(
    school: SmallSchool, student: int, at: datetime, made_by_id: int | None = None
) -> HandPassage:
    """Let in by a guard who wrote it down."""
    return HandPassage(
        school_id=school.id,
        student_id=school.students[student],
        at=at,
        direction=Direction.IN,
        reason="忘带卡",
        made_by="门卫",
        made_by_id=made_by_id,
        made_at=at,
    )

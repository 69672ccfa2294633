"""September 2024 in a small school: judged days with one of everything that a sheet can show."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import uuid_utils
from sqlalchemy import update
from sqlalchemy.orm import Session

from card_server.attendance.plans import PlanKey, keep_plans, read_school
from card_server.attendance.refold import refold
from card_server.school_time import DISTRICT_ZONE
from schema.messages import Decision
from schema.tables.attendance import Correction, Deadline, SessionStatus
from schema.tables.calendar import CalendarEntry, DayKind, EntrySource
from schema.tables.leave import LeaveKind, LeaveState
from schema.tables.readers import Direction
from schema.tables.school import Term
from schema.tables.taps import DirectionBy, Effect, Tap
from tests.card_server.leave.leave_school import add_hours
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.small_school import SmallSchool

FIRST = date(2024, 9, 1)
MONDAY = date(2024, 9, 2)
TUESDAY = date(2024, 9, 3)
FESTIVAL = date(2024, 9, 17)
AFTER = datetime(2024, 10, 1, tzinfo=UTC)
_GOOD_DAY = ((7, 50, "in"), (11, 45, "out"), (13, 50, "in"), (17, 10, "out"))
_LATE_AND_EARLY = ((8, 6, "in"), (11, 45, "out"), (13, 50, "in"), (15, 0, "out"))


def add_month(session: Session, school: SmallSchool) -> int:
    """The month, judged; on its first Monday of the first homeroom's four one of each fate.

    The first student is in time; the second comes late and leaves early; the third is not there;
    the fourth is ill. On Tuesday the third had no card, and the teacher said so. The term's id.
    """
    term = Term(
        school_id=school.id,
        school_year=2024,
        name="秋季学期",
        starts_on=FIRST,
        ends_on=date(2025, 1, 17),
    )
    session.add(term)
    session.add(
        CalendarEntry(
            school_id=school.id,
            day=FESTIVAL,
            kind=DayKind.CLOSED,
            note="中秋节",
            source=EntrySource.STAFF,
            made_by="王老师",
            made_at=AFTER,
        )
    )
    add_hours(session, school.id, FIRST)
    _add_taps(session, school)
    _add_words(session, school)
    judge_month(session, school)
    return term.id


def judge_month(session: Session, school: SmallSchool) -> None:
    """Keep the month's plans and judge all of it, as if it were October."""
    session.flush()
    rules = read_school(session, school.id)
    days = [FIRST + timedelta(days=n) for n in range(30)]
    keys = [PlanKey(school.id, day, room) for day in days for room in school.homerooms]
    keep_plans(session, {school.id: rules}, keys, _moment(FIRST, 0, 0))
    session.execute(update(Deadline).where(Deadline.school_id == school.id).values(judged_at=AFTER))
    refold(session, school.id, school.students, FIRST, days[-1], AFTER)


def _add_taps(session: Session, school: SmallSchool) -> None:
    for hour, minute, way in _GOOD_DAY:
        _tap(session, school, 0, MONDAY, hour, minute, way)
        _tap(session, school, 0, TUESDAY, hour, minute, way)
    for hour, minute, way in _LATE_AND_EARLY:
        _tap(session, school, 2, MONDAY, hour, minute, way)


def _add_words(session: Session, school: SmallSchool) -> None:
    slip = make_slip(school, 6, _moment(MONDAY, 0, 0))
    slip.state = LeaveState.APPROVED
    slip.kind = LeaveKind.SICK
    slip.decided_by, slip.decided_at = "班老师", AFTER
    said = Correction(
        school_id=school.id,
        student_id=school.students[4],
        day=TUESDAY,
        position=0,
        status=SessionStatus.PRESENT,
        reason="忘带卡",
        made_by="班老师",
        made_at=AFTER,
    )
    session.add_all([slip, said])


def _tap(
    session: Session, school: SmallSchool, student: int, day: date, hour: int, minute: int, way: str
) -> None:
    at = _moment(day, hour, minute)
    session.add(
        Tap(
            school_id=school.id,
            id=UUID(str(uuid_utils.uuid7())),
            reader_id=school.readers[0 if way == "in" else 1],
            boot=1,
            seq=next(school.seq),
            uid=school.uids[student],
            student_id=school.students[student],
            tapped_at=at,
            sent_at=at,
            received_at=at,
            occurred_at=at,
            clock_suspect=False,
            decision=Decision.ADMITTED,
            reason=None,
            cards_version=7,
            direction=Direction(way),
            direction_by=DirectionBy.READER,
            effect=Effect.ARRIVAL if way == "in" else Effect.DEPARTURE,
        )
    )


def _moment(day: date, hour: int, minute: int) -> datetime:
    return datetime.combine(day, time(hour, minute), DISTRICT_ZONE).astimezone(UTC)

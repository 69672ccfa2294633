"""A school week with hours of its own, and leave in it, for the tests of leave slips."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from card_server.audit.writing import Actor
from card_server.leave import slips
from card_server.leave.wishes import Wish, read_wish
from schema.tables.calendar import DayPart, Timetable, TimetableSession
from schema.tables.leave import LeaveSlip
from schema.tables.school import Term
from tests.card_server.people.people_school import SEAL, ZONE

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""Monday, ten in the morning."""
MONDAY = date(2026, 11, 23)
TEACHER = Actor("staff", 7, "班老师", "")
HEAD = Actor("staff", 8, "校长", "")


def set_hours(session: Session, school_id: int) -> None:
    """Mornings and afternoons from Monday to Friday, in one term."""
    term = Term(
        school_id=school_id,
        school_year=2026,
        name="第一学期",
        starts_on=date(2026, 9, 1),
        ends_on=date(2027, 1, 22),
    )
    session.add(term)
    add_hours(session, school_id)


def add_hours(
    session: Session,
    school_id: int,
    starts_on: date = date(2026, 9, 1),
    weekdays: Iterable[int] = range(1, 6),
) -> None:
    """A timetable with mornings and afternoons, from Monday to Friday unless said otherwise."""
    table = Timetable(school_id=school_id, name="冬季", starts_on=starts_on)
    session.add(table)
    session.flush()
    for weekday in weekdays:
        for position, (name, part, start) in enumerate(
            (("上午", DayPart.MORNING, 8), ("下午", DayPart.AFTERNOON, 14)), 1
        ):
            session.add(
                TimetableSession(
                    timetable_id=table.id,
                    weekday=weekday,
                    position=position,
                    name=name,
                    part=part,
                    arrive_from=start * 60 - 60,
                    late_after=start * 60,
                    absent_after=start * 60 + 30,
                    leave_from=start * 60 + 180,
                    ends=start * 60 + 200,
                )
            )
    session.flush()


def by_teacher(school_id: int, now: datetime = NOW) -> slips.Doing:
    """The homeroom teacher, now."""
    return slips.Doing(TEACHER, school_id, ZONE, now)


def by_school(school_id: int, now: datetime = NOW) -> slips.Doing:
    """Somebody who speaks for the school, now."""
    return slips.Doing(HEAD, school_id, ZONE, now, is_school=True)


def wish(**typed: str) -> Wish:
    """Sick leave today, or as typed."""
    form = {"kind": "sick", "from_on": "2026-11-23", "reason": "发烧", **typed}
    return read_wish(form, ZONE, NOW)


def ask(session: Session, school_id: int, student_id: int, **typed: str) -> LeaveSlip:
    """A slip that the homeroom teacher wrote."""
    return slips.ask(session, by_teacher(school_id), student_id, wish(**typed), SEAL)

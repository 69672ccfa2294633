"""A change counts for days that nobody judged, and never for the others."""

from datetime import date, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan, SessionPlan
from card_server.attendance.plans import CLOSING
from card_server.audit.writing import SYSTEM
from card_server.calendar.entries import read_settings, say
from card_server.calendar.kept import homerooms_that_differ
from card_server.calendar.plan import BOARDERS_POSITION
from card_server.calendar.reading import plans_for, read_calendar
from schema.tables.attendance import DayPlanRow, Deadline
from schema.tables.calendar import DayKind
from tests.card_server.calendar.conftest import NOW, TODAY, DatedSchool, date_school
from tests.card_server.people.people_school import make_people_school

_YESTERDAY, _TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
_SNOW = {"day": str(TODAY), "kind": "closed", "note": "暴雪停课"}


def keep(session: Session, school: DatedSchool, day: date, *, is_judged: bool = False) -> None:
    """Write a day down as its first moment does, with a deadline for each homeroom."""
    for homeroom_id, plan in plans_for(session, school.id, day, school.homerooms).items():
        encoded = msgspec.json.encode(plan).decode()
        key = {"school_id": school.id, "day": day, "homeroom_id": homeroom_id}
        session.add(DayPlanRow(**key, plan=encoded, made_at=NOW))
        session.add(Deadline(**key, position=1, due_at=NOW, judged_at=NOW if is_judged else None))
    session.flush()


def plans(session: Session, school: DatedSchool, day: date) -> list[DayPlan]:
    wanted = select(DayPlanRow.plan).where(DayPlanRow.school_id == school.id, DayPlanRow.day == day)
    return [msgspec.json.decode(one, type=DayPlan) for one in session.scalars(wanted)]


def kinds(session: Session, school: DatedSchool, day: date) -> set[DayKind]:
    return {one.kind for one in plans(session, school, day)}


def sessions(session: Session, school: DatedSchool, day: date) -> tuple[SessionPlan, ...]:
    """Those of the day, which all homerooms share."""
    [same] = set(plans(session, school, day))
    return same.sessions


def test_a_snow_day_said_in_the_morning_counts(opened: Session, dated: DatedSchool) -> None:
    other = date_school(opened, make_people_school(opened, "no2"))
    keep(opened, dated, _YESTERDAY)
    keep(opened, dated, TODAY)
    keep(opened, other, TODAY)
    assert say(opened, SYSTEM, dated.id, read_settings(_SNOW), NOW).stays == []
    assert kinds(opened, dated, TODAY) == {DayKind.CLOSED}
    assert kinds(opened, dated, _YESTERDAY) == kinds(opened, other, TODAY) == {DayKind.LESSONS}
    wanted = select(Deadline.day, Deadline.position).where(Deadline.school_id == dated.id)
    # Boarders who went home are back for tomorrow's lessons.
    assert {tuple(row) for row in opened.execute(wanted)} == {
        (_YESTERDAY, 1),
        (TODAY, CLOSING),
        (TODAY, BOARDERS_POSITION),
    }


def test_what_is_judged_stays_and_is_named(opened: Session, dated: DatedSchool) -> None:
    keep(opened, dated, TODAY, is_judged=True)
    keep(opened, dated, _TOMORROW)
    assert say(opened, SYSTEM, dated.id, read_settings(_SNOW), NOW).stays == [TODAY]
    assert [one.position for one in sessions(opened, dated, TODAY)] == [1]
    assert kinds(opened, dated, _TOMORROW) == {DayKind.LESSONS}


def test_who_looks_at_a_day_is_told_where_it_would_be_another_one(
    opened: Session, dated: DatedSchool
) -> None:
    def differing(day: date) -> list[int] | None:
        calendar = read_calendar(opened, dated.id, day, day)
        return homerooms_that_differ(opened, dated.id, day, calendar)

    assert differing(_YESTERDAY) is None
    keep(opened, dated, _YESTERDAY, is_judged=True)
    keep(opened, dated, TODAY)
    typed = {"day": str(_YESTERDAY), "kind": "closed", "grades": "9"}
    say(opened, SYSTEM, dated.id, read_settings(typed), NOW + timedelta(days=1))
    assert differing(_YESTERDAY) == [dated.homerooms[2]]
    assert differing(TODAY) == []

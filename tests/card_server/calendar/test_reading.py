"""Plans come from the tables in a number of queries that does not grow."""

from datetime import date, timedelta

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.calendar.entries import read_settings, say
from card_server.calendar.reading import plans_between, plans_for
from card_server.calendar.timetables import TimetableSettings, add_timetable
from schema.tables.attendance import AttendanceRules
from schema.tables.calendar import DayKind
from tests.card_server.calendar.conftest import NOW, TODAY, DatedSchool, date_school
from tests.card_server.people.people_school import make_people_school


def test_a_day_is_as_the_tables_say(opened: Session, dated: DatedSchool) -> None:
    plans = plans_for(opened, dated.id, TODAY, dated.homerooms)
    assert plans.keys() == set(dated.homerooms)
    plan = plans[dated.homerooms[0]]
    assert plan.kind is DayKind.LESSONS
    assert [(one.position, one.name, one.late_after) for one in plan.sessions] == [
        (1, "上午", 460),
        (2, "下午", 830),
    ]
    saturday = date(2025, 9, 27)
    typed = {"day": "2025-09-27", "kind": "lessons", "weekday": "1", "grades": "9"}
    say(opened, SYSTEM, dated.id, read_settings(typed), NOW)
    plans = plans_for(opened, dated.id, saturday, dated.homerooms)
    kinds = [plans[one].kind for one in dated.homerooms]
    assert kinds == [DayKind.CLOSED, DayKind.CLOSED, DayKind.LESSONS]


def test_schools_do_not_see_each_others_calendars(opened: Session, dated: DatedSchool) -> None:
    other = date_school(opened, make_people_school(opened, "no2"))
    say(opened, SYSTEM, other.id, read_settings({"day": str(TODAY), "kind": "closed"}), NOW)
    own = plans_for(opened, dated.id, TODAY, dated.homerooms)
    assert {one.kind for one in own.values()} == {DayKind.LESSONS}
    assert plans_for(opened, dated.id, TODAY, other.homerooms) == {}


def test_one_days_plan_knows_its_neighbours(opened: Session, dated: DatedSchool) -> None:
    """What was read for one day alone says the same of it as what was read for all of them."""
    for typed in (
        {"day": "2025-09-28", "kind": "lessons", "weekday": "1"},
        {"day": "2025-10-01", "until": "2025-10-08", "kind": "closed"},
    ):
        say(opened, SYSTEM, dated.id, read_settings(typed), NOW)
    first, last, backs = date(2025, 9, 22), date(2025, 10, 20), {}
    for weekday in (7, 1):
        settle(opened, dated, weekday)
        of_all = plans_between(opened, dated.id, first, last, dated.homerooms)
        for day, plans in of_all.items():
            assert plans_for(opened, dated.id, day, dated.homerooms) == plans, day
        backs[weekday] = [
            f"{day:%m-%d}"
            for day, plans in of_all.items()
            if any(one.is_return for one in plans[dated.homerooms[0]].sessions)
        ]
    assert backs[7] == ["09-27", "10-08", "10-12", "10-19"]
    assert backs[1] == ["09-22", "09-29", "10-09", "10-13", "10-20"]


def settle(session: Session, school: DatedSchool, weekday: int) -> None:
    """Let boarders be back on this weekday."""
    found = session.get(AttendanceRules, school.id)
    if found is None:
        found = AttendanceRules(school_id=school.id)
        session.add(found)
    found.boarders_weekday = weekday
    session.flush()


def test_a_month_of_many_homerooms_asks_no_more_than_a_day_of_one(
    opened: Session, dated: DatedSchool, calendar_engine: Engine
) -> None:
    for month in range(1, 9):
        wanted = TimetableSettings(f"表{month}", date(2025, month, 1))
        add_timetable(opened, SYSTEM, dated.id, wanted, NOW)
    opened.flush()
    asked: list[str] = []

    def count(*values: object) -> None:
        asked.append(str(values[2]))

    event.listen(calendar_engine, "before_cursor_execute", count)
    plans_for(opened, dated.id, TODAY, dated.homerooms[:1])
    once = len(asked)
    last = TODAY + timedelta(days=60)
    found = plans_between(opened, dated.id, TODAY, last, dated.homerooms)
    assert len(asked) == 2 * once
    assert once <= 6
    assert len(found) == 61
    assert all(len(one) == 3 for one in found.values())

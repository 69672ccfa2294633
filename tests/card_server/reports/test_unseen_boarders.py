"""A boarder whose exit was missed before the weekend is named, once everybody had to be back."""

from collections.abc import Iterator
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from sqlalchemy.orm import Session

from card_server.calendar.plan import Entry
from card_server.reports.on_campus import Boards, Part, Wanted, count_inside, list_inside
from card_server.reports.unseen_boarders import lessons_ended
from card_server.storage.database import open_engine, open_sessions
from schema.tables.calendar import DayKind
from schema.tables.people import Boarding
from tests.card_server.calendar.days import AFTERNOON, MORNING, SENIOR, calendar, hours
from tests.card_server.web.campus_things import add_presence, add_timetable
from tests.card_server.web.small_school import SmallSchool, make_school

ZONE = ZoneInfo("Asia/Shanghai")


def at(written: str) -> datetime:
    """A moment of 2025 by the school's wall clock: 10-12 18:30."""
    day, clock = written.split()
    return datetime.combine(date.fromisoformat(f"2025-{day}"), time.fromisoformat(clock), ZONE)


@pytest.mark.parametrize(
    ("weekday", "now", "ended"),
    [
        # 周日 18:30 返校，周五 16:40 放学
        (7, "09-21 18:29", "09-12 16:40"),
        (7, "09-21 18:30", "09-19 16:40"),
        (7, "09-24 10:00", "09-19 16:40"),
        (7, "09-27 12:00", "09-19 16:40"),
        # 国庆节：9月30日放学，10月8日返校
        (7, "10-05 20:00", "09-26 16:40"),
        (7, "10-08 18:30", "09-30 16:40"),
        # 周一返校
        (1, "09-22 18:29", "09-12 16:40"),
        (1, "09-22 18:30", "09-19 16:40"),
        # 周三返校：前一天有课
        (3, "09-24 18:30", None),
    ],
)
def test_it_is_asked_since_which_lessons_nothing_was_seen(
    weekday: int, now: str, ended: str | None
) -> None:
    holidays = [Entry(n, date(2025, 10, n), DayKind.CLOSED) for n in range(1, 9)]
    make_up = Entry(20, date(2025, 9, 28), DayKind.LESSONS, weekday=1)
    timetable = hours(1, date(2025, 9, 1), MORNING, AFTERNOON)
    found = replace(calendar(*holidays, make_up, timetables=[timetable]), boarders_weekday=weekday)
    expected = None if ended is None else at(ended)
    assert lessons_ended(found, SENIOR, at(now), ZONE) == expected


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine = open_engine(database_url)
    with open_sessions(engine)() as session:
        yield session
    engine.dispose()


@pytest.fixture
def school(session: Session) -> SmallSchool:
    made = make_school(session)
    add_timetable(session, made, date(2026, 9, 1))
    return made


def test_who_was_not_seen_since_friday_is_named_from_the_return_on(
    session: Session, school: SmallSchool
) -> None:
    """The first two board; the third is a day student, the fourth came back on Sunday."""
    friday, sunday = datetime(2026, 11, 20, 7, 10, tzinfo=ZONE), "2026-11-22T"
    for student in (0, 1, 3):
        session.add(
            Boarding(
                school_id=school.id, student_id=school.students[student], from_on=date(2026, 9, 1)
            )
        )
    evening = datetime.fromisoformat(f"{sunday}17:55:00+08:00")
    for student, since in ((0, friday), (1, evening), (2, friday), (3, friday)):
        add_presence(session, school, student, since, is_inside=student != 3)
    session.flush()
    wanted = Wanted(boards=Boards.UNSEEN)

    def named(clock: str) -> list[str]:
        now = datetime.fromisoformat(f"{sunday}{clock}:00+08:00")
        found = list_inside(session, school.id, wanted, now, Part(limit=50))
        assert count_inside(session, school.id, wanted, now) == len(found)
        return [one.name for one in found]

    assert named("18:00") == []
    assert named("18:30") == ["张三"]
    add_presence(session, school, 0, evening)
    assert named("19:00") == []

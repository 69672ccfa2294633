"""Minutes of the day are the wall clock's, also on days when it is put forward or back."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from card_server.attendance.day_clock import clock_of
from card_server.attendance.facts import DayPlan
from card_server.school_time import day_of
from schema.tables.calendar import DayKind
from tests.card_server.attendance.day_text import facts, minute, session, sessions_of

BERLIN, HAVANA, SAO_PAULO, LORD_HOWE, BEIRUT, SHANGHAI = (
    ZoneInfo(name)
    for name in (
        "Europe/Berlin",
        "America/Havana",
        "America/Sao_Paulo",
        "Australia/Lord_Howe",
        "Asia/Beirut",
        "Asia/Shanghai",
    )
)
DAYS = [
    (SHANGHAI, date(2026, 9, 3)),
    (SHANGHAI, date(1988, 4, 17)),
    (BERLIN, date(2026, 3, 29)),
    (BERLIN, date(2026, 10, 25)),
    (HAVANA, date(2026, 3, 8)),
    (HAVANA, date(2026, 11, 1)),
    (SAO_PAULO, date(2018, 11, 4)),
    (SAO_PAULO, date(2019, 2, 16)),
    (LORD_HOWE, date(2026, 4, 5)),
    (LORD_HOWE, date(2026, 10, 4)),
    (BEIRUT, date(2025, 10, 25)),
    (BEIRUT, date(2025, 10, 26)),
    (BEIRUT, date(2026, 3, 29)),
]


@pytest.mark.parametrize(("zone", "day"), DAYS)
def test_a_minute_is_the_first_moment_that_shows_it_or_a_later_one(
    zone: ZoneInfo, day: date
) -> None:
    clock = clock_of(day, zone)
    shown = [
        (moment, local.hour * 60 + local.minute)
        for moment in range(0, clock.length_s, 60)
        if (local := clock.moment_at(moment).astimezone(zone)).date() == day
    ]
    assert len(shown) == clock.length_s // 60
    for wanted in range(0, 1440, 5):
        first = next((at for at, minute_ in shown if minute_ >= wanted), clock.length_s)
        assert clock.second_of(wanted) == first, wanted
    assert clock.second_of(1440) == clock.length_s


@pytest.mark.parametrize(("zone", "day"), DAYS)
def test_a_days_seconds_begin_and_end_with_the_day(zone: ZoneInfo, day: date) -> None:
    clock = clock_of(day, zone)
    assert day_of(clock.moment_at(0), zone) == day
    assert day_of(clock.moment_at(-1), zone) == day - timedelta(days=1)
    assert day_of(clock.moment_at(clock.length_s - 1), zone) == day
    assert day_of(clock.moment_at(clock.length_s), zone) == day + timedelta(days=1)
    moment = datetime.combine(day, time(15, 30), zone)
    assert clock.seconds_to(moment) == clock.second_of(minute("15:30"))
    assert clock.seconds_to(moment.astimezone(UTC)) == clock.second_of(minute("15:30"))


@pytest.mark.parametrize(
    ("zone", "day"),
    [*DAYS, (ZoneInfo("Asia/Urumqi"), date(2026, 9, 3)), (BERLIN, date(2026, 7, 1))],
)
def test_in_time_is_by_the_wall_clock_in_every_zone(zone: ZoneInfo, day: date) -> None:
    plan = DayPlan(DayKind.LESSONS, (session(1, "06:30 08:00 08:30 11:30 11:40"),))
    for taps, told in (
        ("in 08:00:59 out 11:30", "present"),
        ("in 08:10 out 11:29", "late 10 early 1"),
        ("tap 08:31 tap 11:40", "absent 31"),
    ):
        assert sessions_of(facts(taps, plan, day=day, zone=zone)) == told


def test_late_is_by_minutes_that_passed_where_the_clock_is_put_back_in_between() -> None:
    night = DayPlan(DayKind.LESSONS, (session(1, "00:00 01:00 05:00 06:00 06:00"),))
    autumn = facts("in 03:30", night, day=date(2026, 10, 25), zone=BERLIN)
    assert sessions_of(autumn) == "late 210"
    spring = facts("in 03:30", night, day=date(2026, 3, 29), zone=BERLIN)
    assert sessions_of(spring) == "late 90"

"""On which days boarders are expected back: the state's calendar, and rules schools published."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from card_server.calendar.plan import BOARDERS_NAME, Calendar, Entry, Room, TermDays, plan_day
from card_server.calendar.state_days import StateKind, state_days
from schema.tables.calendar import DayKind
from tests.card_server.calendar.days import EVENING, JUNIOR, SENIOR, calendar, hours

LESSONS, CLOSED = DayKind.LESSONS, DayKind.CLOSED


def the_states_year(year: int, weekday: int, *others: Entry) -> Calendar:
    """A school that does as the state says, with its boarders back on this weekday."""
    entries = [
        Entry(n, one.day, LESSONS if one.kind is StateKind.MAKE_UP else CLOSED, weekday=5)
        for n, one in enumerate(state_days(year), 1)
    ]
    return replace(calendar(*entries, *others), boarders_weekday=weekday)


def returns(found: Calendar, first: date, last: date, room: Room = SENIOR) -> list[date]:
    """The days between these on which boarders are expected back."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [
        day for day in days if any(one.is_return for one in plan_day(found, day, room).sessions)
    ]


MOVED_2025 = {
    # 元旦：周三放假一天
    "01-01": True,
    # 春节：1月26日（周日）补班，1月28日至2月4日放假
    "01-25": True, "01-26": False, "02-02": False, "02-04": True,
    # 劳动节：4月27日（周日）补班，5月1日至5日放假
    "04-26": True, "04-27": False, "05-04": False, "05-05": True,
    # 端午节：5月31日（周六）至6月2日（周一）放假
    "06-01": False, "06-02": True,
    # 国庆节：9月28日（周日）补班，10月1日至8日放假
    "09-27": True, "09-28": False, "10-05": False, "10-08": True,
}  # fmt: skip
"""Days of 2025 with a return though they are no Sunday, and Sundays without one."""


@pytest.mark.parametrize("weekday", [6, 7])
def test_boarders_return_on_the_last_day_before_lessons_all_through_2025(weekday: int) -> None:
    year = date(2025, 1, 1), date(2025, 12, 30)
    expected = [
        day
        for n in range((year[1] - year[0]).days + 1)
        if MOVED_2025.get(f"{(day := year[0] + timedelta(days=n)):%m-%d}", day.isoweekday() == 7)
    ]
    assert returns(the_states_year(2025, weekday), *year) == expected


@pytest.mark.parametrize(
    ("weekday", "first", "last", "expected"),
    [
        # 周一早上返校：放假后第一个上课日
        (1, "2025-09-15", "2025-10-14", "09-15 09-22 09-29 10-09 10-13"),
        (1, "2025-04-20", "2025-05-13", "04-21 04-28 05-06 05-12"),
        (1, "2025-05-30", "2025-06-10", "06-03 06-09"),
        (1, "2024-12-30", "2025-01-06", "12-30 01-06"),
        # Before a holiday nobody returns: Tuesday, 30 September.
        (2, "2025-09-15", "2025-10-15", "09-16 09-23 10-09 10-14"),
        (3, "2025-09-15", "2025-10-15", "09-17 09-24 10-09 10-15"),
    ],
)
def test_who_returns_on_a_school_day_returns_on_the_first_from_then_on(
    weekday: int, first: str, last: str, expected: str
) -> None:
    found = the_states_year(2025, weekday)
    if first < "2025":
        found = replace(found, entries=[*found.entries, Entry(99, date(2024, 12, 31), LESSONS)])
    days = returns(found, date.fromisoformat(first), date.fromisoformat(last))
    assert " ".join(f"{one:%m-%d}" for one in days) == expected


# fmt: off
PUBLISHED_RETURNS = [
    # 10月8日（周三）返校，10月9日（周四）上课：返校时间 18:30
    ("National Day until 8 October", [], "2025-10-01", "2025-10-10", "10-08", "10-08"),
    # 10月11日（周六）高三补课，12日休息；其他年级周末不变
    ("a make-up Saturday of one grade", [Entry(99, date(2025, 10, 11), CLOSED, frozenset({10}))],
     "2025-10-09", "2025-10-13", "10-12", "10-12"),
    # 高三10月6日提前开学，其他年级10月9日
    ("one grade begins earlier",
     [Entry(90 + n, date(2025, 10, 6 + n), LESSONS, frozenset({12})) for n in range(3)],
     "2025-10-01", "2025-10-12", "10-05 10-12", "10-08 10-12"),
    # 校庆：周五停课，周六上周五的课
    ("an anniversary on a Friday, its lessons on Saturday",
     [Entry(98, date(2025, 10, 24), CLOSED), Entry(99, date(2025, 10, 25), LESSONS, weekday=5)],
     "2025-10-20", "2025-10-27", "10-24 10-26", "10-24 10-26"),
    # 大小周：10月18日（周六）上课，只休周日
    ("a short weekend", [Entry(99, date(2025, 10, 18), LESSONS)],
     "2025-10-13", "2025-10-20", "10-19", "10-19"),
    # 周日晚自习：返校当晚上晚自习
    ("evening study on Sunday", [Entry(99, date(2025, 10, 19), LESSONS, timetable_id=7)],
     "2025-10-13", "2025-10-20", "10-19", "10-19"),
    # 周日全天上课：周六返校
    ("lessons on Sunday", [Entry(99, date(2025, 10, 19), LESSONS, weekday=1)],
     "2025-10-13", "2025-10-20", "10-18", "10-18"),
]
# fmt: on


@pytest.mark.parametrize(
    ("entries", "first", "last", "senior", "junior"), [one[1:] for one in PUBLISHED_RETURNS],
    ids=[one[0] for one in PUBLISHED_RETURNS],
)  # fmt: skip
def test_returns_by_rules_that_schools_have_published(
    entries: list[Entry], first: str, last: str, senior: str, junior: str
) -> None:
    evening = hours(7, date(2025, 9, 1), EVENING, weekdays=[7], is_special=True)
    found = the_states_year(2025, 7, *entries)
    found = replace(found, timetables=[*found.timetables, evening])
    for room, expected in ((SENIOR, senior), (JUNIOR, junior)):
        days = returns(found, date.fromisoformat(first), date.fromisoformat(last), room)
        assert " ".join(f"{one:%m-%d}" for one in days) == expected
    for day in days:
        back = plan_day(found, day, JUNIOR).sessions[-1]
        assert (back.name, back.late_after, back.absent_after) == (BOARDERS_NAME, 1110, 1140)


def test_the_evening_before_a_term_is_one_of_return_and_no_other_day_of_the_holidays() -> None:
    terms = (
        TermDays(date(2025, 2, 17), date(2025, 7, 4)),
        TermDays(date(2025, 9, 1), date(2026, 1, 23)),
    )
    found = replace(the_states_year(2025, 7), terms=terms)
    assert returns(found, date(2025, 1, 1), date(2025, 2, 20)) == [date(2025, 2, 16)]
    assert returns(found, date(2025, 6, 28), date(2025, 9, 2)) == [
        date(2025, 6, 29),
        date(2025, 8, 31),
    ]
    eve = plan_day(found, date(2025, 8, 31), SENIOR)
    assert (eve.kind, [one.name for one in eve.sessions]) == (CLOSED, [BOARDERS_NAME])
    # 9月1日（周一）开学典礼改到周二：周一晚返校
    later = replace(found, entries=[*found.entries, Entry(99, date(2025, 9, 1), CLOSED)])
    assert returns(later, date(2025, 8, 25), date(2025, 9, 3)) == [date(2025, 9, 1)]
    on_monday = replace(later, boarders_weekday=1)
    assert returns(on_monday, date(2025, 8, 25), date(2025, 9, 7)) == [date(2025, 9, 2)]

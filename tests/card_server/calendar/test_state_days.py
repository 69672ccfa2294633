"""The package knows the State Council's notices of 2024 and 2025, day by day."""

from datetime import date, timedelta

import pytest

from card_server.calendar.state_days import (
    StateKind,
    is_known,
    state_day,
    state_days,
)

NOTICES = {
    # 国办发明电〔2023〕7号
    2024: {
        "元旦": ("01-01 01-01", ""),
        "春节": ("02-10 02-17", "02-04 02-18"),
        "清明节": ("04-04 04-06", "04-07"),
        "劳动节": ("05-01 05-05", "04-28 05-11"),
        "端午节": ("06-10 06-10", ""),
        "中秋节": ("09-15 09-17", "09-14"),
        "国庆节": ("10-01 10-07", "09-29 10-12"),
    },
    # 国办发明电〔2024〕12号
    2025: {
        "元旦": ("01-01 01-01", ""),
        "春节": ("01-28 02-04", "01-26 02-08"),
        "清明节": ("04-04 04-06", ""),
        "劳动节": ("05-01 05-05", "04-27"),
        "端午节": ("05-31 06-02", ""),
        "国庆节": ("10-01 10-08", "09-28 10-11"),
    },
}
"""By holiday: its first and last day off, and its make-up days."""


def written(year: int) -> dict[date, StateKind]:
    """Each day of a notice."""
    found: dict[date, StateKind] = {}
    for off, made_up in NOTICES[year].values():
        first, last = (date.fromisoformat(f"{year}-{one}") for one in off.split())
        for n in range((last - first).days + 1):
            found[first + timedelta(days=n)] = StateKind.HOLIDAY
        for one in made_up.split():
            found[date.fromisoformat(f"{year}-{one}")] = StateKind.MAKE_UP
    return found


@pytest.mark.parametrize("year", [2024, 2025])
def test_each_day_of_a_year_is_as_the_notice_says(year: int) -> None:
    expected = written(year)
    day, last = date(year, 1, 1), date(year, 12, 31)
    while day <= last:
        found = state_day(day)
        assert (found and found.kind) == expected.get(day), day
        day += timedelta(days=1)
    assert [one.day for one in state_days(year)] == sorted(expected)


def test_days_are_called_as_the_notice_calls_them() -> None:
    names = {one.name for one in state_days(2024)}
    assert names == set(NOTICES[2024])
    autumn = {one.day.day: one.name for one in state_days(2025) if one.day.month == 10}
    assert autumn[6] == "中秋节"
    assert autumn[1] == autumn[8] == autumn[11] == "国庆节"


def test_nothing_is_known_of_a_year_whose_notice_is_not_out() -> None:
    assert is_known(date(2025, 7, 1))
    assert not is_known(date(2003, 12, 31))
    assert not is_known(date(2090, 1, 1))
    assert state_day(date(2090, 10, 1)) is None
    assert state_days(2090) == []

"""The State Council's holidays and make-up days (节假日, 调休), as `chinesecalendar` tells them."""

from datetime import date, timedelta
from enum import StrEnum
from functools import cache

from msgspec import Struct


class StateKind(StrEnum):
    """What the state makes of a day that would be another one by its weekday."""

    HOLIDAY = "holiday"
    MAKE_UP = "make_up"
    """A Saturday or Sunday on which people work."""


class StateDay(Struct, frozen=True):
    """One day of a holiday's notice."""

    day: date
    kind: StateKind
    name: str
    """Of the holiday to which it belongs, in Chinese: 国庆节."""


_NAMES = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
    "Anti-Fascist 70th Day": "抗战胜利70周年纪念日",
}


def is_known(day: date) -> bool:
    """Whether the year's notice is out, and the package has it."""
    return _days_of(day.year) is not None


def state_day(day: date) -> StateDay | None:
    """What the state makes of a day; None for one that is as its weekday, or not known yet."""
    return (_days_of(day.year) or {}).get(day)


def state_days(year: int) -> list[StateDay]:
    """All of a year, in its order; none of a year that is not known yet."""
    return list((_days_of(year) or {}).values())


@cache
def _days_of(year: int) -> dict[date, StateDay] | None:
    """Kept, for the package looks through all of its years for each day that it is asked of.

    It is loaded here: its tables take 3 MB, and who judges taps by kept plans never asks.
    """
    import chinese_calendar

    first = date(year, 1, 1)
    try:
        chinese_calendar.is_workday(first)
    except NotImplementedError:
        return None
    days = [first + timedelta(days=n) for n in range((date(year, 12, 31) - first).days + 1)]
    details = {day: chinese_calendar.get_holiday_detail(day) for day in days}
    return {day: found for day, detail in details.items() if (found := _state_day(day, *detail))}


def _state_day(day: date, is_off: bool, name: str | None) -> StateDay | None:
    if name is None:
        return None
    kind = StateKind.HOLIDAY if is_off else StateKind.MAKE_UP
    return StateDay(day, kind, _NAMES.get(name, name))

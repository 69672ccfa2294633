"""Days, times and parts of a day as messages say them, in each of their languages."""

from datetime import date, datetime, time
from typing import Final

from schema.tables.calendar import DayPart
from schema.tables.people import Language

_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_PARTS: Final = {
    Language.CHINESE: {
        DayPart.MORNING: "上午",
        DayPart.AFTERNOON: "下午",
        DayPart.EVENING: "晚上",
    },
    Language.ENGLISH: {
        DayPart.MORNING: "morning",
        DayPart.AFTERNOON: "afternoon",
        DayPart.EVENING: "evening",
    },
}


def say_time(local: datetime) -> str:
    """07:31, of a moment in the school's zone."""
    return f"{local.hour:02}:{local.minute:02}"


def say_day(day: date, language: Language) -> str:
    """12月28日, 28 Dec."""
    if language is Language.CHINESE:
        return f"{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]}"


def say_moment(local: datetime, language: Language) -> str:
    """12月28日08:00, 28 Dec 08:00, of a moment in the school's zone; midnight is the day alone."""
    day = say_day(local.date(), language)
    if local.time() == time.min:
        return day
    return f"{day}{'' if language is Language.CHINESE else ' '}{say_time(local)}"


def say_part(part: DayPart, language: Language) -> str:
    """上午, morning."""
    return _PARTS[language][part]

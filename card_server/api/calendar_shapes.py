"""What the API answers about calendar, timetables and rules; times of the day are HH:MM."""

from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from card_server.api.shapes import Shape
from card_server.calendar.hours import write_minute
from card_server.calendar.state_days import StateKind
from schema.tables.calendar import DayKind, DayPart, EntrySource, ForWhom


def _clock(value: Any) -> Any:
    return write_minute(value) if isinstance(value, int) else value


def _numbers(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


Clock = Annotated[str, BeforeValidator(_clock), Field(description="HH:MM in the school's zone.")]
Points = Annotated[str, Field(description="Like 0.5.")]
Numbers = Annotated[list[int], BeforeValidator(_numbers)]
Parts = Annotated[list[DayPart], BeforeValidator(_numbers)]


class Entry(Shape):
    """What the school says of a day."""

    id: int
    day: date
    kind: DayKind
    grades: Numbers = Field(description="Empty for the whole school.")
    weekday: int | None = Field(description="Whose timetable applies, 1 for Monday.")
    parts: Parts = Field(description="Which parts take place; empty for all of the day.")
    timetable_id: int | None
    note: str
    source: EntrySource


class Entries(Shape):
    """The calendar's entries in force, by day."""

    items: list[Entry]


class Said(Shape):
    """What came of a change of the calendar."""

    items: list[Entry]
    stays: list[date] = Field(
        description="Days from today on that were judged in part already; that part stays."
    )


class Stays(Shape):
    """The days that a change does not touch any more."""

    stays: list[date] = Field(
        description="Days from today on that were judged in part already; that part stays."
    )


class SessionPlan(Shape):
    """One session of a day."""

    position: int
    name: str
    part: DayPart
    arrive_from: Clock
    late_after: Clock
    absent_after: Clock
    leave_from: Clock
    ends: Clock
    expects_entry: bool
    expects_exit: bool
    for_whom: ForWhom
    for_boarders: bool = Field(description="For boarders alone; the same as their `for_whom`.")
    is_return: bool = Field(description="The weekly return: boarders are judged by it.")


class Day(Shape):
    """What a day is for a homeroom, by what calendar and timetables say now."""

    day: date
    kind: DayKind
    note: str
    is_unsure: bool = Field(description="Nobody has settled it: the weekday alone decided.")
    sessions: list[SessionPlan]


class Days(Shape):
    """A homeroom's days, in their order."""

    items: list[Day]


class Proposal(Shape):
    """A day of the state's calendar."""

    day: date
    kind: StateKind
    name: str
    is_settled: bool = Field(description="Whether the school has said what it makes of it.")


class Proposals(Shape):
    """The state's holidays and make-up days of a year; none of a year that is not known yet."""

    is_known: bool
    items: list[Proposal]


class SessionHours(Shape):
    """One session of a timetable's weekday."""

    weekday: int = Field(description="1 for Monday.")
    position: int
    name: str
    part: DayPart
    arrive_from: Clock
    late_after: Clock
    absent_after: Clock
    leave_from: Clock
    ends: Clock
    expects_entry: bool
    expects_exit: bool
    for_whom: ForWhom = Field(description="Nothing is expected in it of anybody else.")


class Timetable(Shape):
    """A timetable, with the sessions of each weekday."""

    id: int
    name: str
    starts_on: date
    ends_on: date | None = Field(description="Null: until another one begins.")
    grades: Numbers = Field(description="Empty for the whole school.")
    homerooms: Numbers = Field(description="Ids; these go before grades.")
    is_special: bool = Field(description="Only for days of the calendar that name it.")
    sessions: list[SessionHours]


class Timetables(Shape):
    """The timetables in use."""

    items: list[Timetable]


class Rules(Shape):
    """What a school has settled for its attendance."""

    closes: Clock
    boarders_weekday: int = Field(description="1 for Monday to 7 for Sunday.")
    boarders_by: Clock
    leave_days: int
    holds_exits: bool
    late_points: Points
    early_points: Points
    absent_points: Points

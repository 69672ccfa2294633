"""What the API takes about calendar, timetables and rules; times of the day are HH:MM."""

from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool

from card_server.api.inputs import Day, RowId, SentGrade, SentId, Taken, storable
from schema.tables.calendar import DayKind, DayPart, ForWhom

_NO_NUL = {"pattern": r"^[^\u0000]*$"}
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="HH:MM.")]
_Grades = Annotated[list[SentGrade], Field(max_length=12)]
_Weekday = Annotated[int, Field(strict=True, ge=1, le=7)]
_Ids = Annotated[list[SentId], Field(max_length=40)]
_Name = Annotated[
    str, Field(min_length=1, max_length=40, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_SessionName = Annotated[
    str, Field(min_length=1, max_length=20, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_Note = Annotated[str, Field(max_length=120, json_schema_extra=_NO_NUL), AfterValidator(storable)]
_Year = Annotated[int, Field(ge=2000, le=2100)]
_Points = Annotated[str, Field(pattern=r"^([0-9]|[1-9][0-9])(\.[0-9])?$", description="Like 0.5.")]


class DaysQuery(Taken):
    """From which day to which; at most 400 days from the first on."""

    first: Day
    last: Day


class EntryPath(Taken):
    """Which entry of the calendar."""

    entry_id: RowId


class NewEntry(Taken):
    """What is said of a day, or of each day until another one."""

    day: Day
    until: Day | None = None
    kind: DayKind
    grades: _Grades = []
    weekday: _Weekday | None = None
    parts: Annotated[list[DayPart], Field(max_length=3)] = []
    timetable_id: SentId | None = None
    note: _Note = ""


class YearQuery(Taken):
    """Of which calendar year."""

    year: _Year


class Choice(Taken):
    """What the school makes of one day of the state's calendar."""

    day: Day
    is_accepted: StrictBool
    weekday: _Weekday | None = None


class Choices(Taken):
    """What the school makes of some days of the state's calendar."""

    choices: Annotated[list[Choice], Field(min_length=1, max_length=60)]


class TimetablePath(Taken):
    """Which timetable."""

    timetable_id: RowId


class NewTimetable(Taken):
    """A timetable to be made, without hours or with those of another one."""

    name: _Name
    starts_on: Day
    ends_on: Day | None = None
    grades: _Grades = []
    homerooms: _Ids = []
    is_special: StrictBool = False
    copy_from: SentId | None = None


class TimetableChange(Taken):
    """A timetable's name, days, and for whom it is; `ends_on` may become null."""

    name: _Name | None = None
    starts_on: Day | None = None
    ends_on: Day | None = None
    grades: _Grades | None = None
    homerooms: _Ids | None = None
    is_special: StrictBool | None = None


class SessionHours(Taken):
    """One session of a weekday."""

    name: _SessionName
    part: DayPart
    arrive_from: Clock
    late_after: Clock
    absent_after: Clock
    leave_from: Clock
    ends: Clock
    expects_entry: StrictBool = True
    expects_exit: StrictBool = True
    for_whom: ForWhom = ForWhom.EVERYBODY


class WeekdayHours(Taken):
    """The same sessions for some weekdays; none is a day without."""

    weekdays: Annotated[list[_Weekday], Field(min_length=1, max_length=7)]
    sessions: Annotated[list[SessionHours], Field(max_length=6)]


class RulesChange(Taken):
    """What a school settles for its attendance; what is left out stays."""

    closes: Clock | None = None
    boarders_weekday: _Weekday | None = None
    boarders_by: Clock | None = None
    leave_days: Annotated[int, Field(strict=True, ge=1, le=30)] | None = None
    holds_exits: StrictBool | None = None
    late_points: _Points | None = None
    early_points: _Points | None = None
    absent_points: _Points | None = None

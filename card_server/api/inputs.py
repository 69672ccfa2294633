"""What the API takes: each value as strict as the document says, and nothing beyond it.

The formats are narrower than Pydantic's own, which takes `1.0` for a number and `0` for a date.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from card_server.api.cursors import ID_CURSOR, MOMENT_CURSOR, UUID_CURSOR
from card_server.reports.student_list import SORTS
from schema.tables.webhooks import DeliveryState

MAX_ITEMS = 200
ACTOR = r"^(staff|token|command|system|nobody)(:[0-9]{1,9})?$"
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)
_WHOLE = re.compile(r"[0-9]{1,18}")
_UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_DAY = r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _whole(value: Any) -> Any:
    """A number in an address, which comes as text."""
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("no whole number")
    return value


def _day(value: Any) -> Any:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not re.fullmatch(_DAY, value):
        raise ValueError("no day")
    return date.fromisoformat(value)


def _moment(value: Any) -> Any:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("no moment")
    return value.upper()


def _uuid(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(_UUID, value):
        raise ValueError("no id")
    return UUID(value)


def _in_utc(moment: datetime) -> datetime:
    """In UTC; what lies before the first or after the last day that there is becomes that day."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return _FIRST if moment.year < 5000 else _LAST


def storable(text: str) -> str:
    """The text, if it has no NUL, which PostgreSQL cannot keep, and no half of a character."""
    if "\0" in text or any("\ud800" <= one <= "\udfff" for one in text):
        raise ValueError("a character that cannot be")
    return text


RowId = Annotated[int, Field(ge=1, le=2**31 - 1), BeforeValidator(_whole)]
SentId = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
"""In a body, where a number in quotes is none."""
Grade = Annotated[int, Field(ge=1, le=12), BeforeValidator(_whole)]
SentGrade = Annotated[int, Field(strict=True, ge=1, le=12)]
"""In a body."""
YesOrNo = Annotated[str, Field(pattern="^(yes|no)$")]
Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "pattern": _DAY}),
]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    AfterValidator(_in_utc),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
UuidId = Annotated[
    UUID,
    BeforeValidator(_uuid),
    WithJsonSchema({"type": "string", "format": "uuid", "pattern": _UUID}),
]
Limit = Annotated[
    int,
    Field(ge=1, le=MAX_ITEMS, description="How many at most in one answer."),
    BeforeValidator(_whole),
]
IdCursor = Annotated[
    str, Field(pattern=ID_CURSOR, description="Where the list goes on: from `next`.")
]
UuidCursor = Annotated[
    str, Field(pattern=UUID_CURSOR, description="Where the list goes on: from `next`.")
]
MomentCursor = Annotated[
    str, Field(pattern=MOMENT_CURSOR, description="Where the list goes on: from `next`.")
]


def whole(value: Any) -> Any:
    """A number in an address, which comes as text."""
    return _whole(value)


Text = Annotated[
    str,
    Field(min_length=1, max_length=100, json_schema_extra={"pattern": r"^[^\u0000]*$"}),
    AfterValidator(storable),
]


class Taken(BaseModel):
    """What all inputs share: nothing that they do not name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StudentPath(Taken):
    """Which student."""

    student_id: RowId


class StudentDayPath(Taken):
    """Which student, and which day in the school's zone."""

    student_id: RowId
    day: Day


class StudentsQuery(Taken):
    """Which part of the students: as on the page, those who are enrolled, unless you ask."""

    homeroom: RowId | None = None
    status: Annotated[
        Literal["enrolled", "suspended", "transferred", "graduated", "all"],
        Field(description="Whose status this is; `all` leaves nobody out."),
    ] = "enrolled"
    limit: Limit = 50
    cursor: IdCursor | None = None


class Words(Taken):
    """A name, its pinyin in full or by initials, or the beginning of a student number."""

    words: Text


class StudentSearch(Words):
    """Whose name, pinyin or number; of which homeroom, and in which order (a minus: descending)."""

    homeroom: SentId | None = None
    sort: Annotated[str, Field(pattern=f"^-?({'|'.join(SORTS)})$")] = "homeroom"


class BoardQuery(Taken):
    """Which day (today if none) and which grade or homeroom (all if none)."""

    day: Day | None = None
    grade: Grade | None = None
    homeroom: RowId | None = None


class ReadersQuery(Taken):
    """Which readers: those in use if nothing is asked."""

    use: Annotated[
        Literal["current", "retired", "all"], Field(description="Whether they are in use.")
    ] = "current"


class TapsQuery(Taken):
    """Which part of the taps."""

    since: Moment | None = None
    limit: Limit = 50
    cursor: MomentCursor | None = None


class AuditQuery(Taken):
    """Which part of the log."""

    actor: Annotated[str, Field(pattern=ACTOR)] | None = None
    action: Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z_]+)+$", max_length=60)] | None = None
    subject: Annotated[str, Field(pattern=r"^[!-~]{1,80}$")] | None = None
    day: Day | None = None
    limit: Limit = 50
    cursor: IdCursor | None = None


class HistoryQuery(Taken):
    """Of which thing: its kind and id, as in `reader:12`."""

    subject: Annotated[
        str, Field(pattern=r"^(school|homeroom|reader|staff|webhook):[1-9][0-9]{0,8}$")
    ]


class DeliveriesQuery(Taken):
    """Which part of a webhook's events."""

    state: DeliveryState | None = None
    limit: Limit = 50
    cursor: UuidCursor | None = None


class AuditPath(Taken):
    """Which entry."""

    seq: RowId

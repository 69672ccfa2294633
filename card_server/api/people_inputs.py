"""What the API takes about people; what a PATCH leaves out stays."""

from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool, StrictInt

from card_server.api.inputs import Day, RowId, SentId, Taken, storable
from card_server.messages.wishes import MOST_A_DAY
from schema.tables.messages import MessageKind
from schema.tables.people import Channel, Language, Sex, StudentStatus

_NO_NUL = {"pattern": r"^[^\u0000]*$"}
_Number = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._/-]{0,31}$")]
_Name = Annotated[
    str, Field(min_length=1, max_length=120, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_Short = Annotated[
    str, Field(min_length=1, max_length=40, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_Relation = Annotated[
    str, Field(min_length=1, max_length=20, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_Reason = Annotated[
    str, Field(min_length=2, max_length=200, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_Body = Annotated[
    str, Field(min_length=1, max_length=1000, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_Identity = Annotated[str, Field(pattern=r"^[0-9A-Za-z()/-]{5,25}$")]
_Registry = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{6,32}$")]
_Phone = Annotated[str, Field(pattern=r"^[0-9+() -]{5,30}$", description="A mobile number.")]
_Further = Annotated[list[_Phone], Field(max_length=5)]
_Hour = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
_Priority = Annotated[int, Field(strict=True, ge=1, le=9)]
_Year = Annotated[int, Field(strict=True, ge=2000, le=2100)]


class NewStudent(Taken):
    """A student to be added, of a homeroom from `on`."""

    number: _Number
    name: _Name
    homeroom_id: SentId
    on: Day
    sex: Sex = Sex.UNKNOWN
    born_on: Day | None = None
    identity: _Identity | None = None
    registry: _Registry | None = None


class StudentChange(Taken):
    """Who a student is; null is as if left out."""

    number: _Number | None = None
    name: _Name | None = None
    sex: Sex | None = None
    born_on: Day | None = None
    identity: _Identity | None = None
    registry: _Registry | None = None


class Move(Taken):
    """Into which homeroom, from which day on, which is today or was."""

    homeroom_id: SentId
    on: Day


class NewStatus(Taken):
    """What a student becomes; the homeroom is for who comes back."""

    status: StudentStatus
    on: Day
    reason: _Reason | None = None
    homeroom_id: SentId | None = None


class BoardingChange(Taken):
    """Whether the student boards from a day on, at most a year ahead."""

    is_boarding: StrictBool
    on: Day


class NewNote(Taken):
    """A note to be written."""

    body: _Body


class Why(Taken):
    """Why somebody wants to see what is usually hidden; it is noted."""

    reason: _Reason


class NewGuardian(Taken):
    """A guardian to be added, or to be known again by name and phone."""

    name: _Name
    relation: _Relation
    phone: _Phone | None = None
    further: _Further = []
    language: Language = Language.CHINESE
    is_told: StrictBool = True
    priority: _Priority = 1


class GuardianChange(Taken):
    """A guardian and the part in the student's life; `further` numbers are added."""

    name: _Name | None = None
    relation: _Relation | None = None
    phone: _Phone | None = None
    further: _Further = []
    language: Language | None = None
    is_told: StrictBool | None = None
    priority: _Priority | None = None
    wecom_id: Annotated[str, Field(max_length=64)] | None = None


class Wishes(Taken):
    """What a guardian wants to be told, how, when, and in which language; the rest stays."""

    is_told: StrictBool
    language: Language
    wanted: list[MessageKind] | None = None
    channel: Channel | None = None
    quiet_from: _Hour | None = None
    quiet_until: _Hour | None = None
    daily_limit: Annotated[StrictInt, Field(ge=1, le=MOST_A_DAY)] | None = None


class PaperConsent(Taken):
    """A consent that the school has on paper."""

    wording_id: Annotated[StrictInt, Field(ge=1)]


class NewTerm(Taken):
    """A term to be made."""

    school_year: _Year
    name: _Short
    starts_on: Day
    ends_on: Day


class TermChange(Taken):
    """A term's settings; null is as if left out."""

    school_year: _Year | None = None
    name: _Short | None = None
    starts_on: Day | None = None
    ends_on: Day | None = None


class CampusName(Taken):
    """What a campus is called."""

    name: _Short


class NotePath(Taken):
    """Which note of which student."""

    student_id: RowId
    note_id: RowId


class GuardianPath(Taken):
    """Which guardian of which student."""

    student_id: RowId
    guardian_id: RowId


class GuardianPhonePath(Taken):
    """Which further number of which guardian."""

    student_id: RowId
    guardian_id: RowId
    phone_id: RowId


class TermPath(Taken):
    """Which term."""

    term_id: RowId


class CampusPath(Taken):
    """Which campus."""

    campus_id: RowId

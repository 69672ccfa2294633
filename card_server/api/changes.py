"""What programs may change: the bodies of POST and PATCH; what a PATCH leaves out stays."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool

from card_server.api.inputs import RowId, SentGrade, SentId, Taken, UuidId, storable
from card_server.staff.tokens import MAX_DAYS, MIN_DAYS
from schema.tables.readers import ByteOrder, Direction
from schema.tables.staff import Role, Scope

_NO_NUL = {"pattern": r"^[^\u0000]*$"}
_Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
_Line = Annotated[
    str, Field(min_length=1, max_length=60, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_LongLine = Annotated[
    str, Field(min_length=1, max_length=120, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_Reason = Annotated[
    str, Field(min_length=1, max_length=200, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_Url = Annotated[
    str, Field(min_length=1, max_length=500, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_Kinds = Annotated[
    list[Literal["tap", "attendance", "message", "card", "student", "limit"]],
    Field(min_length=1, max_length=6),
]
_Signature = Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[^【】\[\]]*$")]
_Zone = Annotated[str, Field(min_length=1, max_length=40)]


class SchoolChange(Taken):
    """The school's settings; null is as if left out."""

    name: _LongLine | None = None
    signature: _Signature | None = None
    zone: _Zone | None = None
    late_after: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] | None = None
    double_tap_s: Annotated[int, Field(strict=True, ge=0, le=3600)] | None = None
    stale_minutes: Annotated[int, Field(strict=True, ge=1, le=1440)] | None = None
    cards_per_student: Annotated[int, Field(strict=True, ge=1, le=2)] | None = None


class NewHomeroom(Taken):
    """A homeroom to be made."""

    grade: SentGrade
    name: Annotated[str, Field(min_length=1, max_length=40)]


class HomeroomChange(Taken):
    """A homeroom's settings; null is as if left out."""

    grade: SentGrade | None = None
    name: Annotated[str, Field(min_length=1, max_length=40)] | None = None


class NewReader(Taken):
    """A reader to be made; a `direction` of null is a gate for both ways."""

    code: _Code
    name: _Line
    place: _Line
    direction: Direction | None = None
    byte_order: ByteOrder = ByteOrder.AS_SENT
    campus_id: SentId | None = None


class ReaderChange(Taken):
    """A reader's settings; a `direction` of null is a gate for both ways, a `campus_id`
    of null serves all campuses."""

    name: _Line | None = None
    place: _Line | None = None
    direction: Direction | None = None
    byte_order: ByteOrder | None = None
    campus_id: SentId | None = None


class ReaderUse(Taken):
    """Why a reader is retired, or used again."""

    reason: _Reason


class GivenGrant(Taken):
    """A role and how far it reaches; what its scope does not need stays null."""

    role: Role
    scope: Scope
    grade: SentGrade | None = None
    homeroom_id: SentId | None = None
    place: _Line | None = None


class NewStaff(Taken):
    """An account to be made."""

    login: _Line
    name: _Line
    grants: Annotated[list[GivenGrant], Field(min_length=1, max_length=20)]


class StaffChange(Taken):
    """An account's name, its grants (all of them), and whether it may log in."""

    name: _Line | None = None
    grants: Annotated[list[GivenGrant], Field(min_length=1, max_length=20)] | None = None
    is_disabled: StrictBool | None = None


class NewSchool(Taken):
    """A school to be opened, and its first administrator."""

    code: _Code
    name: _LongLine
    signature: _Signature
    zone: _Zone
    login: _Line
    admin_name: _Line


class NewToken(Taken):
    """A token to be made."""

    name: _Line
    grant: GivenGrant
    days: Annotated[int, Field(strict=True, ge=MIN_DAYS, le=MAX_DAYS)]


class NewWebhook(Taken):
    """A webhook to be made."""

    name: _Line
    url: _Url
    kinds: _Kinds


class WebhookChange(Taken):
    """A webhook's settings; null is as if left out."""

    name: _Line | None = None
    url: _Url | None = None
    kinds: _Kinds | None = None
    is_disabled: StrictBool | None = None


class HomeroomPath(Taken):
    """Which homeroom."""

    homeroom_id: RowId


class ReaderPath(Taken):
    """Which reader."""

    reader_id: RowId


class StaffPath(Taken):
    """Which account."""

    staff_id: RowId


class TokenPath(Taken):
    """Which token."""

    token_id: RowId


class WebhookPath(Taken):
    """Which webhook."""

    webhook_id: RowId


class DeliveryPath(Taken):
    """Which of a webhook's events."""

    webhook_id: RowId
    delivery_id: UuidId

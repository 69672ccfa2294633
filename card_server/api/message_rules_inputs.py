"""What the API takes about limits, the switch and wordings of consent."""

from typing import Annotated

from pydantic import AfterValidator, Field

from card_server.api.calendar_inputs import Clock
from card_server.api.inputs import Taken, storable
from card_server.messages.consent_wordings import MOST
from schema.tables.people import Language

_NO_NUL = {"pattern": r"^[^\u0000]*$"}
_Wording = Annotated[
    str, Field(min_length=1, max_length=MOST, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_Reason = Annotated[
    str, Field(min_length=1, max_length=200, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_Count = Annotated[int, Field(strict=True, ge=1, le=200)]
_Money = Annotated[
    str,
    Field(pattern=r"^(0|[1-9][0-9]{0,6})(\.[0-9]{1,3})?$", description="In the currency: 0.045."),
]


class MessageRulesChange(Taken):
    """A school's limits; null is as if left out."""

    per_number: _Count | None = None
    per_number_and_kind: _Count | None = None
    per_student: _Count | None = None
    per_school: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = None
    money_per_day: _Money | None = None
    price_per_segment: _Money | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    quiet_from: Clock | None = None
    quiet_until: Clock | None = None


class SwitchReason(Taken):
    """Why the switch is turned; the audit log keeps it."""

    reason: _Reason


class NewWording(Taken):
    """A wording of consent to be made."""

    language: Language
    body: _Wording

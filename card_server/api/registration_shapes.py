"""Registrations as the API takes and gives them."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from card_server.api.inputs import RowId, Taken, storable
from card_server.api.shapes import Shape

_Reason = Annotated[
    str,
    Field(min_length=1, max_length=200, json_schema_extra={"pattern": r"^[^\u0000]*$"}),
    AfterValidator(storable),
]


class RegistrationPath(Taken):
    """Which student, and for which term."""

    term_id: RowId
    student_id: RowId


class Why(Taken):
    """Why it was not done by card, or is taken back; for the audit log."""

    reason: _Reason


class RegistrationCount(Shape):
    """One homeroom's numbers, of the students who are enrolled now."""

    id: int = Field(description="The homeroom.")
    grade: int
    name: str
    students: int
    registered: int


class RegistrationCounts(Shape):
    """Every homeroom of today, by grade."""

    items: list[RegistrationCount]


class Registration(Shape):
    """A student, and whether they have registered for the term."""

    id: int = Field(description="The student.")
    number: str
    name: str
    homeroom_id: int
    homeroom: str
    at: datetime | None = Field(description="When they registered; null while they have not.")
    by: str = Field(description="Who wrote it down; empty for a card.")
    reason: str = Field(description="Why it was not done by card.")

"""The promotion to the next school year, as the API takes and gives it."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool

from card_server.api.inputs import SentId, Taken, storable
from card_server.api.shapes import Shape

_NO_NUL = {"pattern": r"^[^\u0000]*$"}
_Name = Annotated[
    str, Field(min_length=1, max_length=40, json_schema_extra=_NO_NUL), AfterValidator(storable)
]


class RoomChoice(Taken):
    """What is to become of one homeroom; `new_name` is needed unless it graduates."""

    homeroom_id: SentId
    graduates: StrictBool
    new_name: _Name | None = None


class PromotionChoices(Taken):
    """What is chosen for homerooms; what is left out is as proposed."""

    choices: list[RoomChoice] = []


class Promotion(PromotionChoices):
    """The same, and the plan that was seen: it happens like that, or not at all."""

    seen: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[!-~]+$")]


class PromotionStep(Shape):
    """What becomes of one homeroom."""

    homeroom_id: int
    name: str
    grade: int
    students: int
    teachers: list[str]
    graduates: bool
    new_name: str
    new_grade: int | None = Field(description="Null: its students graduate.")
    joins: int | None = Field(description="The homeroom of the next year that has the name.")


class LeftBehind(Shape):
    """A suspended student, who gets a homeroom of the next year on coming back."""

    id: int
    name: str
    number: str
    homeroom: str


class PromotionProblem(Shape):
    """Why it cannot be done like this; without a homeroom, why it cannot be done at all."""

    homeroom_id: int | None
    message: str


class PromotionPlan(Shape):
    """All that would happen; nothing can be done while there are problems."""

    seen: str = Field(description="What tells this plan from another.")
    from_year: int
    to_year: int
    earliest: date = Field(description="Before this day it is too early.")
    promoted: int
    graduated: int
    steps: list[PromotionStep]
    left_behind: list[LeftBehind]
    problems: list[PromotionProblem]


class Promoted(Shape):
    """What was done."""

    to_year: int
    homerooms: int
    moved: int
    graduated: int

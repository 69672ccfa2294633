"""What the API answers of limits, the switch and wordings of consent."""

from datetime import datetime

from pydantic import Field

from card_server.api.shapes import Shape
from schema.tables.people import Language


class MessageRules(Shape):
    """A school's limits of a day, its price, its quiet hours, and the switch."""

    per_number: int
    per_number_and_kind: int
    per_student: int
    per_school: int
    money_per_day: str
    price_per_segment: str
    currency: str
    quiet_from: str = Field(description="HH:MM in the school's zone.")
    quiet_until: str
    stopped_at: datetime | None = Field(description="Since when nothing is sent at all.")
    stopped_by: str
    is_stopped_by_district: bool


class ConsentWording(Shape):
    """A wording to which guardians consent."""

    id: int
    language: Language
    body: str
    made_by: str
    made_at: datetime


class ConsentWordings(Shape):
    """All wordings, the newest first: of each language that one counts."""

    items: list[ConsentWording]


class SchoolSwitch(Shape):
    """Whether a school's messages are stopped."""

    school_id: int
    school: str
    stopped_at: datetime | None
    stopped_by: str
    is_by_district: bool


class SchoolSwitches(Shape):
    """All schools by name."""

    items: list[SchoolSwitch]

"""What the API answers about people: a student's record, guardians, terms and campuses."""

from datetime import date, datetime

from pydantic import Field

from card_server.api.shapes import Shape
from schema.tables.messages import MessageKind
from schema.tables.people import Channel, Language, Sex, StudentStatus


class FurtherPhone(Shape):
    """A further number, by its last digits."""

    id: int
    tail: str


class Guardian(Shape):
    """A student's guardian; of the phones the last digits."""

    id: int
    name: str
    relation: str
    phone_tail: str = Field(description="Of the mobile number for messages; empty without one.")
    language: Language
    is_told: bool
    priority: int = Field(description="1 is asked first.")
    wanted: list[MessageKind] = Field(description="What the guardian is told of, if `is_told`.")
    channel: Channel
    quiet_from: str | None = Field(description="HH:MM in the school's zone; null: the school's.")
    quiet_until: str | None
    daily_limit: int | None = Field(description="Messages a day; null: as the school has it.")
    wecom_id: str | None
    verified_at: datetime | None = Field(description="When the number was known to be theirs.")
    consented_at: datetime | None
    further: list[FurtherPhone]


class Guardians(Shape):
    """A student's guardians, in the order in which they are asked."""

    items: list[Guardian]


class Note(Shape):
    """What staff wrote down about a student."""

    id: int
    body: str
    written_by: str
    written_at: datetime


class Stay(Shape):
    """A student's time in a homeroom, which has the name and grade of that time."""

    homeroom_id: int
    homeroom: str
    grade: int
    school_year: int
    from_on: date
    until_on: date | None = Field(description="The first day that is not of it any more.")


class BoardingTime(Shape):
    """A time in which a student boarded, boards or is going to."""

    from_on: date
    until_on: date | None = Field(description="The first day at home again.")


class StudentRecord(Shape):
    """All that is kept on a student but cards and days; of sealed numbers the last digits."""

    id: int
    number: str
    name: str
    sex: Sex
    born_on: date | None
    status: StudentStatus
    status_since: date | None
    homeroom_id: int
    homeroom: str
    boards_since: date | None = Field(description="None for a day student.")
    boards_until: date | None = Field(
        description="The first day at home again, where the end of the present time is set."
    )
    boards_from: date | None = Field(
        description="The coming day on which the student begins to board."
    )
    identity_tail: str
    registry_tail: str
    guardians: list[Guardian]
    notes: list[Note]
    stays: list[Stay]
    boardings: list[BoardingTime]


class Numbers(Shape):
    """A student's numbers, which are usually hidden."""

    identity: str | None
    registry: str | None


class Phones(Shape):
    """A guardian's numbers in E.164, the one for messages first."""

    items: list[str]


class Term(Shape):
    """A term of a school year."""

    id: int
    school_year: int = Field(description="The year in which the school year begins.")
    name: str
    starts_on: date
    ends_on: date = Field(description="The last day.")


class Terms(Shape):
    """All terms, the newest first."""

    items: list[Term]


class Campus(Shape):
    """A campus of a school that has several."""

    id: int
    name: str


class Campuses(Shape):
    """All campuses."""

    items: list[Campus]

"""What the API answers: one model for each thing, made from what the reports read."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from schema.messages import Decision, ReaderState, Refusal, SourceState
from schema.tables.calendar import DayKind
from schema.tables.messages import MessageKind, MessageState, Suppression
from schema.tables.people import StudentStatus
from schema.tables.readers import ByteOrder, Direction
from schema.tables.staff import Role, Scope
from schema.tables.taps import DirectionBy, Effect

Next = Annotated[
    str | None,
    Field(description="The address of the next part of the list; null on the last."),
]


class Shape(BaseModel):
    """What all answers share: they are made from dataclasses and never changed."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Grant(Shape):
    """A role and how far it reaches."""

    role: Role
    scope: Scope
    grade: int | None
    homeroom_id: int | None
    place: str | None


class Me(Shape):
    """The token that was sent."""

    name: str
    school_id: int
    grant: Grant
    expires_at: datetime


class School(Shape):
    """The token's school."""

    id: int
    code: str
    name: str
    signature: str = Field(description="What stands in 【】 before each message to parents.")
    zone: str = Field(description="The time zone of its days.")
    late_after: str = Field(description="HH:MM in its zone.")
    double_tap_s: int
    stale_minutes: int
    cards_per_student: int = Field(description="Active cards of their own at a time: 1 or 2.")


class Schools(Shape):
    """All schools of the district."""

    items: list[School]


class SchoolToday(Shape):
    """What a school has today, by its own day."""

    id: int
    code: str
    name: str
    students: int
    arrived: int
    late: int
    inside: int
    readers: int
    silent: int = Field(description="Readers of which nothing was heard for 45 seconds, or ever.")
    heard_at: datetime | None = Field(description="The last word of any of its readers.")
    waiting: int = Field(description="Messages that wait.")
    failed: int = Field(description="Messages that failed or are unclear, of the last 24 hours.")


class District(Shape):
    """All schools by name, with what each has today."""

    items: list[SchoolToday]


class Homeroom(Shape):
    """A homeroom (班级)."""

    id: int
    grade: int
    name: str


class Homerooms(Shape):
    """The homerooms within reach."""

    items: list[Homeroom]


class Student(Shape):
    """A student; `number` is the student number (学号)."""

    id: int
    number: str
    name: str
    homeroom_id: int
    homeroom: str
    status: StudentStatus


class Students(Shape):
    """A part of the students, by id."""

    items: list[Student]
    next: Next


class FoundStudents(Shape):
    """Who answers to the words, 30 at most."""

    items: list[Student]


class DayTap(Shape):
    """One tap of a student's day."""

    occurred_at: datetime
    received_at: datetime
    clock_suspect: bool = Field(description="Whether the reader's clock was wrong.")
    reader: str
    place: str
    decision: Decision
    reason: Refusal | None
    direction: Direction | None
    direction_by: DirectionBy | None
    effect: Effect


class DayMessage(Shape):
    """One message of a student's day; of the phone the last digits."""

    created_at: datetime
    kind: MessageKind
    state: MessageState
    suppression: Suppression | None
    guardian: str
    relation: str | None
    phone_tail: str
    body: str
    error: str | None


class StudentDay(Shape):
    """A student's day; times are null while they have not happened."""

    student_id: int
    name: str
    number: str
    homeroom: str
    arrived_at: datetime | None
    departed_at: datetime | None
    late_minutes: int
    taps: list[DayTap]
    messages: list[DayMessage]


class Counts(Shape):
    """The numbers of a day."""

    students: int
    expected: int = Field(description="Of whom the day expects something, on leave or not.")
    arrived: int
    late: int
    left_early: int
    absent: int = Field(description="In at least one session, and judged so.")
    on_leave: int
    not_yet: int = Field(description="Expected, and neither here, absent nor on leave.")
    inside: int


class DarkGate(Shape):
    """A gate that has not reported past a deadline."""

    reader_id: int
    name: str
    since: datetime | None = Field(description="Up to when it delivered taps; null for never.")


class RoomWaiting(Shape):
    """The first session of a homeroom's day that is not judged, and why."""

    position: int
    due_at: datetime
    gates: list[DarkGate] = Field(description="Empty while it is not due.")
    has_no_gate: bool = Field(description="No gate of the school was ever heard of.")


class DayLine(Shape):
    """What the day is for some grades, or for all."""

    kind: DayKind
    note: str
    weekday: int | None = Field(description="Whose timetable it runs, 1 for Monday.")
    is_unsure: bool = Field(description="The calendar does not know the day.")
    has_sessions: bool
    has_timetable: bool = Field(description="Without one nobody is ever absent.")
    grades: list[int] = Field(description="For which; empty for all.")


class GradeRow(Shape):
    """The homerooms of a grade together."""

    grade: int
    counts: Counts


class BoardRow(Shape):
    """One homeroom's numbers of the day."""

    id: int
    grade: int
    name: str
    counts: Counts
    waiting: RoomWaiting | None = Field(description="Why not all is judged.")


class Named(Shape):
    """A student in a list of the board."""

    id: int
    name: str
    number: str
    homeroom: str
    arrived_at: datetime | None = Field(
        description="When they came late; null for who was there earlier, or not at all."
    )
    late_minutes: int = Field(description="For the session that they came late for.")


class Minute(Shape):
    """One minute of the morning, and how many arrived in it."""

    at: datetime
    arrived: int


class Board(Shape):
    """A day's board; with a homeroom or grade, `total` and the lists are of that one alone."""

    day: date
    days: list[DayLine]
    late_after: int | None = Field(description="Minute of the day; null where homerooms differ.")
    total: Counts
    rows: list[BoardRow]
    grades: list[GradeRow]
    not_yet: list[Named] = Field(description="Of one homeroom only; 200 names at most.")
    late: list[Named] = Field(description="200 names at most.")
    arrivals: list[Minute] = Field(
        description="Each minute from the first arrival on, four hours at most; also of nobody."
    )


class Tap(Shape):
    """A tap; without a student the card is nobody's."""

    id: UUID
    occurred_at: datetime
    received_at: datetime
    clock_suspect: bool = Field(description="Whether the reader's clock was wrong.")
    uid: str = Field(description="The card's number, hex.")
    reader_id: int
    reader: str
    decision: Decision
    reason: Refusal | None
    direction: Direction | None
    effect: Effect
    student_id: int | None
    student: str | None
    homeroom: str | None


class Taps(Shape):
    """A part of the taps, newest first by when they were received."""

    items: list[Tap]
    next: Next


class Health(Shape):
    """The last that was heard of a reader."""

    state: ReaderState
    source: SourceState
    seen_at: datetime
    cards_version: int
    spooled: int = Field(description="Taps that it still has to send.")
    aside: int = Field(description="Taps that were refused for good.")
    disk_free_mb: int
    clock_skew_s: float
    software: str


class Reader(Shape):
    """A reader; `health` is null when nothing was ever heard of it."""

    id: int
    code: str
    name: str
    place: str
    direction: Direction | None
    campus_id: int | None = Field(description="The only campus that it serves; null for all.")
    is_well: bool
    is_silent: bool
    has_old_cards: bool
    failures: list[str]
    health: Health | None
    retired_at: datetime | None = Field(description="Out of use since then.")
    used_at: datetime | None = Field(
        description="The last card that was held to it after it was retired."
    )


class Readers(Shape):
    """The readers within reach."""

    cards_version: int = Field(description="The version of the card list that they need.")
    items: list[Reader]


class ReaderSettings(Shape):
    """What is decided for a reader; a `direction` of null is a gate for both ways."""

    id: int
    code: str
    name: str
    place: str
    direction: Direction | None
    byte_order: ByteOrder = Field(description="In which order it gives a card number's bytes.")
    campus_id: int | None = Field(description="The only campus that it serves; null for all.")
    retired_at: datetime | None = Field(description="Out of use since then.")


class Aside(Shape):
    """One kind of rubbish that came instead of a tap."""

    received_at: datetime
    topic: str
    reason: str
    times: int
    size: int
    beginning: str


class Asides(Shape):
    """The newest that was kept aside, 50 at most."""

    items: list[Aside]


class Wrong(Shape):
    """One value that cannot be."""

    where: str = Field(description="`query`, `path`, `json` or `form`.")
    name: str
    message: str


class Problem(Shape):
    """What went wrong (RFC 9457); `type` is stable, the texts follow Accept-Language."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Wrong] | None = None

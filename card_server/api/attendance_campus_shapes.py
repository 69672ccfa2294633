"""Who is on campus, evacuations and what waits, as the API takes and gives it."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictBool

from card_server.api.inputs import Day, IdCursor, Limit, RowId, SentId, Taken, Text, YesOrNo, whole
from card_server.api.leave_shapes import Reason
from card_server.api.shapes import Next, Shape
from card_server.attendance.evacuating import MOST_TICKS
from card_server.attendance.facts import Waiting
from card_server.reports.held import HeldState
from schema.tables.attendance import SessionStatus
from schema.tables.leave import LeaveKind


class CampusFilter(Taken):
    """Which of those on campus, or, with `show`, others who may be there."""

    homeroom: RowId | None = None
    gate: (
        Annotated[
            int,
            Field(ge=0, le=2**31 - 1, description="Of the last passage; 0 for a guard's word."),
            BeforeValidator(whole),
        ]
        | None
    ) = None
    boarding: Annotated[
        Literal["yes", "no", "unseen"] | None,
        Field(
            description="`unseen`: boarders who count as inside and of whom nothing was seen "
            "since before the last days without lessons."
        ),
    ] = None
    leave: YesOrNo | None = None
    show: Annotated[
        Literal["inside", "marked", "unsure"],
        Field(
            description="`marked`: by a teacher's word alone, without a tap; "
            "`unsure`: gone by the hour of closing alone."
        ),
    ] = "inside"


class CampusQuery(CampusFilter):
    """Which of them, and which part of the list."""

    limit: Limit = 50
    cursor: IdCursor | None = None


class CampusSearch(CampusFilter):
    """Which of them, and whose name, pinyin or number."""

    words: Text


class EvacuationPath(Taken):
    """Which evacuation."""

    evacuation_id: RowId


class GatePath(Taken):
    """Which gate."""

    reader_id: RowId


class NewEvacuation(Taken):
    """Why: a drill, or what happened."""

    reason: Reason


class SentTick(Taken):
    """That a student was found, or that this was wrong."""

    student_id: SentId
    is_found: StrictBool
    age_s: Annotated[
        int,
        Field(strict=True, ge=0, le=2**31 - 1, description="How many seconds ago it was made."),
    ] = 0


class SentTicks(Taken):
    """What was ticked, in any order."""

    ticks: Annotated[list[SentTick], Field(min_length=1, max_length=MOST_TICKS)]


class WithoutGate(Taken):
    """Which day is judged without the gate, and why."""

    day: Day
    reason: Reason


class CampusGate(Shape):
    """A gate, and up to when all of its taps have arrived."""

    reader_id: int
    name: str
    delivered_to: datetime | None
    inside: int = Field(description="Whose last passage was there.")
    is_old: bool = Field(description="Nothing was delivered for over 5 minutes.")


class CampusRoom(Shape):
    """How many of a homeroom are on campus."""

    homeroom_id: int
    homeroom: str
    grade: int
    inside: int


class CampusStudent(Shape):
    """One student on campus."""

    student_id: int
    name: str
    number: str
    homeroom_id: int
    homeroom: str
    since_at: datetime
    reader_id: int = Field(description="Of the last passage; 0 for a guard's word.")
    gate: str
    is_boarder: bool
    leave: LeaveKind | None = Field(description="The leave that is in force now.")
    is_unsure: bool = Field(description="Counted as gone by the hour of closing alone.")


class OnCampus(Shape):
    """Who is on campus, as far as taps have arrived; the numbers are of all within reach."""

    inside: int
    unsure: int = Field(description="Counted as gone by the hour of closing alone.")
    marked: int = Field(
        description="Marked present by a teacher today, without a tap; not among `inside`."
    )
    unseen: int = Field(
        description="Boarders among `inside` of whom nothing was seen since before the last days "
        "without lessons."
    )
    gates: list[CampusGate]
    rooms: list[CampusRoom]
    items: list[CampusStudent]
    next: Next


class FoundOnCampus(Shape):
    """Who answers to the words, 30 at most."""

    items: list[CampusStudent]


class HeldExit(Shape):
    """A student whose exit was held, by the last try of the day."""

    student_id: int
    name: str
    number: str
    homeroom_id: int
    homeroom: str
    reader_id: int
    gate: str
    at: datetime
    state: HeldState = Field(description="How it ended, as far as it has.")
    until_at: datetime | None = Field(
        description="When the lessons that hold the exit end; null when they are over."
    )
    teachers: list[str] = Field(description="The homeroom's, whom to call.")


class HeldExits(Shape):
    """Those of today, the newest first, 200 at most."""

    items: list[HeldExit]


class EvacuationInList(Shape):
    """An evacuation; without an end it goes on."""

    id: int
    reason: str
    started_at: datetime
    started_by: str
    ended_at: datetime | None
    ended_by: str


class EvacuationList(Shape):
    """The newest first, 200 at most."""

    items: list[EvacuationInList]


class EvacuationRoom(Shape):
    """A homeroom's numbers in an evacuation."""

    homeroom_id: int
    homeroom: str
    grade: int
    listed: int
    found: int
    left: int
    missing: int
    unsure: int
    later: int
    marked: int = Field(description="By a teacher's word alone here, and not found.")
    added: int = Field(description="Of the found those who stood on no list.")


class EvacuationPerson(Shape):
    """One student of an evacuation."""

    student_id: int
    name: str
    number: str
    homeroom_id: int
    homeroom: str
    gate: str
    since_at: datetime
    is_missing: bool
    is_unsure: bool = Field(description="Counted as gone by the hour of closing alone.")
    is_later: bool = Field(description="Came, or became known, after the list was made.")
    left_at: datetime | None = Field(description="Tapped out at a gate afterwards.")
    is_marked: bool = Field(description="By a teacher's word alone here, without a tap.")
    is_added: bool = Field(description="On no list, and found all the same.")
    is_found: bool
    marked_at: datetime | None
    marked_by: str
    received_at: datetime | None


class EvacuationWhole(EvacuationInList):
    """An evacuation with its students within reach, the missing first."""

    rooms: list[EvacuationRoom]
    people: list[EvacuationPerson]


class Ticked(Shape):
    """Whose state changed."""

    students: list[int]


class NowCall(Shape):
    """A guardian; of the phone the last digits."""

    guardian_id: int
    name: str
    relation: str
    phone_tail: str


class NowPupil(Shape):
    """One student in the session that goes on."""

    student_id: int
    number: str
    name: str
    status: SessionStatus
    late_minutes: int
    leave_kind: LeaveKind | None
    waiting: Waiting | None = Field(description="Why it is not judged yet.")
    is_corrected: bool
    is_inside: bool
    since_at: datetime | None
    guardians: list[NowCall]


class NowSession(Shape):
    """A session; times are minutes of the day."""

    position: int
    name: str
    late_after: int
    absent_after: int


class HomeroomNow(Shape):
    """A homeroom in the session that goes on, or was the last."""

    homeroom_id: int
    homeroom: str
    day: date
    session: NowSession | None
    dark_gates: list[str] = Field(description="For which gates it waits.")
    pupils: list[NowPupil]


class WaitingRoom(Shape):
    """A homeroom that waits."""

    id: int
    name: str


class LeftOutGate(Shape):
    """That a day is judged without a gate."""

    day: date
    reason: str
    said_by: str
    said_at: datetime


class WaitingGate(Shape):
    """A gate for which something waits."""

    reader_id: int
    name: str
    place: str
    dark_since: datetime | None
    seen_at: datetime | None
    days: list[date]
    left_out: list[LeftOutGate]


class WaitingSession(Shape):
    """A session that waits in some homerooms."""

    day: date
    position: int
    name: str
    due_at: datetime
    homerooms: list[WaitingRoom]
    gates: list[WaitingGate]


class WaitingReport(Shape):
    """What is not judged though its time has come."""

    gates: list[WaitingGate]
    sessions: list[WaitingSession]

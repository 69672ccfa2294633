"""Today's students by name, as the API takes and gives them."""

from datetime import datetime

from pydantic import Field

from card_server.api.inputs import Grade, IdCursor, Limit, RowId, SentGrade, SentId, Taken, Text
from card_server.api.shapes import Next, Shape
from card_server.attendance.facts import Waiting
from card_server.reports.today_list import TodayStatus
from schema.tables.leave import LeaveKind


class TodayQuery(Taken):
    """Which of today's students: with one status, of a grade or homeroom; without, all of them."""

    status: TodayStatus | None = None
    grade: Grade | None = None
    homeroom: RowId | None = None
    limit: Limit = 50
    cursor: IdCursor | None = None


class TodaySearch(Taken):
    """Which status, grade and homeroom, and whose name, pinyin or number."""

    words: Text
    status: TodayStatus | None = None
    grade: SentGrade | None = None
    homeroom: SentId | None = None


class TodayStudent(Shape):
    """One student; what does not belong to their statuses is null, 0 or empty."""

    id: int
    name: str
    number: str
    homeroom_id: int
    homeroom: str
    grade: int
    statuses: list[TodayStatus] = Field(description="The gravest first.")
    absent_from: list[str] = Field(description="The names of the sessions.")
    leave: LeaveKind | None
    leave_until: datetime | None = Field(description="The first moment after the leave slip.")
    arrived_at: datetime | None = Field(
        description="When they came late; null for who was there earlier, or not at all."
    )
    late_minutes: int = Field(description="For the session that they came late for.")
    left_at: datetime | None = Field(description="Of who left early.")
    early_minutes: int
    waiting: Waiting | None = Field(description="Why they are not judged.")
    due_at: datetime | None = Field(description="From when absence is, or was to be, judged.")
    gates: list[str] = Field(description="The gates that have not reported.")


class TodayCounts(Shape):
    """How many students there are of each status; one student may be of several."""

    students: int = Field(description="Of any status.")
    absent: int
    not_judged: int
    late: int
    left_early: int
    on_leave: int


class TodayStudents(Shape):
    """Some of today's students, by id; the numbers are of all in the grade or homeroom."""

    counts: TodayCounts
    items: list[TodayStudent]
    next: Next


class FoundToday(Shape):
    """Who answers to the words, 30 at most."""

    items: list[TodayStudent]

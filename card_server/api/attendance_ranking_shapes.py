"""Rankings and findings as the API takes and gives them."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

from card_server.api.inputs import (
    Day,
    Grade,
    Limit,
    RowId,
    SentGrade,
    SentId,
    Taken,
    Text,
    YesOrNo,
    whole,
)
from card_server.api.shapes import Next, Shape
from card_server.attendance.looking import KEY
from card_server.reports.findings import OddKind
from card_server.reports.student_ranking import SORTS
from schema.messages import Refusal

_Sort = Annotated[str, Field(pattern=f"^-?({'|'.join(SORTS)})$")]


class RankingQuery(Taken):
    """From which day to which, a year at most; of one grade or homeroom, or of all."""

    first: Day
    last: Day
    grade: Grade | None = None
    homeroom: RowId | None = None


class StudentRankingQuery(Taken):
    """The same of students; `page` counts from 1, `sort` has a minus for descending."""

    first: Day
    last: Day
    grade: Grade | None = None
    homeroom: RowId | None = None
    sort: _Sort = "-late"
    limit: Limit = 50
    page: Annotated[int, Field(ge=1, le=10_000), BeforeValidator(whole)] = 1


class StudentRankingSearch(Taken):
    """From which day to which, of which grade or homeroom, and whose name, pinyin or number."""

    first: Day
    last: Day
    words: Text
    grade: SentGrade | None = None
    homeroom: SentId | None = None
    sort: _Sort = "-late"


class FindingsQuery(Taken):
    """From which day to which, 31 days at most; without, the last seven."""

    first: Day | None = None
    last: Day | None = None
    kind: OddKind | None = None
    grade: Grade | None = None
    homeroom: RowId | None = None
    looked_at: YesOrNo = "no"


class FindingsSearch(Taken):
    """The same of those who answer to a name, its pinyin or a student number."""

    words: Text
    first: Day | None = None
    last: Day | None = None
    kind: OddKind | None = None
    grade: SentGrade | None = None
    homeroom: SentId | None = None
    looked_at: YesOrNo = "no"


class FindingKey(Taken):
    """Which finding: its `key`."""

    key: Annotated[str, Field(pattern=KEY)]


class Sums(Shape):
    """What a time comes to; late, left early, absent and on leave count sessions."""

    students: int
    came: int = Field(description="Days on which students came, added up.")
    away: int = Field(description="Days on which students were expected and never there.")
    rate: float | None = Field(description="Per cent of the expected days; null without any.")
    late: int
    left_early: int
    absent: int
    on_leave: int
    points_tenths: int = Field(description="Conduct points taken, in tenths of a point.")


class RankedRoom(Shape):
    """One homeroom's line."""

    id: int
    grade: int
    name: str
    sums: Sums
    rank: int = Field(description="From 1; equal ones share it.")


class GradeLine(Shape):
    """The homerooms of a grade together."""

    grade: int
    rooms: int
    sums: Sums


class Week(Shape):
    """The days of the time that lie in one week."""

    starts_on: date = Field(description="Monday.")
    sums: Sums


class Ranking(Shape):
    """Homerooms over a time, in the order of their ranks."""

    rooms: list[RankedRoom]
    grades: list[GradeLine]
    weeks: list[Week]
    total: Sums


class StudentLine(Shape):
    """A student who was late, left early, was absent or on leave; in sessions."""

    id: int
    number: str
    name: str
    homeroom_id: int
    homeroom: str
    late: int
    late_minutes: int
    left_early: int
    absent: int
    on_leave: int


class StudentLines(Shape):
    """A part of the students, in the order that was asked."""

    total: int
    items: list[StudentLine]
    next: Next


class FoundLines(Shape):
    """Who answers to the words."""

    items: list[StudentLine]


class Odd(Shape):
    """One finding; which of the numbers it has depends on its kind."""

    key: str
    kind: OddKind
    day: date
    student_id: int | None = Field(description="Null for a card that is nobody's.")
    name: str
    number: str
    homeroom: str
    at: datetime | None
    seconds: int | None = Field(description="Between two taps.")
    times: int | None = Field(description="How often late, or refused.")
    minutes: int | None = Field(description="How late usually.")
    readers: str
    uid: str
    reason: Refusal | None
    looked_by: str
    looked_at: datetime | None


class Findings(Shape):
    """What is odd, the newest first."""

    items: list[Odd]

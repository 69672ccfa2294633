"""Today's board (今日): who is expected, has arrived, is late, absent, on leave, or not judged."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Date, Integer, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan
from card_server.reports.board_days import (
    DayLine,
    describe_days,
    expecting,
    late_after,
    read_plans,
)
from card_server.reports.board_members import (
    Members,
    Named,
    Time,
    count_members,
    name_late,
    name_unknown,
)
from card_server.reports.board_waiting import RoomWaiting, read_waiting
from card_server.reports.on_campus import is_inside
from card_server.school_time import bounds_of
from card_server.staff.sessions import SchoolInUse
from schema.tables.attendance import HomeroomDay, Presence
from schema.tables.people import Student, StudentStatus
from schema.tables.school import Homeroom

MAX_NAMES = 200
"""Names that one list shows; the counts are always of all."""


@dataclass(frozen=True)
class Counts:
    """The numbers of one homeroom, or of several together, in students."""

    students: int = 0
    arrived: int = 0
    late: int = 0
    inside: int = 0
    """On campus now, since whichever day."""
    expected: int = 0
    """Of whom the day expects something (应到), on leave or not."""
    left_early: int = 0
    absent: int = 0
    """In at least one session, and judged so."""
    on_leave: int = 0
    not_yet: int = 0
    """Expected, and neither here, nor absent, nor on leave: nothing is judged."""

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.students + other.students,
            self.arrived + other.arrived,
            self.late + other.late,
            self.inside + other.inside,
            self.expected + other.expected,
            self.left_early + other.left_early,
            self.absent + other.absent,
            self.on_leave + other.on_leave,
            self.not_yet + other.not_yet,
        )


@dataclass(frozen=True)
class HomeroomRow:
    """One homeroom's line of the board."""

    id: int
    grade: int
    name: str
    counts: Counts
    waiting: RoomWaiting | None = None
    """Why not all is judged."""


@dataclass(frozen=True)
class GradeRow:
    """The homerooms of a grade together."""

    grade: int
    counts: Counts


@dataclass(frozen=True)
class Board:
    """The whole board.

    `total`, the days and the lists are of the chosen homeroom when one is chosen, else of the
    chosen grade; `rows` are all homerooms of the chosen grade, or of the school.
    """

    rows: list[HomeroomRow]
    chosen: HomeroomRow | None
    total: Counts
    not_yet: list[Named]
    late: list[Named]
    all_grades: list[int] = field(default_factory=list)
    grade: int | None = None
    grades: list[GradeRow] = field(default_factory=list)
    days: list[DayLine] = field(default_factory=list)
    late_after: int | None = None
    """The minute of the day after which the first arrival is late; None where homerooms differ."""


class _RoomDay(NamedTuple):
    """What is counted of a homeroom's day."""

    id: int
    grade: int
    name: str
    arrived: int
    late: int
    left_early: int
    absent: int
    on_leave: int


def read_board(
    session: Session,
    school: SchoolInUse,
    time: Time,
    homeroom_id: int | None = None,
    grade: int | None = None,
) -> Board:
    """The board of one day in as many queries for a school of any size."""
    members = count_members(session, school.id, time)
    inside = [room for room, of in members.items() if of.inside]
    counted = _read_days(session, school.id, time.day, inside)
    plans = read_plans(session, school, time.day, [one.id for one in counted])
    waiting = read_waiting(session, school.id, time.day)
    every = [
        _line(one, members.get(one.id, Members()), plans.get(one.id), waiting.get(one.id))
        for one in counted
    ]
    all_grades = sorted({row.grade for row in every})
    in_grade = grade if grade in all_grades else None
    rows = [row for row in every if in_grade in (None, row.grade)]
    chosen = next((row for row in every if row.id == homeroom_id), None)
    shown = [chosen] if chosen else rows
    of_shown = {row.id: plans[row.id] for row in shown if row.id in plans}
    only = None if len(shown) == len(every) else [row.id for row in shown]
    return Board(
        rows=rows,
        chosen=chosen,
        total=_sum(shown),
        not_yet=_name_unknown(session, school.id, time, chosen, plans),
        late=name_late(session, school.id, time.day, only, MAX_NAMES),
        all_grades=all_grades,
        grade=in_grade,
        grades=_by_grade(rows),
        days=describe_days(
            session, school.id, time.day, of_shown, {row.id: row.grade for row in shown}
        ),
        late_after=late_after(of_shown.values()),
    )


def time_of(day: date, now: datetime, zone: ZoneInfo) -> Time:
    """A school's day as far as it has gone."""
    begin, end = bounds_of(day, zone)
    return Time(day, begin, min(now, end))


def read_counts(session: Session, school_id: int, day: date) -> Counts:
    """Who has come and how many there are, of the whole school on one day."""
    is_enrolled = Student.status == StudentStatus.ENROLLED
    students, inside, of_them = session.execute(
        select(
            func.count().filter(is_enrolled),
            func.count().filter(is_inside(school_id)),
            func.count().filter(is_enrolled, is_inside(school_id)),
        )
        .select_from(Student)
        .outerjoin(Presence, Presence.student_id == Student.id)
        .where(Student.school_id == school_id)
    ).one()
    arrived, late, since_today = session.execute(
        select(
            func.coalesce(func.sum(HomeroomDay.arrived), 0),
            func.coalesce(func.sum(HomeroomDay.late), 0),
            func.coalesce(func.sum(HomeroomDay.inside), 0),
        ).where(HomeroomDay.school_id == school_id, HomeroomDay.day == day)
    ).one()
    stayed = max(0, of_them - since_today)
    not_yet = max(0, students - arrived - stayed)
    return Counts(students, arrived, late, inside, not_yet=not_yet)


def shown_rooms(board: Board) -> list[int] | None:
    """The homerooms that a board's lists are of; None for all of the school."""
    if board.chosen:
        return [board.chosen.id]
    return None if board.grade is None else [row.id for row in board.rows]


def _sum(rows: Iterable[HomeroomRow]) -> Counts:
    return sum((row.counts for row in rows), Counts())


def _line(
    day: _RoomDay, members: Members, plan: DayPlan | None, waiting: RoomWaiting | None
) -> HomeroomRow:
    """The line of a homeroom: what is counted, what its day expects, and why not all is judged."""
    known = members.count(expecting(plan))
    counts = Counts(
        students=members.students,
        # Boarders on campus are no arrivals of a day that expects nothing of them.
        arrived=known.came if known.students else day.arrived,
        late=day.late,
        inside=members.inside,
        expected=known.students,
        left_early=day.left_early,
        absent=day.absent,
        on_leave=day.on_leave + known.away,
        not_yet=known.unknown,
    )
    return HomeroomRow(day.id, day.grade, day.name, counts, waiting)


def _name_unknown(
    session: Session,
    school_id: int,
    time: Time,
    chosen: HomeroomRow | None,
    plans: Mapping[int, DayPlan],
) -> list[Named]:
    """Of one homeroom; for more the counts must do."""
    if chosen is None:
        return []
    room = (chosen.id, expecting(plans.get(chosen.id)))
    return name_unknown(session, school_id, time, room, MAX_NAMES)


def _by_grade(rows: Iterable[HomeroomRow]) -> list[GradeRow]:
    grades: dict[int, Counts] = {}
    for row in rows:
        grades[row.grade] = grades.get(row.grade, Counts()) + row.counts
    return [GradeRow(grade, grades[grade]) for grade in sorted(grades)]


def _read_days(
    session: Session, school_id: int, day: date, inside: Collection[int]
) -> list[_RoomDay]:
    """The homerooms with what is counted of their day; of one without a tap nothing is.

    A homeroom of a year that is over stands on the days of that year, and while it is of those
    `inside` of which somebody is on campus: a suspended student who was not moved up.
    """
    values = {"school": school_id, "day": day, "inside": inside}
    found = session.execute(_select_days(), values)
    return [
        _RoomDay(key, grade, name, *(number or 0 for number in numbers))
        for key, grade, name, *numbers in found
    ]


@cache
def _select_days() -> Select[*tuple[Any, ...]]:
    school, day = bindparam("school", type_=Integer()), bindparam("day", type_=Date())
    return (
        select(
            Homeroom.id,
            Homeroom.grade,
            Homeroom.name,
            HomeroomDay.arrived,
            HomeroomDay.late,
            HomeroomDay.left_early,
            HomeroomDay.absent,
            HomeroomDay.on_leave,
        )
        .outerjoin(
            HomeroomDay,
            and_(
                HomeroomDay.school_id == school,
                HomeroomDay.homeroom_id == Homeroom.id,
                HomeroomDay.day == day,
            ),
        )
        .where(
            Homeroom.school_id == school,
            or_(
                Homeroom.is_past.is_(False),
                HomeroomDay.day.is_not(None),
                Homeroom.id.in_(bindparam("inside", expanding=True)),
            ),
        )
        .order_by(Homeroom.grade, Homeroom.id)
    )

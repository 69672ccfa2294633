"""Homerooms by attendance over a time (考勤排名), for the conduct assessment, and by week."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from card_server.calendar.rules import Rules, rules_for
from schema.tables.attendance import HomeroomDay
from schema.tables.people import Student, StudentStatus
from schema.tables.school import Homeroom


@dataclass(frozen=True)
class Sums:
    """What a time comes to, of one homeroom or of several together."""

    students: int = 0
    """Enrolled today."""
    came: int = 0
    """Days on which students came, added up."""
    away: int = 0
    """Days on which students were expected and were not there in any session."""
    late: int = 0
    """Sessions, as those below."""
    left_early: int = 0
    absent: int = 0
    on_leave: int = 0
    points_tenths: int = 0
    """Conduct points taken, in tenths of a point."""

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.students + other.students,
            self.came + other.came,
            self.away + other.away,
            self.late + other.late,
            self.left_early + other.left_early,
            self.absent + other.absent,
            self.on_leave + other.on_leave,
            self.points_tenths + other.points_tenths,
        )

    @property
    def rate(self) -> float | None:
        """How many per cent of the days on which students were expected they came (出勤率)."""
        expected = self.came + self.away
        return round(100 * self.came / expected, 1) if expected else None


@dataclass(frozen=True)
class RankedRoom:
    """One homeroom's line."""

    id: int
    grade: int
    name: str
    sums: Sums
    rank: int = 0
    """From 1, by points taken and then by rate; equal ones share it."""


@dataclass(frozen=True)
class GradeLine:
    """The homerooms of one grade together."""

    grade: int
    rooms: int
    sums: Sums


@dataclass(frozen=True)
class Week:
    """The days of the time that lie in one week."""

    starts_on: date
    """Monday."""
    sums: Sums


@dataclass(frozen=True)
class Ranking:
    """A time's rankings; `rooms` in the order of their ranks."""

    rules: Rules
    rooms: list[RankedRoom]
    grades: list[GradeLine]
    weeks: list[Week]
    total: Sums


def read_ranking(
    session: Session,
    school_id: int,
    first: date,
    last: date,
    grade: int | None = None,
    homeroom_id: int | None = None,
) -> Ranking:
    """The homerooms of all grades, of one, or one of them, from the first to the last day.

    Three queries, over a row for each homeroom's day.
    """
    rules = rules_for(session, school_id)
    time = and_(HomeroomDay.school_id == school_id, HomeroomDay.day.between(first, last))
    rooms = _read_rooms(session, school_id, time, rules, grade, homeroom_id)
    # Of all homerooms none needs naming.
    ids = None if grade is None and homeroom_id is None else [one.id for one in rooms]
    rooms = [one for one in rooms if one.sums.students or one.sums.came or one.sums.away]
    grades = _by_grade(rooms)
    return Ranking(
        rules=rules,
        rooms=_rank(rooms),
        grades=grades,
        weeks=_read_weeks(session, time, rules, ids),
        total=sum((one.sums for one in grades), Sums()),
    )


def read_room_weeks(
    session: Session, school_id: int, first: date, last: date, ranking: Ranking
) -> dict[int, dict[date, Sums]]:
    """What each week comes to for each homeroom of a ranking over that time, by its Monday.

    One query, over a row for each homeroom's day.
    """
    wanted = (
        select(HomeroomDay.homeroom_id, HomeroomDay.day, *_SUMS)
        .where(
            HomeroomDay.school_id == school_id,
            HomeroomDay.day.between(first, last),
            HomeroomDay.homeroom_id.in_([one.id for one in ranking.rooms]),
        )
        .group_by(HomeroomDay.homeroom_id, HomeroomDay.day)
    )
    weeks: dict[int, dict[date, Sums]] = {one.id: {} for one in ranking.rooms}
    for room, day, *numbers in session.execute(wanted):
        of_room, monday = weeks[room], _monday(day)
        of_room[monday] = of_room.get(monday, Sums()) + _sums(ranking.rules, 0, *numbers)
    return weeks


_SUMS = tuple(
    func.sum(column)
    for column in (
        HomeroomDay.arrived,
        HomeroomDay.away,
        HomeroomDay.late_sessions,
        HomeroomDay.left_early_sessions,
        HomeroomDay.absent_sessions,
        HomeroomDay.on_leave_sessions,
    )
)


def _read_rooms(
    session: Session,
    school_id: int,
    time: ColumnElement[bool],
    rules: Rules,
    grade: int | None,
    homeroom_id: int | None,
) -> list[RankedRoom]:
    size = (
        select(Student.homeroom_id, func.count().label("students"))
        .where(Student.school_id == school_id, Student.status == StudentStatus.ENROLLED)
        .group_by(Student.homeroom_id)
        .subquery()
    )
    summed = (
        select(HomeroomDay.homeroom_id, *_SUMS).where(time).group_by(HomeroomDay.homeroom_id)
    ).subquery()
    came, *others = list(summed.c)[1:]
    wanted = (
        select(
            Homeroom.id,
            Homeroom.grade,
            Homeroom.name,
            *(func.coalesce(one, 0) for one in (size.c.students, came, *others)),
        )
        .outerjoin(size, size.c.homeroom_id == Homeroom.id)
        .outerjoin(summed, summed.c.homeroom_id == Homeroom.id)
        .where(
            Homeroom.school_id == school_id,
            # A homeroom of a year that is over stands in the times of that year alone.
            or_(Homeroom.is_past.is_(False), came > 0),
        )
        .order_by(Homeroom.grade, Homeroom.id)
    )
    if grade is not None:
        wanted = wanted.where(Homeroom.grade == grade)
    if homeroom_id is not None:
        wanted = wanted.where(Homeroom.id == homeroom_id)
    return [
        RankedRoom(key, in_grade, name, _sums(rules, students, *numbers))
        for key, in_grade, name, students, *numbers in session.execute(wanted)
    ]


def _read_weeks(
    session: Session,
    time: ColumnElement[bool],
    rules: Rules,
    homeroom_ids: Collection[int] | None,
) -> list[Week]:
    wanted = select(HomeroomDay.day, *_SUMS).where(time)
    if homeroom_ids is not None:
        wanted = wanted.where(HomeroomDay.homeroom_id.in_(homeroom_ids))
    weeks: dict[date, Sums] = {}
    for day, *numbers in session.execute(wanted.group_by(HomeroomDay.day)):
        monday = _monday(day)
        weeks[monday] = weeks.get(monday, Sums()) + _sums(rules, 0, *numbers)
    return [Week(monday, weeks[monday]) for monday in sorted(weeks)]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _sums(
    rules: Rules,
    students: int,
    came: int,
    away: int,
    late: int,
    left_early: int,
    absent: int,
    on_leave: int,
) -> Sums:
    """Numbers as the database adds them up, with the points that they cost."""
    return Sums(
        students=students,
        came=int(came),
        away=int(away),
        late=int(late),
        left_early=int(left_early),
        absent=int(absent),
        on_leave=int(on_leave),
        points_tenths=int(late) * rules.late_tenths
        + int(left_early) * rules.early_tenths
        + int(absent) * rules.absent_tenths,
    )


def _rank(rooms: Iterable[RankedRoom]) -> list[RankedRoom]:
    """Fewest points taken first, then the best rate; nothing is said of who never came."""
    ordered = sorted(rooms, key=lambda one: (_merit(one), one.grade, one.id))
    ranked: list[RankedRoom] = []
    for place, one in enumerate(ordered, start=1):
        is_equal = bool(ranked) and _merit(ranked[-1]) == _merit(one)
        ranked.append(replace(one, rank=ranked[-1].rank if is_equal else place))
    return ranked


def _merit(room: RankedRoom) -> tuple[bool, int, float]:
    rate = room.sums.rate
    return rate is None, room.sums.points_tenths, -(rate or 0.0)


def _by_grade(rooms: Iterable[RankedRoom]) -> list[GradeLine]:
    grades: dict[int, GradeLine] = {}
    for one in rooms:
        line = grades.get(one.grade, GradeLine(one.grade, 0, Sums()))
        grades[one.grade] = GradeLine(one.grade, line.rooms + 1, line.sums + one.sums)
    return [grades[grade] for grade in sorted(grades)]

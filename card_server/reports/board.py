"""Today's board (今日): who has arrived, who is late, who is not there yet, who is on campus."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from schema.tables.attendance import Attendance, HomeroomDay
from schema.tables.people import Student, StudentStatus
from schema.tables.school import Homeroom

MAX_NAMES = 200
"""Names that one list shows; the counts are always of all."""


@dataclass(frozen=True)
class Counts:
    """The numbers of one homeroom, or of all together."""

    students: int
    arrived: int
    late: int
    inside: int

    @property
    def not_yet(self) -> int:
        return max(0, self.students - self.arrived)

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.students + other.students,
            self.arrived + other.arrived,
            self.late + other.late,
            self.inside + other.inside,
        )


@dataclass(frozen=True)
class HomeroomRow:
    """One homeroom's line of the board."""

    id: int
    grade: int
    name: str
    counts: Counts


@dataclass(frozen=True)
class Named:
    """A student in one of the board's lists."""

    id: int
    name: str
    number: str
    homeroom: str
    arrived_at: datetime | None
    late_minutes: int


@dataclass(frozen=True)
class Board:
    """The whole board; `total` and the lists are of the chosen homeroom when one is chosen."""

    rows: list[HomeroomRow]
    chosen: HomeroomRow | None
    total: Counts
    not_yet: list[Named]
    late: list[Named]


def read_board(session: Session, school_id: int, day: date, homeroom_id: int | None) -> Board:
    """The board of one day in three queries, whatever the size of the school."""
    rows = _read_rows(session, school_id, day)
    chosen = next((row for row in rows if row.id == homeroom_id), None)
    shown = [chosen] if chosen else rows
    return Board(
        rows=rows,
        chosen=chosen,
        total=sum((row.counts for row in shown), Counts(0, 0, 0, 0)),
        not_yet=_read_not_yet(session, school_id, day, chosen.id if chosen else None),
        late=_read_late(session, school_id, day, chosen.id if chosen else None),
    )


def read_counts(session: Session, school_id: int, day: date) -> Counts:
    """The whole school's numbers of one day."""
    rows = _read_rows(session, school_id, day)
    return sum((row.counts for row in rows), Counts(0, 0, 0, 0))


def _read_rows(session: Session, school_id: int, day: date) -> list[HomeroomRow]:
    size = (
        select(Student.homeroom_id, func.count().label("students"))
        .where(Student.school_id == school_id, Student.status == StudentStatus.ENROLLED)
        .group_by(Student.homeroom_id)
        .subquery()
    )
    found = session.execute(
        select(
            Homeroom.id,
            Homeroom.grade,
            Homeroom.name,
            func.coalesce(size.c.students, 0),
            func.coalesce(HomeroomDay.arrived, 0),
            func.coalesce(HomeroomDay.late, 0),
            func.coalesce(HomeroomDay.inside, 0),
        )
        .outerjoin(size, size.c.homeroom_id == Homeroom.id)
        .outerjoin(
            HomeroomDay,
            and_(
                HomeroomDay.school_id == school_id,
                HomeroomDay.homeroom_id == Homeroom.id,
                HomeroomDay.day == day,
            ),
        )
        .where(
            Homeroom.school_id == school_id,
            # A homeroom of a year that is over stands on the days of that year alone.
            or_(Homeroom.is_past.is_(False), HomeroomDay.day.is_not(None)),
        )
        .order_by(Homeroom.grade, Homeroom.id)
    )
    return [
        HomeroomRow(key, grade, name, Counts(students, arrived, late, inside))
        for key, grade, name, students, arrived, late, inside in found
    ]


def _read_not_yet(
    session: Session, school_id: int, day: date, homeroom_id: int | None
) -> list[Named]:
    """Those of a homeroom who have not arrived; for a whole school the count must do."""
    if homeroom_id is None:
        return []
    arrived = select(Attendance.student_id).where(
        Attendance.school_id == school_id,
        Attendance.day == day,
        Attendance.arrived_at.is_not(None),
    )
    found = session.execute(
        select(Student.id, Student.name, Student.number, Homeroom.name)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(
            Student.school_id == school_id,
            Student.homeroom_id == homeroom_id,
            Student.status == StudentStatus.ENROLLED,
            Student.id.not_in(arrived),
        )
        .order_by(Student.number)
        .limit(MAX_NAMES)
    )
    return [Named(key, name, number, room, None, 0) for key, name, number, room in found]


def _read_late(session: Session, school_id: int, day: date, homeroom_id: int | None) -> list[Named]:
    wanted = (
        select(
            Student.id,
            Student.name,
            Student.number,
            Homeroom.name,
            Attendance.arrived_at,
            Attendance.late_minutes,
        )
        .select_from(Attendance)
        .join(Student, Student.id == Attendance.student_id)
        .join(Homeroom, Homeroom.id == Attendance.homeroom_id)
        .where(
            Attendance.school_id == school_id,
            Attendance.day == day,
            Attendance.late_minutes > 0,
        )
        .order_by(Attendance.arrived_at.desc(), Student.id)
        .limit(MAX_NAMES)
    )
    if homeroom_id is not None:
        wanted = wanted.where(Attendance.homeroom_id == homeroom_id)
    return [Named(*row) for row in session.execute(wanted)]

"""When a student's homeroom changes, the days from then on count for the new homeroom."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from card_server.school_time import day_of
from card_server.storage.bulk import Write, write_all
from schema.tables.attendance import Attendance, HomeroomDay, Presence

_AT_ONCE = 1000


class _Count(Struct):
    """What is added to a homeroom's counts of a day."""

    school_id: int
    homeroom_id: int
    day: date
    arrived: int = 0
    late: int = 0
    inside: int = 0
    left_early: int = 0
    absent: int = 0
    on_leave: int = 0


_ADDING = ", ".join(
    f"{name} = homeroom_day.{name} + excluded.{name}" for name in _Count.__struct_fields__[3:]
)
Counts = dict[tuple[int, date], _Count]


def move_days(
    session: Session, school_id: int, moves: Mapping[int, int], on: date, zone: ZoneInfo
) -> None:
    """Give these students' days since `on` to their new homerooms (student id → homeroom id).

    The presence rows are locked first, as whoever records taps does: nobody changes a day between.
    """
    counts: Counts = {}
    for students in _parts(moves):
        _move_presence(session, school_id, moves, students, zone, counts)
        _move_attendance(session, school_id, moves, students, on, counts)
    changed = sorted(counts.values(), key=lambda one: (one.homeroom_id, one.day))
    write_all(
        session,
        [
            Write(
                HomeroomDay,
                changed,
                _ADDING,
            )
        ],
    )


def _parts(moves: Mapping[int, int]) -> Iterator[list[int]]:
    students = iter(sorted(moves))
    while part := list(islice(students, _AT_ONCE)):
        yield part


def _move_presence(
    session: Session,
    school_id: int,
    moves: Mapping[int, int],
    students: list[int],
    zone: ZoneInfo,
    counts: Counts,
) -> None:
    found = session.scalars(
        select(Presence)
        .where(Presence.school_id == school_id, Presence.student_id.in_(students))
        .order_by(Presence.student_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for presence in found:
        new = moves[presence.student_id]
        if presence.is_inside and presence.homeroom_id != new:
            since = day_of(presence.since_at, zone)
            _count(counts, school_id, presence.homeroom_id, since).inside -= 1
            _count(counts, school_id, new, since).inside += 1
        presence.homeroom_id = new
    session.flush()


def _move_attendance(
    session: Session,
    school_id: int,
    moves: Mapping[int, int],
    students: list[int],
    on: date,
    counts: Counts,
) -> None:
    # A day that was kept before there were timetables has only the minutes.
    is_of_old = Attendance.sessions == ""
    found = session.execute(
        select(
            Attendance.student_id,
            Attendance.day,
            Attendance.homeroom_id,
            Attendance.arrived_at,
            or_(Attendance.late > 0, is_of_old & (Attendance.late_minutes > 0)),
            Attendance.left_early > 0,
            Attendance.absent > 0,
            Attendance.on_leave > 0,
        ).where(
            Attendance.school_id == school_id,
            Attendance.day >= on,
            Attendance.student_id.in_(students),
        )
    ).all()
    for student_id, day, homeroom_id, arrived_at, *counted in found:
        new = moves[student_id]
        if homeroom_id == new:
            continue
        for room, sign in ((homeroom_id, -1), (new, 1)):
            count = _count(counts, school_id, room, day)
            count.arrived += sign * (arrived_at is not None)
            late, left_early, absent, on_leave = (sign * bool(one) for one in counted)
            count.late += late
            count.left_early += left_early
            count.absent += absent
            count.on_leave += on_leave
        session.execute(
            update(Attendance)
            .where(
                Attendance.school_id == school_id,
                Attendance.day == day,
                Attendance.student_id == student_id,
            )
            .values(homeroom_id=new)
            .execution_options(synchronize_session=False)
        )


def _count(counts: Counts, school_id: int, homeroom_id: int, day: date) -> _Count:
    return counts.setdefault((homeroom_id, day), _Count(school_id, homeroom_id, day))

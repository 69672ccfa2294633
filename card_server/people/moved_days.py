"""When a student's homeroom changes, the days from then on count for the new homeroom."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from card_server.attendance.counted import COUNTED, add_counted
from card_server.attendance.rows import Counts
from card_server.school_time import day_of
from card_server.storage.bulk import write_all
from schema.tables.attendance import Attendance, Presence

_AT_ONCE = 1000


def move_days(
    session: Session, school_id: int, moves: Mapping[int, int], on: date, zone: ZoneInfo
) -> None:
    """Give these students' days since `on` to their new homerooms (student id → homeroom id).

    The presence rows are locked first, as whoever records taps does: nobody changes a day between.
    """
    counts = Counts()
    for students in _parts(moves):
        _move_presence(session, school_id, moves, students, zone, counts)
        _move_attendance(session, school_id, moves, students, on, counts)
    write_all(session, [counts.write()])


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
            counts.of(school_id, presence.homeroom_id, since).inside -= 1
            counts.of(school_id, new, since).inside += 1
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
    found = session.execute(
        select(
            Attendance.student_id,
            Attendance.day,
            Attendance.homeroom_id,
            *COUNTED.values(),
        ).where(
            Attendance.school_id == school_id,
            Attendance.day >= on,
            Attendance.student_id.in_(students),
        )
    ).all()
    for student_id, day, homeroom_id, *counted in found:
        new = moves[student_id]
        if homeroom_id == new:
            continue
        add_counted(counts.of(school_id, homeroom_id, day), counted, -1)
        add_counted(counts.of(school_id, new, day), counted)
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

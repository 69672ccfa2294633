"""Correcting a whole homeroom at once: who has no card today, and is there all the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from card_server.attendance.correcting import Doing, Mark, refuse_day, write_correction
from card_server.attendance.exemptions import exempt_on
from card_server.attendance.facts import ALL_DAY, DayPlan, SessionPlan, SessionResult
from card_server.attendance.plans import PlanKey, plans_now, read_kept, read_school
from card_server.attendance.refold import refold
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.leave.reading import leaves_of
from card_server.people.stays import lock_student
from card_server.register.homerooms import find_homeroom
from card_server.school_time import bounds_of
from schema.tables.attendance import Attendance, SessionStatus
from schema.tables.people import Boarding, Student, StudentStatus

_RESULTS = msgspec.json.Decoder(list[SessionResult])
_OPEN = (SessionStatus.NOT_JUDGED, SessionStatus.ABSENT)


@dataclass(frozen=True)
class Missing:
    """A student of whom something is not judged or who was absent, and in which sessions."""

    student_id: int
    name: str
    number: str
    positions: tuple[int, ...]


@dataclass(frozen=True)
class Marked:
    """What one click did."""

    students: int
    """How many became present."""
    marking_id: UUID | None
    """By which all of it can be taken back; None when nobody was missing."""


def mark_homeroom(
    session: Session, doing: Doing, homeroom_id: int, day: date, position: int, reason: str
) -> Marked:
    """Let all of a homeroom who were absent or not judged be present.

    For one session of the day, or (`ALL_DAY`) for all that have begun. Raises
    AppError(NOT_FOUND), FieldsError for a day or a session that cannot be corrected.
    """
    refuse_day(session, doing, day)
    find_homeroom(session, doing.school_id, homeroom_id)
    begun = begun_sessions(plan_of(session, doing.school_id, homeroom_id, day), day, doing)
    if position != ALL_DAY and position not in [one.position for one in begun]:
        raise FieldsError({"position": _("This session has not begun yet.")})
    missing = list_missing(session, doing, homeroom_id, day, begun, position)
    marking_id = uuid4() if missing else None
    for one in missing:
        lock_student(session, doing.school_id, one.student_id)
        for at in one.positions:
            mark = Mark(at, SessionStatus.PRESENT, None, reason)
            write_correction(session, doing, one.student_id, day, mark, marking_id)
    refold(session, doing.school_id, [one.student_id for one in missing], day, day, doing.now)
    return Marked(len(missing), marking_id)


def list_missing(
    session: Session,
    doing: Doing,
    homeroom_id: int,
    day: date,
    begun: Sequence[SessionPlan],
    position: int = ALL_DAY,
) -> list[Missing]:
    """Who would become present in sessions that have begun, by student number; five queries.

    Not those of whom nothing is expected: boarders, who are exempt, and who is on leave.
    """
    wanted = [one for one in begun if position in (ALL_DAY, one.position)]
    for_all = [one.position for one in wanted if one.is_for_day_students]
    if not wanted:
        return []
    excused = _excused(session, doing, homeroom_id, day)
    found = _read_members(session, doing, homeroom_id, day)
    missing = []
    for student_id, name, number, results in found:
        if results is None and student_id in excused:
            continue
        open_ = _open_positions(results, [one.position for one in wanted], for_all)
        if open_:
            missing.append(Missing(student_id, name, number, tuple(open_)))
    return missing


def plan_of(session: Session, school_id: int, homeroom_id: int, day: date) -> DayPlan | None:
    """What a day was for a homeroom when it began, or what the calendar says of it."""
    key = PlanKey(school_id, day, homeroom_id)
    kept = read_kept(session, [key]).get(key)
    if kept is not None:
        return kept
    return plans_now(session, {school_id: read_school(session, school_id)}, [key]).get(key)


def begun_sessions(plan: DayPlan | None, day: date, doing: Doing) -> list[SessionPlan]:
    """The sessions of a day whose students should be there by now, in the order of the day.

    Boarders may come back at any hour of the day, and should be there by that of their return.
    """
    if plan is None:
        return []
    midnight = datetime.combine(day, time.min, doing.zone)
    begins = [one.late_after if one.is_return else one.arrive_from for one in plan.sessions]
    return [
        one
        for one, minute in zip(plan.sessions, begins, strict=True)
        if midnight + timedelta(minutes=minute) <= doing.now
    ]


def _read_members(
    session: Session, doing: Doing, homeroom_id: int, day: date
) -> list[tuple[int, str, str, list[SessionResult] | None]]:
    """The homeroom's students on that day, and how their sessions are judged; None: not at all.

    A student of the homeroom whose day counted for another one was not of it then, and who was
    not of the school then has no day.
    """
    school_id, end = doing.school_id, bounds_of(day, doing.zone)[1]
    found = session.execute(
        select(Student.id, Student.name, Student.number, Attendance.sessions)
        .outerjoin(
            Attendance,
            and_(
                Attendance.school_id == school_id,
                Attendance.day == day,
                Attendance.student_id == Student.id,
            ),
        )
        .where(
            Student.school_id == school_id,
            or_(
                Attendance.homeroom_id == homeroom_id,
                and_(
                    Attendance.homeroom_id.is_(None),
                    Student.homeroom_id == homeroom_id,
                    Student.status == StudentStatus.ENROLLED,
                    or_(Student.status_since.is_(None), Student.status_since <= day),
                    or_(Student.gone_at.is_(None), Student.gone_at >= end),
                ),
            ),
            Student.erased_at.is_(None),
        )
        .order_by(Student.number)
    )
    return [
        (student_id, name, number, _RESULTS.decode(sessions) if sessions else None)
        for student_id, name, number, sessions in found
    ]


def _open_positions(
    results: list[SessionResult] | None, wanted: list[int], for_all: list[int]
) -> list[int]:
    """Of whom nothing is judged at all, day students' sessions: boarders are judged when due."""
    if results is None:
        return for_all
    return [one.position for one in results if one.position in wanted and one.status in _OPEN]


def _excused(session: Session, doing: Doing, homeroom_id: int, day: date) -> set[int]:
    """Of whom nothing is expected that day, though nothing was judged yet."""
    own = (Student.school_id == doing.school_id, Student.homeroom_id == homeroom_id)
    ids = list(session.scalars(select(Student.id).where(*own)))
    boarders = session.scalars(
        select(Boarding.student_id).where(
            Boarding.student_id.in_(ids),
            Boarding.from_on <= day,
            or_(Boarding.until_on.is_(None), Boarding.until_on > day),
        )
    )
    begin, end = bounds_of(day, doing.zone)
    exempt = {one for one, _day in exempt_on(session, doing.school_id, ids, day, day)}
    on_leave = leaves_of(session, doing.school_id, ids, begin, end)
    return {*boarders} | exempt | on_leave.keys()

"""Who was held at the gates today (未获准离校), until when, whom to call, and how it ended."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Row, exists, func, select
from sqlalchemy.orm import Session

from card_server.leave.exits import Group, held_until
from card_server.people.boarding_days import boards_on
from card_server.school_time import bounds_of, day_of
from schema.messages import Decision, Refusal
from schema.tables.attendance import HandPassage
from schema.tables.people import Student, StudentPhoto
from schema.tables.readers import Direction, Reader
from schema.tables.school import Homeroom
from schema.tables.staff import Role, Staff, StaffGrant
from schema.tables.taps import Tap

MAX_HELD = 200
"""Students that the page shows, the newest first."""
AT_THE_GATE = timedelta(minutes=10)
"""So long after the last try a student counts as standing there."""


class HeldState(StrEnum):
    """How it ended, as far as it has."""

    WAITING = "waiting"
    LET_OUT = "let_out"
    """By a guard's word."""
    LEFT = "left"
    """With the card, once a leave slip or the end of lessons let it."""
    STAYED = "stayed"
    """Neither, and not at the gate any more."""


@dataclass(frozen=True)
class HeldStudent:
    """A student whose exit was held, by the last try of the day."""

    student_id: int
    name: str
    number: str
    homeroom_id: int
    homeroom: str
    has_photo: bool
    reader_id: int
    gate: str
    at: datetime
    boards: bool
    state: HeldState
    until_at: datetime | None = None
    """When the lessons that hold the exit end; None when they are over."""
    teachers: list[str] = field(default_factory=list)
    """Whom to call."""


def judge_held(
    at: datetime, left_at: datetime | None, let_out_at: datetime | None, now: datetime
) -> HeldState:
    """How a held exit ended, by the last exit with the card and the last by a guard's word."""
    if left_at is not None and left_at >= at:
        return HeldState.LEFT
    if let_out_at is not None and let_out_at >= at:
        return HeldState.LET_OUT
    return HeldState.WAITING if now - at <= AT_THE_GATE else HeldState.STAYED


def list_held(
    session: Session, school_id: int, zone: ZoneInfo, now: datetime, student_id: int | None = None
) -> list[HeldStudent]:
    """Those held today, the newest first; of each student the last try. Seven queries or fewer."""
    tries = _last_tries(session, school_id, zone, now, student_id)
    students = [row.student_id for row in tries]
    if not students:
        return []
    since = bounds_of(day_of(now, zone), zone)[0]
    left = _last_exits(session, school_id, students, since)
    let_out = _last_words(session, school_id, students, since)
    teachers = _teachers(session, {row.homeroom_id for row in tries})
    groups = {Group(row.homeroom_id, bool(row.boards)) for row in tries}
    until = held_until(session, school_id, zone, now, groups)
    return [
        HeldStudent(
            *row,
            judge_held(row.at, left.get(row.student_id), let_out.get(row.student_id), now),
            until.get(Group(row.homeroom_id, bool(row.boards))),
            teachers.get(row.homeroom_id, []),
        )
        for row in tries
    ]


def _last_tries(
    session: Session, school_id: int, zone: ZoneInfo, now: datetime, student_id: int | None
) -> list[Row[int, str, str, int, str, bool, int, str, datetime, bool]]:
    since = bounds_of(day_of(now, zone), zone)[0]
    number = func.row_number().over(
        partition_by=Tap.student_id, order_by=(Tap.occurred_at.desc(), Tap.id.desc())
    )
    held = (
        select(Tap.student_id, Tap.reader_id, Tap.occurred_at, number.label("number"))
        .where(
            Tap.school_id == school_id,
            # Nothing of today came before today, and only this has an index of the school's own.
            Tap.received_at >= since,
            Tap.occurred_at >= since,
            Tap.reason == Refusal.HELD,
            Tap.student_id.is_not(None),
        )
        .subquery()
    )
    wanted = (
        select(
            Student.id.label("student_id"),
            Student.name,
            Student.number,
            Student.homeroom_id,
            Homeroom.name.label("homeroom"),
            exists().where(StudentPhoto.student_id == Student.id).label("has_photo"),
            Reader.id.label("reader_id"),
            Reader.name.label("gate"),
            held.c.occurred_at.label("at"),
            boards_on(day_of(now, zone)).label("boards"),
        )
        .join(held, held.c.student_id == Student.id)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .join(Reader, Reader.id == held.c.reader_id)
        .where(Student.school_id == school_id, held.c.number == 1)
        .order_by(held.c.occurred_at.desc(), Student.id)
        .limit(MAX_HELD)
    )
    if student_id is not None:
        wanted = wanted.where(Student.id == student_id)
    return list(session.execute(wanted).all())


def _last_exits(
    session: Session, school_id: int, students: Collection[int], since: datetime
) -> dict[int, datetime]:
    found = session.execute(
        select(Tap.student_id, func.max(Tap.occurred_at))
        .where(
            Tap.school_id == school_id,
            Tap.student_id.in_(students),
            Tap.occurred_at >= since,
            Tap.decision == Decision.ADMITTED,
            Tap.direction == Direction.OUT,
        )
        .group_by(Tap.student_id)
    )
    return {student: at for student, at in found if student is not None}


def _last_words(
    session: Session, school_id: int, students: Collection[int], since: datetime
) -> dict[int, datetime]:
    found = session.execute(
        select(HandPassage.student_id, func.max(HandPassage.at))
        .where(
            HandPassage.school_id == school_id,
            HandPassage.student_id.in_(students),
            HandPassage.at >= since,
            HandPassage.direction == Direction.OUT,
            HandPassage.ended_at.is_(None),
        )
        .group_by(HandPassage.student_id)
    )
    return {student: at for student, at in found}  # noqa: C416 - a row is a tuple only so


def _teachers(session: Session, rooms: Collection[int]) -> dict[int, list[str]]:
    """The homeroom teachers' names, by homeroom."""
    found = session.execute(
        select(StaffGrant.homeroom_id, Staff.name)
        .join(Staff, Staff.id == StaffGrant.staff_id)
        .where(
            StaffGrant.role == Role.HOMEROOM_TEACHER,
            StaffGrant.homeroom_id.in_(rooms),
            Staff.disabled_at.is_(None),
        )
        .order_by(Staff.name)
    )
    teachers: dict[int, list[str]] = defaultdict(list)
    for room, name in found:
        if room is not None and name not in teachers[room]:
            teachers[room].append(name)
    return dict(teachers)

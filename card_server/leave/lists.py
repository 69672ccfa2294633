"""Leave slips as pages and programs list them: what waits, what is coming, what is past."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from card_server.leave.steps import STANDING, WAITING
from schema.tables.leave import LeaveKind, LeaveSlip, LeaveState
from schema.tables.people import Student
from schema.tables.school import Homeroom


class Group(StrEnum):
    """Which slips a list shows."""

    WAITING = "waiting"
    """Those that the caller can decide."""
    COMING = "coming"
    """Those whose end has not come, and that are not refused or withdrawn."""
    PAST = "past"


@dataclass(frozen=True)
class SlipLine:
    """One leave slip of a list; its reason stays sealed."""

    id: int
    student_id: int
    name: str
    number: str
    homeroom: str
    kind: LeaveKind
    from_at: datetime
    until_at: datetime
    lets_out: bool
    needs_school: bool
    state: LeaveState
    asked_by: str
    guardian_id: int | None
    asked_at: datetime
    first_by: str
    first_at: datetime | None
    decided_by: str
    decided_at: datetime | None
    ended_by: str
    ended_at: datetime | None
    decision_reason: str


_COLUMNS: Final = (
    LeaveSlip.id,
    LeaveSlip.student_id,
    Student.name,
    Student.number,
    Homeroom.name,
    LeaveSlip.kind,
    LeaveSlip.from_at,
    LeaveSlip.until_at,
    LeaveSlip.lets_out,
    LeaveSlip.needs_school,
    LeaveSlip.state,
    LeaveSlip.asked_by,
    LeaveSlip.guardian_id,
    LeaveSlip.asked_at,
    LeaveSlip.first_by,
    LeaveSlip.first_at,
    LeaveSlip.decided_by,
    LeaveSlip.decided_at,
    LeaveSlip.ended_by,
    LeaveSlip.ended_at,
    LeaveSlip.decision_reason,
)


def list_slips(
    session: Session,
    school_id: int,
    group: Group,
    now: datetime,
    *,
    is_school: bool,
    first: int,
    limit: int,
) -> list[SlipLine]:
    """Some slips of a group, from row `first` (0 is the first): past ones the newest first."""
    order = (
        (LeaveSlip.from_at.desc(), LeaveSlip.id.desc())
        if group is Group.PAST
        else (LeaveSlip.from_at, LeaveSlip.id)
    )
    wanted = select_lines().where(_is_in(school_id, group, now, is_school))
    return read_lines(session, wanted.order_by(*order).offset(first).limit(limit))


def count_slips(
    session: Session, school_id: int, group: Group, now: datetime, *, is_school: bool
) -> int:
    """How many slips a group has within the caller's reach."""
    wanted = select(func.count()).select_from(LeaveSlip)
    return session.scalar(wanted.where(_is_in(school_id, group, now, is_school))) or 0


def slips_of_student(
    session: Session, school_id: int, student_id: int, limit: int = 100
) -> list[SlipLine]:
    """One student's slips, the newest first."""
    wanted = select_lines().where(
        LeaveSlip.school_id == school_id, LeaveSlip.student_id == student_id
    )
    order = (LeaveSlip.from_at.desc(), LeaveSlip.id.desc())
    return read_lines(session, wanted.order_by(*order).limit(limit))


def read_slip(session: Session, school_id: int, slip_id: int) -> SlipLine | None:
    """One slip as a list shows it; None when there is none within reach."""
    wanted = select_lines().where(LeaveSlip.school_id == school_id, LeaveSlip.id == slip_id)
    return next(iter(read_lines(session, wanted)), None)


def leave_of_now(
    session: Session, school_id: int, student_id: int, now: datetime
) -> SlipLine | None:
    """The approved leave that a student has at a moment."""
    wanted = select_lines().where(
        LeaveSlip.school_id == school_id,
        LeaveSlip.student_id == student_id,
        LeaveSlip.state == LeaveState.APPROVED,
        LeaveSlip.from_at <= now,
        LeaveSlip.until_at > now,
    )
    return next(iter(read_lines(session, wanted.limit(1))), None)


def select_lines() -> Select[*tuple[Any, ...]]:
    """The columns of `SlipLine`, with student and homeroom beside to choose and order by."""
    return (
        select(*_COLUMNS)
        .join(Student, Student.id == LeaveSlip.student_id)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
    )


def _is_in(school_id: int, group: Group, now: datetime, is_school: bool) -> ColumnElement[bool]:
    own = LeaveSlip.school_id == school_id
    if group is Group.WAITING:
        states: Sequence[LeaveState] = WAITING if is_school else (LeaveState.ASKED,)
        return own & LeaveSlip.state.in_(states)
    if group is Group.COMING:
        return own & LeaveSlip.state.in_(STANDING) & (LeaveSlip.until_at > now)
    ended = LeaveSlip.state.not_in(STANDING)
    return own & or_(ended, LeaveSlip.until_at <= now)


def read_lines(session: Session, wanted: Select[*tuple[Any, ...]]) -> list[SlipLine]:
    """The slips that a `select_lines` finds."""
    return [SlipLine(*row) for row in session.execute(wanted)]

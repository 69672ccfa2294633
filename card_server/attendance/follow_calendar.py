"""A day that goes on follows calendar and timetables that change, as far as nothing was judged.

What was judged stays by the plan that was kept; it changes only when staff recompute the day,
having seen the difference. The same holds for a day whose hour of closing has come.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from msgspec.structs import replace
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan, SessionPlan
from card_server.attendance.plans import (
    CLOSING,
    PlanKey,
    Plans,
    SchoolDays,
    deadlines_of,
    is_recent,
    plans_now,
    read_kept,
    read_school,
    replace_plans,
)
from card_server.attendance.refold import judge_pupils, read_pupils
from card_server.school_time import day_of
from card_server.storage.bulk import insert_missing
from schema.tables.attendance import Attendance, DayPlanRow, Deadline
from schema.tables.calendar import DayKind


@dataclass
class Settled:
    """What of a homeroom's day is no more to be changed."""

    positions: set[int] = field(default_factory=set)
    """The sessions that were judged."""
    is_closed: bool = False
    """Whether the hour of closing has come."""

    @property
    def is_any(self) -> bool:
        return self.is_closed or bool(self.positions)


def follow_calendar(session: Session, school_id: int, now: datetime) -> list[date]:
    """Let today and later days that are kept be what calendar and timetables say now.

    Days of which something was judged keep that; they are returned, in order. It all belongs to the
    caller's transaction. The session may be limited to what its user sees: all homerooms follow.
    """
    session.flush()
    with Session(bind=session.connection()) as whole:
        school = read_school(whole, school_id)
        keys = _kept_keys(whole, school_id, day_of(now, school.zone))
        settled = _lock_deadlines(whole, school_id, {key.day for key in keys}, now)
        kept = read_kept(whole, keys)
        wanted = plans_now(whole, {school_id: school}, keys)
        changed: Plans = {}
        for key in keys:
            plan = follow(kept[key], wanted.get(key, kept[key]), settled.get(key, Settled()))
            if plan != kept[key]:
                changed[key] = plan
        if changed:
            _keep(whole, school, changed, now)
            _judge(whole, school, changed, now)
        whole.flush()
    return sorted({key.day for key in keys if key in settled and settled[key].is_any})


def follow(kept: DayPlan, wanted: DayPlan, settled: Settled) -> DayPlan:
    """What is judged as it was kept, and of the plan that is wanted what begins after it; pure."""
    if not settled.is_any:
        return wanted
    judged = [one for one in kept.sessions if one.position in settled.positions]
    if settled.is_closed or not judged:
        return kept
    ended = max(one.ends for one in judged)
    last = max(one.position for one in judged)
    had_lessons = any(not one.is_return for one in judged)
    is_cut_short = had_lessons and wanted.kind is DayKind.CLOSED
    later = []
    for one in wanted.sessions:
        # Who was sent home in the middle of a day is not asked back for the same evening.
        if one.late_after < ended or (is_cut_short and one.is_return):
            continue
        # Two sessions of one day never share a position, however the new plan counts them.
        last = max(one.position, last + 1)
        later.append(replace(one, position=last))
    kind = kept.kind if wanted.kind is DayKind.CLOSED else wanted.kind
    return replace(wanted, kind=kind, sessions=(*_in_order(judged), *later))


def _in_order(sessions: Collection[SessionPlan]) -> list[SessionPlan]:
    return sorted(sessions, key=lambda one: one.position)


def _kept_keys(session: Session, school_id: int, today: date) -> list[PlanKey]:
    found = session.execute(
        select(DayPlanRow.day, DayPlanRow.homeroom_id)
        .where(DayPlanRow.school_id == school_id, DayPlanRow.day >= today)
        .order_by(DayPlanRow.day, DayPlanRow.homeroom_id)
    )
    return [PlanKey(school_id, day, homeroom_id) for day, homeroom_id in found]


def _lock_deadlines(
    session: Session, school_id: int, days: Collection[date], now: datetime
) -> Mapping[PlanKey, Settled]:
    """What is settled already; nobody judges any more of it before this transaction ends."""
    found = session.execute(
        select(
            Deadline.day,
            Deadline.homeroom_id,
            Deadline.position,
            Deadline.due_at,
            Deadline.judged_at,
        )
        .where(Deadline.school_id == school_id, Deadline.day.in_(days))
        .order_by(Deadline.day, Deadline.homeroom_id, Deadline.position)
        .with_for_update()
    )
    settled: dict[PlanKey, Settled] = {}
    for day, homeroom_id, position, due_at, judged_at in found:
        one = settled.setdefault(PlanKey(school_id, day, homeroom_id), Settled())
        if position == CLOSING:
            one.is_closed = due_at <= now
        elif judged_at is not None:
            one.positions.add(position)
    return settled


def _keep(session: Session, school: SchoolDays, changed: Plans, now: datetime) -> None:
    """Keep the new plans, and the deadlines of what is not judged."""
    replace_plans(session, changed, now)
    rooms: dict[date, set[int]] = {}
    for key in changed:
        rooms.setdefault(key.day, set()).add(key.homeroom_id)
    for day, homeroom_ids in rooms.items():
        session.execute(
            delete(Deadline)
            .where(
                Deadline.school_id == school.id,
                Deadline.day == day,
                Deadline.homeroom_id.in_(homeroom_ids),
                Deadline.judged_at.is_(None),
            )
            .execution_options(synchronize_session=False)
        )
    rows = [
        row
        for key in sorted(changed)
        if is_recent(key.day, school, now)
        for row in deadlines_of(key, changed[key], school.zone)
    ]
    insert_missing(session, Deadline, rows)


def _judge(session: Session, school: SchoolDays, changed: Plans, now: datetime) -> None:
    """Judge those anew who have something of today on record."""
    today = day_of(now, school.zone)
    rooms = {key.homeroom_id for key in changed if key.day == today}
    wanted = (
        select(Attendance.student_id)
        .where(
            Attendance.school_id == school.id,
            Attendance.day == today,
            Attendance.homeroom_id.in_(rooms),
        )
        .order_by(Attendance.student_id)
    )
    students = session.scalars(wanted).all()
    if students:
        judge_pupils(session, read_pupils(session, school, students, [today]), now)

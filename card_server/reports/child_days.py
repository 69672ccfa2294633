"""Some days of one student, past and coming, as they are told the family."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan, Leave
from card_server.leave.reading import leaves_of
from card_server.reports.day_plans import kept_plans, plans_of_days
from card_server.reports.kept_days import NOTHING_KEPT, KeptDay, read_days
from card_server.reports.sheet_rooms import SheetRoom
from card_server.school_time import bounds_of


@dataclass(frozen=True)
class ChildDay:
    """One day."""

    day: date
    plan: DayPlan | None
    """What the day is, or was, for the student's homeroom."""
    kept: KeptDay
    """What became of it so far."""
    leave: Leave | None
    """Approved leave that touches it, the first."""


def read_child_days(
    session: Session,
    school_id: int,
    student_id: int,
    room: SheetRoom,
    days: Sequence[date],
    zone: ZoneInfo,
) -> list[ChildDay]:
    """These days in their order; three queries, or nine where some plans are not kept.

    `room` is the homeroom of today. A past day keeps the plan of the homeroom of that day.
    """
    found = read_days(session, school_id, [student_id], days)
    kept = {day: one for (_, day), one in found.items()}
    plans = plans_of_days(session, school_id, room, list(days))
    others = {one.homeroom_id for one in kept.values()} - {room.id}
    if others:
        for (day, homeroom_id), plan in kept_plans(session, school_id, others, days).items():
            if day in kept and kept[day].homeroom_id == homeroom_id:
                plans[day] = plan
    begin, end = bounds_of(days[0], zone)[0], bounds_of(days[-1], zone)[1]
    leaves = leaves_of(session, school_id, [student_id], begin, end).get(student_id, [])
    return [
        ChildDay(
            day,
            plans.get(day),
            kept.get(day, NOTHING_KEPT),
            next((one for one in leaves if _touches(one, day, zone)), None),
        )
        for day in days
    ]


def _touches(leave: Leave, day: date, zone: ZoneInfo) -> bool:
    begin, end = bounds_of(day, zone)
    return leave.from_at < end and leave.until_at > begin

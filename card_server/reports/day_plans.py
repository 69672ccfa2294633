"""What days were for a homeroom: as they were kept, or else as calendar and timetables say now."""

from collections.abc import Collection
from datetime import date
from functools import lru_cache

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan
from card_server.calendar.plan import Room, plan_day
from card_server.calendar.reading import read_calendar
from card_server.reports.sheet_rooms import SheetRoom
from card_server.storage.among import is_among
from schema.tables.attendance import DayPlanRow

_PLAN = msgspec.json.Decoder(DayPlan)


def kept_plans(
    session: Session, school_id: int, homeroom_ids: Collection[int], days: Collection[date]
) -> dict[tuple[date, int], DayPlan]:
    """The plans of these days and homerooms that are kept, in one query; equal ones are one."""
    found = session.execute(
        select(DayPlanRow.day, DayPlanRow.homeroom_id, DayPlanRow.plan).where(
            DayPlanRow.school_id == school_id,
            is_among(session, DayPlanRow.day, days),
            is_among(session, DayPlanRow.homeroom_id, homeroom_ids),
        )
    )
    return {(day, homeroom_id): _read_plan(plan) for day, homeroom_id, plan in found}


def distinct_plans(
    session: Session, school_id: int, days: Collection[date]
) -> dict[date, list[DayPlan]]:
    """The different plans that are kept of each of these days, whatever the homeroom; one query.

    A school has few, and homerooms many.
    """
    found = session.execute(
        select(DayPlanRow.day, DayPlanRow.plan)
        .where(DayPlanRow.school_id == school_id, is_among(session, DayPlanRow.day, days))
        .distinct()
    )
    plans: dict[date, list[DayPlan]] = {}
    for day, plan in found:
        plans.setdefault(day, []).append(_read_plan(plan))
    return plans


@lru_cache(maxsize=512)
def _read_plan(plan: str) -> DayPlan:
    return _PLAN.decode(plan)


def plans_of_days(
    session: Session, school_id: int, room: SheetRoom, days: list[date]
) -> dict[date, DayPlan]:
    """The plan of each of these days; one query, or six where some are not kept."""
    kept = {day: plan for (day, _), plan in kept_plans(session, school_id, [room.id], days).items()}
    missing = [day for day in days if day not in kept]
    if not missing:
        return kept
    calendar = read_calendar(session, school_id, missing[0], missing[-1])
    now = {day: plan_day(calendar, day, Room(room.id, room.grade)) for day in missing}
    return kept | now


def is_school_day(plan: DayPlan | None) -> bool:
    """Whether day students are expected: on a day of sessions for boarders alone they are not."""
    return plan is not None and any(one.is_for_day_students for one in plan.sessions)

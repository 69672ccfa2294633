"""Days that are kept already (`day_plan`): which a change would touch, and which begin anew."""

from collections.abc import Collection
from datetime import date

import msgspec
from msgspec import Struct
from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan
from card_server.calendar.reading import plans_between
from schema.tables.attendance import DayPlanRow, Deadline

_PLAN = msgspec.json.Decoder(DayPlan)


class AffectedDay(Struct, frozen=True):
    """A day that was kept, and what calendar and timetables say of it now."""

    day: date
    homeroom_ids: tuple[int, ...]
    """Those whose day would be another one; empty where all is as it was kept."""
    is_judged: bool
    """Whether any of its sessions was judged: such a day stays until somebody recomputes it."""


def days_affected(session: Session, school_id: int, first: date, last: date) -> list[AffectedDay]:
    """The kept days from the first to the last, in their order.

    Seven queries, however many days. A program that recomputes shows what would become of the days
    that have homerooms here before it begins.
    """
    kept: dict[date, dict[int, DayPlan]] = {}
    rows = select(DayPlanRow.day, DayPlanRow.homeroom_id, DayPlanRow.plan).where(
        DayPlanRow.school_id == school_id, DayPlanRow.day.between(first, last)
    )
    for day, homeroom_id, plan in session.execute(rows.order_by(DayPlanRow.day)):
        kept.setdefault(day, {})[homeroom_id] = _PLAN.decode(plan)
    if not kept:
        return []
    homerooms = {one for plans in kept.values() for one in plans}
    now = plans_between(session, school_id, min(kept), max(kept), homerooms)
    judged = set(session.scalars(_judged_days(school_id).where(Deadline.day.between(first, last))))
    return [
        AffectedDay(day, _differing(plans, now[day]), day in judged) for day, plans in kept.items()
    ]


def begin_anew(session: Session, school_id: int, today: date) -> list[date]:
    """Forget how today and later days were kept, so that a change counts for them.

    A day of which something is judged already stays as it is; these days are returned, in order.
    """
    wanted = select(DayPlanRow.day).where(
        DayPlanRow.school_id == school_id, DayPlanRow.day >= today
    )
    kept = set(session.scalars(wanted.distinct()))
    judged = set(session.scalars(_judged_days(school_id).where(Deadline.day >= today)))
    _forget(session, school_id, kept - judged)
    return sorted(kept & judged)


def is_kept(session: Session, school_id: int, day: date) -> bool:
    """Whether a day was begun: what it was for each homeroom is written down."""
    wanted = select(DayPlanRow.day).where(DayPlanRow.school_id == school_id, DayPlanRow.day == day)
    return session.scalar(wanted.limit(1)) is not None


def _judged_days(school_id: int) -> Select[date]:
    return (
        select(Deadline.day)
        .where(Deadline.school_id == school_id, Deadline.judged_at.is_not(None))
        .distinct()
    )


def _forget(session: Session, school_id: int, days: Collection[date]) -> None:
    """With their deadlines, which come again with the new plans."""
    for table in (DayPlanRow, Deadline):
        session.execute(
            delete(table)
            .where(table.school_id == school_id, table.day.in_(days))
            .execution_options(synchronize_session=False)
        )


def _differing(kept: dict[int, DayPlan], now: dict[int, DayPlan]) -> tuple[int, ...]:
    return tuple(sorted(one for one, plan in kept.items() if now.get(one, plan) != plan))

"""What today is for the homerooms of a board: lessons, closed, exams, by which name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan
from card_server.attendance.plans import PlanKey, SchoolDays, find_plans, is_without_timetable
from card_server.calendar.plan import entry_for
from card_server.calendar.reading import as_entry, list_entries
from card_server.staff.sessions import SchoolInUse
from schema.tables.calendar import DayKind


@dataclass(frozen=True)
class DayLine:
    """What the day is for some homerooms, or for all."""

    kind: DayKind
    note: str
    """What the calendar calls the day."""
    weekday: int | None
    """Whose timetable it runs (调休), 1 for Monday; None for its own."""
    is_unsure: bool
    """The calendar does not know the day: staff should look."""
    has_sessions: bool
    """Whether anything is expected of anybody."""
    has_timetable: bool
    """Without one nobody is ever absent."""
    grades: tuple[int, ...]
    """For which; empty for all of the board."""


@dataclass(frozen=True)
class Expecting:
    """Of whom a homeroom's day expects anything."""

    day_students: bool
    boarders: bool


def read_plans(
    session: Session, school: SchoolInUse, day: date, homeroom_ids: Iterable[int]
) -> dict[int, DayPlan]:
    """Each homeroom's plan, as it was kept or as calendar and timetables say now."""
    hours, minutes = school.late_after.split(":")
    # Double taps and the register's version do not matter to what a day is.
    needed = SchoolDays(school.id, school.zone, 0, int(hours) * 60 + int(minutes), 0)
    keys = [PlanKey(school.id, day, room) for room in homeroom_ids]
    found = find_plans(session, {school.id: needed}, keys)
    return {key.homeroom_id: plan for key, plan in found.items()}


def expecting(plan: DayPlan | None) -> Expecting:
    """Of whom something is expected, without a plan of nobody; boarders on their return alone."""
    sessions = plan.sessions if plan else ()
    return Expecting(
        day_students=any(one.is_for_day_students for one in sessions),
        boarders=any(one.is_return for one in sessions),
    )


def describe_days(
    session: Session,
    school_id: int,
    day: date,
    plans: Mapping[int, DayPlan],
    grade_of: Mapping[int, int],
) -> list[DayLine]:
    """What the day is, once for all homerooms that have it alike; in one query."""
    entries = [as_entry(one) for one in list_entries(session, school_id, day, day)]
    grades: dict[_Alike, set[int]] = {}
    for room, plan in plans.items():
        entry = entry_for(entries, day, grade_of[room])
        is_moved = entry is not None and plan.kind is not DayKind.CLOSED
        alike = (
            plan.kind,
            plan.note,
            entry.weekday if entry and is_moved else None,
            plan.is_unsure,
            bool(plan.sessions),
            not is_without_timetable(plan),
        )
        grades.setdefault(alike, set()).add(grade_of[room])
    return [
        DayLine(*alike, grades=tuple(sorted(of)) if len(grades) > 1 else ())
        for alike, of in sorted(grades.items(), key=lambda one: sorted(one[1]))
    ]


_Alike = tuple[DayKind, str, int | None, bool, bool, bool]
"""What a DayLine says, without its grades."""


def late_after(plans: Iterable[DayPlan]) -> int | None:
    """The minute after which the first arrival of the day is late; None where homerooms differ."""
    coming = (
        [
            one.late_after
            for one in plan.sessions
            if one.expects_entry and (one.is_for_day_students or one.is_return)
        ]
        for plan in plans
    )
    minutes = {found[0] for found in coming if found}
    return minutes.pop() if len(minutes) == 1 else None

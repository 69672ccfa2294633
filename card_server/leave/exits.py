"""Which exits a school's gates hold, today and tomorrow: the windows of each card, and permits.

An exit is held while a session runs, from `late_after` to `leave_from`, if the school's rules say
so; an approved slip that lets out is a permit. A session for boarders, or for day students, alone
holds nobody else. Apart from that boarders and exempt students are held like the homeroom that they
belong to: the gate asks who is in a lesson, not of whom something is expected.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan
from card_server.calendar.reading import plans_between
from card_server.people.boarding_days import boards_on
from card_server.school_time import bounds_of, day_of
from schema.messages import CardState, HeldCards, Permit, Window
from schema.tables.cards import Card, CardBinding
from schema.tables.leave import LeaveSlip, LeaveState
from schema.tables.people import Student, StudentStatus

_DAY = timedelta(days=1)


class Group(NamedTuple):
    """Students whose exits are held at the same hours."""

    homeroom_id: int
    boards: bool


class Exits(Struct, frozen=True):
    """What a gate that leads out has to know; a new day, or a change, is another one."""

    others: tuple[Window, ...] = ()
    """When the exits of all cards are held that `held` does not name."""
    held: tuple[HeldCards, ...] = ()
    permits: tuple[Permit, ...] = ()


NOBODY = Exits()
"""Holds no exit."""


def windows_of(
    plan: DayPlan, day: date, zone: ZoneInfo, *, boards: bool = False
) -> tuple[Window, ...]:
    """When exits of day students, or of boarders, are held on a day, in order, in UTC."""
    midnight = datetime.combine(day, time.min, zone)
    held = [
        (midnight + timedelta(minutes=one.late_after), midnight + timedelta(minutes=one.leave_from))
        for one in plan.sessions
        if one.late_after < one.leave_from and one.is_for(boards=boards) and not one.is_return
    ]
    return tuple(Window(a.astimezone(UTC), b.astimezone(UTC)) for a, b in sorted(held))


def group_cards(windows: Mapping[str, tuple[Window, ...]]) -> Exits:
    """Cards with the same windows together; those of the largest group need not be named."""
    groups: dict[tuple[Window, ...], list[str]] = defaultdict(list)
    for uid, held in windows.items():
        groups[held].append(uid)
    if not any(groups):
        return NOBODY
    largest = max(groups, key=lambda held: (len(groups[held]), held))
    named = [
        HeldCards(list(held), sorted(groups[held])) for held in sorted(groups) if held != largest
    ]
    return Exits(largest, tuple(named))


def read_exits(session: Session, school_id: int, zone: ZoneInfo, now: datetime) -> Exits:
    """What a school's gates should hold, by calendar, timetables, cards and slips of this moment.

    It does not ask whether the school holds exits at all.
    """
    today = day_of(now, zone)
    groups = _groups_of_cards(session, school_id, today, now)
    windows = _windows_of_groups(session, school_id, today, zone, set(groups.values()))
    exits = group_cards({uid: windows[group] for uid, group in groups.items()})
    if exits is NOBODY:
        return NOBODY
    permits = _read_permits(session, school_id, today, zone, now)
    return Exits(exits.others, exits.held, permits)


def held_until(
    session: Session, school_id: int, zone: ZoneInfo, moment: datetime, groups: Collection[Group]
) -> dict[Group, datetime]:
    """Of these groups, those whose exits are held at a moment, and until when."""
    found = _windows_of_groups(session, school_id, day_of(moment, zone), zone, groups)
    running = {
        group: [one.until_at for one in windows if one.from_at <= moment < one.until_at]
        for group, windows in found.items()
    }
    return {group: max(ends) for group, ends in running.items() if ends}


def _windows_of_groups(
    session: Session, school_id: int, first: date, zone: ZoneInfo, groups: Collection[Group]
) -> dict[Group, tuple[Window, ...]]:
    """The windows of a day and of the next one."""
    rooms = {one.homeroom_id for one in groups}
    plans = plans_between(session, school_id, first, first + _DAY, rooms)
    return {
        group: tuple(
            window
            for day, of_day in plans.items()
            if group.homeroom_id in of_day
            for window in windows_of(of_day[group.homeroom_id], day, zone, boards=group.boards)
        )
        for group in groups
    }


def _groups_of_cards(
    session: Session, school_id: int, today: date, now: datetime
) -> dict[str, Group]:
    """Every card that works, and where whom it belongs to belongs; homeroom 0 for nobody's.

    Who boards today does so tomorrow, as far as anybody knows.
    """
    found = session.execute(
        select(Card.uid, func.coalesce(Student.homeroom_id, 0), boards_on(today))
        .outerjoin(CardBinding, and_(CardBinding.card_id == Card.id, _is_bound(now)))
        .outerjoin(
            Student,
            and_(Student.id == CardBinding.student_id, Student.status == StudentStatus.ENROLLED),
        )
        .where(Card.school_id == school_id, Card.state == CardState.ACTIVE)
    )
    return {uid: Group(room, bool(boards)) for uid, room, boards in found}


def _read_permits(
    session: Session, school_id: int, today: date, zone: ZoneInfo, now: datetime
) -> tuple[Permit, ...]:
    begin, _ = bounds_of(today, zone)
    _, end = bounds_of(today + _DAY, zone)
    found = session.execute(
        select(Card.uid, LeaveSlip.from_at, LeaveSlip.until_at)
        .join(CardBinding, and_(CardBinding.student_id == LeaveSlip.student_id, _is_bound(now)))
        .join(Card, Card.id == CardBinding.card_id)
        .where(
            LeaveSlip.school_id == school_id,
            LeaveSlip.state == LeaveState.APPROVED,
            LeaveSlip.lets_out,
            LeaveSlip.from_at < end,
            LeaveSlip.until_at > begin,
            Card.state == CardState.ACTIVE,
        )
        .order_by(Card.uid, LeaveSlip.from_at)
    )
    return tuple(Permit(*row) for row in found)


def _is_bound(now: datetime) -> ColumnElement[bool]:
    return or_(CardBinding.unbound_at.is_(None), CardBinding.unbound_at > now)

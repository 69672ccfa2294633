"""Which exits a school's gates hold, today and tomorrow: the windows of each card, and permits.

An exit is held while a session runs, from `late_after` to `leave_from`, if the school's rules say
so; an approved slip that lets out is a permit. Boarders and exempt students are held like the
homeroom that they belong to: the gate asks who is in a lesson, not of whom something is expected.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan
from card_server.calendar.reading import plans_between
from card_server.school_time import bounds_of, day_of
from schema.messages import CardState, HeldCards, Permit, Window
from schema.tables.cards import Card, CardBinding
from schema.tables.leave import LeaveSlip, LeaveState
from schema.tables.people import Student, StudentStatus

_DAY = timedelta(days=1)


class Exits(Struct, frozen=True):
    """What a gate that leads out has to know; a new day, or a change, is another one."""

    others: tuple[Window, ...] = ()
    """When the exits of all cards are held that `held` does not name."""
    held: tuple[HeldCards, ...] = ()
    permits: tuple[Permit, ...] = ()


NOBODY = Exits()
"""Holds no exit."""


def windows_of(plan: DayPlan, day: date, zone: ZoneInfo) -> tuple[Window, ...]:
    """When exits are held on a day, in order, in UTC."""
    midnight = datetime.combine(day, time.min, zone)
    held = [
        (midnight + timedelta(minutes=one.late_after), midnight + timedelta(minutes=one.leave_from))
        for one in plan.sessions
        if one.late_after < one.leave_from and not one.for_boarders
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
    rooms = _rooms_of_cards(session, school_id, now)
    by_room = _windows_of_rooms(session, school_id, today, zone, set(rooms.values()))
    exits = group_cards({uid: by_room.get(room, ()) for uid, room in rooms.items()})
    if exits is NOBODY:
        return NOBODY
    permits = _read_permits(session, school_id, today, zone, now)
    return Exits(exits.others, exits.held, permits)


def held_until(
    session: Session, school_id: int, zone: ZoneInfo, moment: datetime, rooms: Collection[int]
) -> dict[int, datetime]:
    """Of these homerooms, those whose exits are held at a moment, and until when."""
    by_room = _windows_of_rooms(session, school_id, day_of(moment, zone), zone, rooms)
    running = {
        room: [one.until_at for one in windows if one.from_at <= moment < one.until_at]
        for room, windows in by_room.items()
    }
    return {room: max(ends) for room, ends in running.items() if ends}


def _windows_of_rooms(
    session: Session, school_id: int, first: date, zone: ZoneInfo, ids: Collection[int]
) -> dict[int, tuple[Window, ...]]:
    """The windows of a day and of the next one."""
    plans = plans_between(session, school_id, first, first + _DAY, ids)
    return {
        room: tuple(
            window
            for day, of_day in plans.items()
            if room in of_day
            for window in windows_of(of_day[room], day, zone)
        )
        for room in ids
    }


def _rooms_of_cards(session: Session, school_id: int, now: datetime) -> dict[str, int]:
    """Every card that works, and the homeroom of whom it belongs to; 0 for nobody's."""
    found = session.execute(
        select(Card.uid, func.coalesce(Student.homeroom_id, 0))
        .outerjoin(CardBinding, and_(CardBinding.card_id == Card.id, _is_bound(now)))
        .outerjoin(
            Student,
            and_(Student.id == CardBinding.student_id, Student.status == StudentStatus.ENROLLED),
        )
        .where(Card.school_id == school_id, Card.state == CardState.ACTIVE)
    )
    return {uid: room for uid, room in found}  # noqa: C416 - mypy reads a row as a tuple only so


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

"""Today's students by name (今日名单): absent, not judged, late, left early or on leave.

Whom it names under a heading are those that the board counts under it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, or_, select
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan, Waiting
from card_server.people.student_search import matches
from card_server.reports.board_days import expecting, read_plans
from card_server.reports.board_members import (
    SCHOOL,
    Time,
    awaiting,
    day_values,
    is_awaited,
    is_away,
    is_day_of_student,
    late_arrival,
)
from card_server.reports.board_waiting import RoomWaiting, read_waiting
from card_server.reports.kept_days import Results, open_results
from card_server.reports.on_campus import OF_THE_SCHOOL, Part
from card_server.staff.sessions import SchoolInUse
from card_server.storage.among import is_among
from schema.tables.attendance import Attendance, HomeroomDay, SessionStatus
from schema.tables.leave import LeaveKind, LeaveSlip, LeaveState
from schema.tables.people import Student
from schema.tables.school import Homeroom


class TodayStatus(StrEnum):
    """What a student of the list is today, the gravest first; one may be several of these."""

    ABSENT = "absent"
    """In at least one session, and judged so."""
    NOT_JUDGED = "not_judged"
    """Expected, and neither here, nor absent, nor on leave."""
    LATE = "late"
    LEFT_EARLY = "left_early"
    ON_LEAVE = "on_leave"


@dataclass(frozen=True)
class TodayWanted:
    """Which of them; None is all."""

    status: TodayStatus | None = None
    grade: int | None = None
    homeroom_id: int | None = None
    words: str = ""
    """A name, its pinyin, or a student number's beginning."""


@dataclass(frozen=True)
class TodayStudent:
    """One student of the list."""

    id: int
    name: str
    number: str
    homeroom_id: int
    homeroom: str
    grade: int
    statuses: tuple[TodayStatus, ...]
    absent_from: tuple[str, ...] = ()
    """The sessions, by the names that the timetable has for them."""
    leave: LeaveKind | None = None
    leave_until: datetime | None = None
    """The first moment after the leave slip; None where there is no slip."""
    arrived_at: datetime | None = None
    """Of who is late; None for who was there for an earlier session."""
    late_minutes: int = 0
    """For the session that the student came late for."""
    left_at: datetime | None = None
    """Of who left early: the last exit."""
    early_minutes: int = 0
    waiting: Waiting | None = None
    """Why nothing is judged; None also where it is being judged."""
    due_at: datetime | None = None
    """From when absence is, or was to be, judged."""
    gates: tuple[str, ...] = ()
    """The gates that have not reported."""


class TodayRoom(NamedTuple):
    """A homeroom of the day."""

    id: int
    grade: int
    name: str


@dataclass(frozen=True)
class Today:
    """What the list needs of the day, read once for all of its queries."""

    school_id: int
    time: Time
    rooms: list[TodayRoom] = field(default_factory=list)
    plans: Mapping[int, DayPlan] = field(default_factory=dict)
    waiting: Mapping[int, RoomWaiting] = field(default_factory=dict)


def read_today(session: Session, school: SchoolInUse, time: Time) -> Today:
    """The homerooms within reach, what the day is for them and why not all is judged."""
    rooms = session.execute(
        select(Homeroom.id, Homeroom.grade, Homeroom.name)
        .outerjoin(
            HomeroomDay,
            and_(
                HomeroomDay.school_id == school.id,
                HomeroomDay.homeroom_id == Homeroom.id,
                HomeroomDay.day == time.day,
            ),
        )
        .where(
            Homeroom.school_id == school.id,
            or_(Homeroom.is_past.is_(False), HomeroomDay.day.is_not(None)),
        )
        .order_by(Homeroom.grade, Homeroom.id)
    )
    found = [TodayRoom(*row) for row in rooms]
    return Today(
        school.id,
        time,
        found,
        read_plans(session, school, time.day, [one.id for one in found]),
        read_waiting(session, school.id, time.day),
    )


class TodayCounts(NamedTuple):
    """How many students there are of each status, and of any."""

    of: Mapping[TodayStatus, int]
    students: int

    def total(self, status: TodayStatus | None) -> int:
        """How many a list of this status has; None is of any."""
        return self.students if status is None else self.of[status]


def count_today(session: Session, today: Today, wanted: TodayWanted) -> TodayCounts:
    """The numbers of those who are wanted, whatever status is asked for; one query."""
    known = _known(wanted.words)
    are = _statuses(known)
    numbers = session.execute(
        select(
            func.count().filter(or_(*are.values())),
            *(func.count().filter(condition) for condition in are.values()),
        )
        .select_from(known)
        .join(Homeroom, Homeroom.id == known.c.room)
        .where(*_conditions(wanted)),
        _values(today),
    ).one()
    return TodayCounts(dict(zip(are, numbers[1:], strict=True)), numbers[0])


SORTS: Final = ("homeroom", "name", "number", "minutes", "status")


def list_today(
    session: Session, today: Today, wanted: TodayWanted, part: Part
) -> list[TodayStudent]:
    """A part of those who are wanted, in two queries."""
    known = _known(wanted.words)
    order = [
        column.desc() if part.is_descending else column
        for column in (*_order(known, part.sort), known.c.id)
    ]
    found = _select(known, wanted).order_by(*order).offset(part.first)
    return _read(session, today, found if part.limit is None else found.limit(part.limit))


def list_today_by_id(
    session: Session, today: Today, wanted: TodayWanted, after: int, limit: int
) -> list[TodayStudent]:
    """The next of them after a student's id, by id, in two queries."""
    known = _known(wanted.words)
    found = _select(known, wanted).where(known.c.id > after).order_by(known.c.id).limit(limit)
    return _read(session, today, found)


def read_all_today(
    session: Session, today: Today, wanted: TodayWanted, sort: str, batch: int
) -> Iterator[TodayStudent]:
    """All of them in an order (a leading minus is descending), a batch at a time."""
    first, order = 0, (sort.removeprefix("-"), sort.startswith("-"))
    while True:
        found = list_today(session, today, wanted, Part(*order, first=first, limit=batch))
        yield from found
        if len(found) < batch:
            return
        first += batch


def _values(today: Today) -> dict[str, Any]:
    expects = {room: expecting(plan) for room, plan in today.plans.items()}
    return day_values(today.school_id, today.time) | awaiting(expects)


def _known(words: str) -> Subquery:
    """The school's students, or those who answer to words, with what decides their statuses."""
    everybody = _select_known()
    if words.strip():
        everybody = everybody.where(matches(" ".join(words.split())))
    # Cut from its first row on, for else what is asked of a student is asked for each status anew.
    return everybody.offset(0).subquery("known")


@cache
def _select_known() -> Select[*tuple[Any, ...]]:
    """Written once: writing it takes as long as asking it."""
    return (
        select(
            Student.id,
            Student.name,
            Student.number,
            Student.pinyin,
            func.coalesce(Attendance.homeroom_id, Student.homeroom_id).label("room"),
            case((is_awaited(), 1), else_=0).label("awaited"),
            case((is_away(), 1), else_=0).label("away"),
            *(
                func.coalesce(column, 0).label(column.name)
                for column in (
                    Attendance.absent,
                    Attendance.late,
                    Attendance.left_early,
                    Attendance.on_leave,
                    Attendance.late_minutes,
                    Attendance.early_minutes,
                )
            ),
            Attendance.arrived_at,
            Attendance.departed_at,
            func.coalesce(Attendance.sessions, "").label("sessions"),
        )
        .select_from(Student)
        .outerjoin(Attendance, is_day_of_student())
        .where(Student.school_id == SCHOOL, Student.status.in_(OF_THE_SCHOOL))
    )


def _statuses(known: Subquery) -> dict[TodayStatus, ColumnElement[bool]]:
    """When a student is what, in the order of TodayStatus."""
    of, awaited, away = known.c, known.c.awaited == 1, known.c.away == 1
    return {
        TodayStatus.ABSENT: of.absent > 0,
        TodayStatus.NOT_JUDGED: and_(awaited, ~away),
        TodayStatus.LATE: or_(of.late > 0, of.late_minutes > 0),
        TodayStatus.LEFT_EARLY: of.left_early > 0,
        TodayStatus.ON_LEAVE: or_(of.on_leave > 0, and_(awaited, away)),
    }


def _order(known: Subquery, sort: str) -> tuple[Any, ...]:
    """What one of SORTS goes by."""
    of = known.c
    by_room = (Homeroom.grade, Homeroom.id, of.number)
    if sort == "status":
        places = enumerate(_statuses(known).values())
        gravest = case(*((condition, place) for place, condition in places))
        return (gravest, *by_room)
    orders = {
        "name": (of.pinyin, of.number),
        "number": (of.number,),
        "minutes": (of.late_minutes, of.number),
    }
    return orders.get(sort, by_room)


def _conditions(wanted: TodayWanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.grade is not None:
        conditions.append(Homeroom.grade == wanted.grade)
    if wanted.homeroom_id is not None:
        conditions.append(Homeroom.id == wanted.homeroom_id)
    return conditions


def _select(known: Subquery, wanted: TodayWanted) -> Select[*tuple[Any, ...]]:
    are, of = _statuses(known), known.c
    chosen = or_(*are.values()) if wanted.status is None else are[wanted.status]
    return (
        select(
            of.id,
            of.name,
            of.number,
            Homeroom.id,
            Homeroom.name,
            Homeroom.grade,
            *(case((condition, 1), else_=0) for condition in are.values()),
            of.arrived_at,
            of.departed_at,
            of.late_minutes,
            of.early_minutes,
            of.sessions,
        )
        .select_from(known)
        .join(Homeroom, Homeroom.id == of.room)
        .where(chosen, *_conditions(wanted))
    )


_WHO: Final = ("id", "name", "number", "homeroom_id", "homeroom", "grade")
"""What the first columns of `_select` are."""


def _read(session: Session, today: Today, wanted: Select[*tuple[Any, ...]]) -> list[TodayStudent]:
    rows = session.execute(wanted, _values(today)).all()
    first, last = len(_WHO), len(_WHO) + len(TodayStatus)
    students = []
    for row in rows:
        statuses = tuple(
            status for status, flag in zip(TodayStatus, row[first:last], strict=True) if flag
        )
        known = dict(zip(_WHO, row, strict=False))
        students.append((TodayStudent(**known, statuses=statuses), _Kept(*row[last:])))
    away = [one.id for one, _ in students if TodayStatus.ON_LEAVE in one.statuses]
    slips = _read_slips(session, today, away)
    return [_describe(one, kept, today, slips.get(one.id)) for one, kept in students]


class _Kept(NamedTuple):
    """What is kept of a student's day."""

    arrived_at: datetime | None
    departed_at: datetime | None
    late_minutes: int
    early_minutes: int
    sessions: str


class _Slip(NamedTuple):
    kind: LeaveKind
    until_at: datetime


def _read_slips(session: Session, today: Today, ids: Collection[int]) -> dict[int, _Slip]:
    """The slip of each of these students that has held today; of several the last one."""
    if not ids:
        return {}
    found = session.execute(
        select(LeaveSlip.student_id, LeaveSlip.kind, LeaveSlip.until_at)
        .where(
            LeaveSlip.school_id == today.school_id,
            LeaveSlip.state == LeaveState.APPROVED,
            LeaveSlip.until_at > today.time.begin,
            LeaveSlip.from_at <= today.time.until,
            is_among(session, LeaveSlip.student_id, ids),
        )
        .order_by(LeaveSlip.until_at)
    )
    return {student_id: _Slip(kind, until_at) for student_id, kind, until_at in found}


def _describe(one: TodayStudent, kept: _Kept, today: Today, slip: _Slip | None) -> TodayStudent:
    """The same student with what belongs to each status."""
    results = open_results(kept.sessions)
    known: dict[str, Any] = {}
    if TodayStatus.ABSENT in one.statuses:
        known["absent_from"] = _names(results, today.plans.get(one.homeroom_id))
    if TodayStatus.ON_LEAVE in one.statuses:
        known["leave"] = slip.kind if slip else _leave_kind(results)
        known["leave_until"] = slip.until_at if slip else None
    if TodayStatus.LATE in one.statuses:
        came_at, minutes = late_arrival(kept.arrived_at, kept.late_minutes, results)
        known |= {"arrived_at": came_at, "late_minutes": minutes}
    if TodayStatus.LEFT_EARLY in one.statuses:
        known |= {"left_at": kept.departed_at, "early_minutes": kept.early_minutes}
    if TodayStatus.NOT_JUDGED in one.statuses:
        known |= _why(today.waiting.get(one.homeroom_id), today.time.until)
    return replace(one, **known)


def _names(results: Results, plan: DayPlan | None) -> tuple[str, ...]:
    names = {one.position: one.name for one in plan.sessions} if plan else {}
    absent = (one for one in results if one.status is SessionStatus.ABSENT)
    return tuple(names[one.position] for one in absent if names.get(one.position))


def _leave_kind(results: Results) -> LeaveKind | None:
    of_leave = (one for one in results if one.status is SessionStatus.ON_LEAVE)
    return next((one.leave_kind for one in of_leave if one.leave_kind), None)


def _why(waiting: RoomWaiting | None, now: datetime) -> dict[str, Any]:
    """Why a homeroom's first session without a judgement has none."""
    if waiting is None:
        return {}
    known: dict[str, Any] = {"due_at": waiting.due_at}
    if waiting.due_at > now:
        return known | {"waiting": Waiting.NOT_DUE}
    if not waiting.gates and not waiting.has_no_gate:
        return known
    return known | {
        "waiting": Waiting.GATE_DARK,
        "gates": tuple(gate.name for gate in waiting.gates),
    }

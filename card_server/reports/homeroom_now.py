"""A homeroom's list for this minute (本班实时): absent, late, on leave, not judged and why."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from card_server.attendance.exemptions import exempt_on
from card_server.attendance.facts import Leave, SessionPlan, SessionResult, Waiting
from card_server.attendance.plans import moment_of
from card_server.attendance.rows import NEVER
from card_server.attendance.whole_homeroom import plan_of
from card_server.leave.reading import leaves_of
from card_server.register.homerooms import find_homeroom
from card_server.reports.homeroom_members import Member, read_members
from card_server.school_time import day_of
from card_server.staff.sessions import SchoolInUse
from card_server.storage.among import is_among
from schema.tables.attendance import Attendance, Deadline, Presence, SessionStatus
from schema.tables.leave import LeaveKind
from schema.tables.people import Boarding, Guardian, Guardianship, Student
from schema.tables.readers import Reader

_RESULTS: Final = msgspec.json.Decoder(tuple[SessionResult, ...])
_READER: Final = Reader.__table__.c


@dataclass(frozen=True)
class Call:
    """Whom to call; of the phone the last digits."""

    guardian_id: int
    name: str
    relation: str
    phone_tail: str


@dataclass(frozen=True)
class Pupil:
    """One student in the session that goes on."""

    student_id: int
    number: str
    name: str
    status: SessionStatus
    late_minutes: int
    leave_kind: LeaveKind | None
    waiting: Waiting | None
    is_corrected: bool
    is_inside: bool
    since_at: datetime | None
    guardians: Sequence[Call]


@dataclass(frozen=True)
class HomeroomNow:
    """A homeroom in the session that goes on, or that was the last; None where nothing began."""

    homeroom_id: int
    homeroom: str
    day: date
    session: SessionPlan | None
    next: SessionPlan | None
    """The first one of the day, before it has begun."""
    dark_gates: list[str]
    """For which gates the session waits."""
    pupils: list[Pupil]

    def of(self, *statuses: SessionStatus) -> list[Pupil]:
        """Those with one of these statuses, by number."""
        return [one for one in self.pupils if one.status in statuses]


def read_homeroom_now(
    session: Session, school: SchoolInUse, homeroom_id: int, now: datetime
) -> HomeroomNow:
    """The list, in a fixed number of queries. Raises AppError(NOT_FOUND)."""
    room, day = find_homeroom(session, school.id, homeroom_id), day_of(now, school.zone)
    plan = plan_of(session, school.id, homeroom_id, day)
    sessions = list(plan.sessions) if plan else []
    current = _current(sessions, day, school.zone, now)
    members = read_members(session, school, homeroom_id, [day])
    facts = _read_facts(session, school, [one.id for one in members], day, now)
    dark = _dark_gates(session, school.id, homeroom_id, day, current, now)
    pupils = [_judge(one, facts, current, is_dark=bool(dark)) for one in members]
    upcoming = sessions[0] if sessions and current is None else None
    return HomeroomNow(homeroom_id, room.name, day, current, upcoming, dark, pupils)


def _current(
    sessions: Sequence[SessionPlan], day: date, zone: ZoneInfo, now: datetime
) -> SessionPlan | None:
    """The session that goes on, or that was the last.

    On a day with lessons the boarders' return is not before its hour, nor while lessons go on.
    """
    lessons = [one for one in sessions if one.is_for_day_students]
    begun = [
        one
        for one in sessions
        if moment_of(day, one.late_after if one.is_return and lessons else one.arrive_from, zone)
        <= now
    ]
    running = [one for one in begun if one in lessons and now < moment_of(day, one.ends, zone)]
    return next(reversed(running or begun), None)


@dataclass(frozen=True)
class _Facts:
    results: Mapping[int, Sequence[SessionResult]]
    places: Mapping[int, tuple[bool, datetime]]
    leaves: Mapping[int, Sequence[Leave]]
    excused: Collection[int]
    """Boarders, and who is exempt: nothing is expected of them unless it is judged."""
    guardians: Mapping[int, Sequence[Call]]


def _read_facts(
    session: Session, school: SchoolInUse, ids: Collection[int], day: date, now: datetime
) -> _Facts:
    attendance, presence = Attendance.__table__.c, Presence.__table__.c
    boards = select(Boarding.student_id).where(
        Boarding.school_id == school.id,
        Boarding.student_id == Student.id,
        Boarding.from_on <= day,
        Boarding.until_on.is_(None) | (Boarding.until_on > day),
    )
    known = session.execute(
        select(
            Student.id,
            attendance.sessions,
            presence.is_inside,
            presence.since_at,
            boards.exists().label("is_boarder"),
        )
        .outerjoin(
            Attendance.__table__,
            and_(
                attendance.school_id == Student.school_id,
                attendance.day == day,
                attendance.student_id == Student.id,
            ),
        )
        .outerjoin(
            Presence.__table__,
            and_(
                presence.school_id == Student.school_id,
                presence.student_id == Student.id,
                presence.since_at > NEVER,
            ),
        )
        .where(Student.school_id == school.id, is_among(session, Student.id, ids))
    ).all()
    boarders = {row.id for row in known if row.is_boarder}
    exempt = {one for one, _day in exempt_on(session, school.id, ids, day, day)}
    return _Facts(
        {row.id: _RESULTS.decode(row.sessions) for row in known if row.sessions},
        {row.id: (row.is_inside, row.since_at) for row in known if row.since_at is not None},
        leaves_of(session, school.id, ids, now, now.replace(microsecond=999_999)),
        boarders | exempt,
        _read_guardians(session, school.id, ids),
    )


def _read_guardians(
    session: Session, school_id: int, ids: Collection[int]
) -> dict[int, list[Call]]:
    """In the order in which they are asked."""
    found = session.execute(
        select(
            Guardianship.student_id,
            Guardian.id,
            Guardian.name,
            Guardianship.relation,
            Guardian.phone_tail,
        )
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .where(Guardian.school_id == school_id, is_among(session, Guardianship.student_id, ids))
        .order_by(Guardianship.priority, Guardian.id)
    )
    guardians: dict[int, list[Call]] = defaultdict(list)
    for student_id, guardian_id, name, relation, tail in found:
        guardians[student_id].append(Call(guardian_id, name, relation, tail))
    return dict(guardians)


def _dark_gates(
    session: Session,
    school_id: int,
    homeroom_id: int,
    day: date,
    current: SessionPlan | None,
    now: datetime,
) -> list[str]:
    """The names of the gates for which the session waits, its time having come."""
    if current is None:
        return []
    waiting_for = session.scalar(
        select(Deadline.waiting_for).where(
            Deadline.school_id == school_id,
            Deadline.day == day,
            Deadline.homeroom_id == homeroom_id,
            Deadline.position == current.position,
            Deadline.judged_at.is_(None),
            Deadline.due_at <= now,
        )
    )
    ids = [int(one) for one in (waiting_for or "").split() if one.isdigit()]
    if not ids:
        return []
    found = session.scalars(
        select(_READER.name)
        .where(_READER.school_id == school_id, _READER.id.in_(ids))
        .order_by(_READER.name)
    )
    return list(found)


def _judge(member: Member, facts: _Facts, current: SessionPlan | None, *, is_dark: bool) -> Pupil:
    """What is kept of the session, or, where nobody has judged it, what is expected."""
    is_inside, since_at = facts.places.get(member.id, (False, None))
    result = _result(member, facts, current, is_dark=is_dark)
    return Pupil(
        member.id,
        member.number,
        member.name,
        result.status,
        result.late_minutes,
        result.leave_kind,
        result.waiting,
        result.is_corrected,
        is_inside,
        since_at,
        facts.guardians.get(member.id, ()),
    )


def _result(
    member: Member, facts: _Facts, current: SessionPlan | None, *, is_dark: bool
) -> SessionResult:
    position = current.position if current else 0
    judged = next(
        (one for one in facts.results.get(member.id, ()) if one.position == position), None
    )
    if judged is not None:
        return judged
    leave = facts.leaves.get(member.id)
    if leave:
        return SessionResult(position, SessionStatus.ON_LEAVE, leave_kind=leave[0].kind)
    is_expected = (
        current is not None and current.is_for_day_students and member.id not in facts.excused
    )
    if current is None or not is_expected:
        return SessionResult(position, SessionStatus.NOT_EXPECTED)
    waiting = Waiting.GATE_DARK if is_dark else Waiting.NOT_DUE
    return SessionResult(position, SessionStatus.NOT_JUDGED, waiting=waiting)

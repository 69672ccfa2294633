"""Promotion to the next school year (升级): the whole school in one transaction, or not at all.

Each homeroom goes on as a new one of the next year; what was counted for the old one keeps its
name. Nothing undoes this, so whoever asks for it has seen the plan, and is held to what was seen.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Executable, String, cast, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from card_server.attendance.refold import refold
from card_server.audit.writing import Actor, note
from card_server.cards.cards import Doing, release_cards_of_all
from card_server.errors import AppError, Code
from card_server.people.moved_days import move_days
from card_server.people.promotion_plan import (
    Choice,
    LeftBehind,
    PromotionFacts,
    PromotionPlan,
    RoomFacts,
    Step,
    make_plan,
)
from card_server.register.homerooms import of_today
from card_server.register.terms import list_terms
from card_server.register.version import touch_register
from card_server.school_time import day_of
from card_server.webhooks.changes import NewStatus, tell_of_statuses
from schema.tables.people import Boarding, HomeroomStay, Student, StudentStatus
from schema.tables.school import Homeroom, School
from schema.tables.staff import Scope, Staff, StaffGrant
from schema.tables.tokens import ApiToken

_AT_ONCE = 1000
_BETWEEN = ","
GRADUATED = "毕业"
"""Why a graduate's card ends, in the card's own history."""


@dataclass(frozen=True)
class Promoted:
    """What was done."""

    to_year: int
    homerooms: int
    moved: int
    graduated: int


def read_facts(session: Session, school_id: int, today: date) -> PromotionFacts:
    """The school as it is: the oldest school year that is not over is the one that ends."""
    rooms = session.execute(
        select(Homeroom.id, Homeroom.name, Homeroom.grade, Homeroom.campus_id, Homeroom.school_year)
        .where(of_today(school_id))
        .order_by(Homeroom.grade, Homeroom.id)
    ).all()
    from_year = min((one.school_year for one in rooms), default=today.year - 1)
    ending = [one for one in rooms if one.school_year == from_year]
    names = {one.id: one.name for one in ending}
    enrolled = _read_enrolled(session, school_id, names)
    teachers = _read_teachers(session, school_id, names)
    return PromotionFacts(
        from_year,
        tuple(
            RoomFacts(
                one.id,
                one.name,
                one.grade,
                one.campus_id,
                enrolled.get(one.id, ()),
                tuple(teachers[one.id]),
            )
            for one in ending
        ),
        _read_left_behind(session, school_id, names),
        {one.name: one.id for one in rooms if one.school_year == from_year + 1},
        list_terms(session, school_id),
    )


def promote(
    session: Session,
    actor: Actor,
    school_id: int,
    choices: Mapping[int, Choice],
    seen: str,
    now: datetime,
    zone: ZoneInfo,
) -> Promoted:
    """Promote the school as the preview said.

    `seen` is the plan's. Raises AppError(CONFLICT) when the school or what is chosen for it is not
    what the preview showed, AppError(INVALID) when the plan has problems.
    """
    _lock(session, school_id)
    today = day_of(now, zone)
    facts = read_facts(session, school_id, today)
    plan = make_plan(facts, choices, today)
    if plan.seen != seen:
        raise AppError(
            Code.CONFLICT,
            "This is not what the preview showed. Nothing was done; look at it again.",
        )
    if plan.problems:
        raise AppError(Code.INVALID, next(iter(plan.problems.values())))
    rooms = {one.room.id: _open_room(session, school_id, plan, one) for one in plan.steps}
    moves = {
        student: rooms[one.room.id]
        for one in plan.steps
        if not one.choice.graduates
        for student in one.room.students
    }
    graduates = [s for one in plan.steps if one.choice.graduates for s in one.room.students]
    left = [one.id for one in facts.left_behind]
    _close_stays(session, school_id, facts, today)
    _move(session, school_id, moves, today)
    _graduate(session, actor, school_id, graduates, now, today)
    move_days(session, school_id, moves, today, zone)
    refold(session, school_id, [*moves, *graduates], today, today, now)
    _hand_over_grants(session, school_id, rooms, {one.room.id for one in plan.steps})
    over = update(Homeroom).where(Homeroom.id.in_([one.id for one in facts.rooms]))
    _write(session, over.values(is_past=True))
    touch_register(session, {school_id})
    details = {
        "school_year": [facts.from_year, facts.to_year],
        "homerooms": {one.room.name: one.choice.new_name for one in plan.steps if one.new_grade},
        "graduated_homerooms": [one.room.name for one in plan.steps if one.choice.graduates],
        "moved": len(moves),
        "graduated": len(graduates),
        "left_behind": left,
    }
    note(session, school_id, actor, "school.promoted", f"school:{school_id}", details=details)
    session.flush()
    session.expire_all()
    return Promoted(facts.to_year, len(set(rooms.values()) - {0}), len(moves), len(graduates))


def _read_enrolled(
    session: Session, school_id: int, rooms: Collection[int]
) -> dict[int, tuple[int, ...]]:
    """Who is enrolled, by homeroom: a row for each homeroom, not one for each student."""
    found = session.execute(
        select(Student.homeroom_id, func.aggregate_strings(cast(Student.id, String), _BETWEEN))
        .where(
            Student.school_id == school_id,
            Student.homeroom_id.in_(rooms),
            Student.status == StudentStatus.ENROLLED,
        )
        .group_by(Student.homeroom_id)
    )
    return {room: tuple(sorted(map(int, ids.split(_BETWEEN)))) for room, ids in found}


def _read_left_behind(
    session: Session, school_id: int, rooms: Mapping[int, str]
) -> tuple[LeftBehind, ...]:
    """Who is suspended."""
    found = session.execute(
        select(Student.id, Student.homeroom_id, Student.name, Student.number)
        .where(
            Student.school_id == school_id,
            Student.homeroom_id.in_(rooms),
            Student.status == StudentStatus.SUSPENDED,
        )
        .order_by(Student.id)
    )
    return tuple(LeftBehind(one.id, one.name, one.number, rooms[one.homeroom_id]) for one in found)


def _read_teachers(
    session: Session, school_id: int, rooms: Collection[int]
) -> dict[int, list[str]]:
    found = session.execute(
        select(StaffGrant.homeroom_id, Staff.name)
        .join(Staff, Staff.id == StaffGrant.staff_id)
        .where(
            StaffGrant.school_id == school_id,
            StaffGrant.scope == Scope.HOMEROOM,
            StaffGrant.homeroom_id.in_(rooms),
        )
        .order_by(StaffGrant.id)
    )
    teachers: dict[int, list[str]] = defaultdict(list)
    for homeroom_id, name in found:
        if homeroom_id is not None and name not in teachers[homeroom_id]:
            teachers[homeroom_id].append(name)
    return teachers


def _lock(session: Session, school_id: int) -> None:
    """The school's students, then the school: in the order in which a step of a card takes them."""
    students = select(Student.id).where(Student.school_id == school_id).order_by(Student.id)
    session.execute(students.with_for_update(key_share=True))
    session.execute(select(School.id).where(School.id == school_id).with_for_update(key_share=True))


def _open_room(session: Session, school_id: int, plan: PromotionPlan, step: Step) -> int:
    """The homeroom in which this one goes on; 0 for one that graduates."""
    if step.choice.graduates or step.new_grade is None:
        return 0
    if step.joins is not None:
        return step.joins
    room = Homeroom(
        school_id=school_id,
        school_year=plan.facts.to_year,
        grade=step.new_grade,
        name=step.choice.new_name,
        campus_id=step.room.campus_id,
    )
    session.add(room)
    session.flush()
    return room.id


def _close_stays(session: Session, school_id: int, facts: PromotionFacts, today: date) -> None:
    """End the stays of all whom the old homerooms had, as one day before today.

    Who had no history until now gets one for the year that ends.
    """
    homes = {student: room.id for room in facts.rooms for student in room.students}
    by_name = {room.name: room.id for room in facts.rooms}
    homes |= {one.id: by_name[one.homeroom] for one in facts.left_behind}
    begun = min(date(facts.from_year, 9, 1), today - timedelta(days=1))
    for part in _parts(list(homes)):
        ours = (HomeroomStay.school_id == school_id) & HomeroomStay.student_id.in_(part)
        is_open = ours & HomeroomStay.until_on.is_(None)
        known = set(session.scalars(select(HomeroomStay.student_id).where(ours)))
        _write(session, delete(HomeroomStay).where(is_open, HomeroomStay.from_on >= today))
        _write(session, update(HomeroomStay).where(is_open).values(until_on=today))
        unknown = [student for student in part if student not in known]
        _add_stays(session, school_id, {one: homes[one] for one in unknown}, begun, today)


def _move(session: Session, school_id: int, moves: Mapping[int, int], today: date) -> None:
    by_room: dict[int, list[int]] = defaultdict(list)
    for student, room in moves.items():
        by_room[room].append(student)
    for room, students in by_room.items():
        for part in _parts(students):
            changed = update(Student).where(Student.id.in_(part)).values(homeroom_id=room)
            _write(session, changed)
    _add_stays(session, school_id, moves, today, None)


def _add_stays(
    session: Session,
    school_id: int,
    homes: Mapping[int, int],
    from_on: date,
    until_on: date | None,
) -> None:
    rows = [
        {
            "student_id": student,
            "from_on": from_on,
            "school_id": school_id,
            "homeroom_id": room,
            "until_on": until_on,
        }
        for student, room in homes.items()
    ]
    for at in range(0, len(rows), _AT_ONCE):
        session.execute(insert(HomeroomStay), rows[at : at + _AT_ONCE])


def _graduate(
    session: Session,
    actor: Actor,
    school_id: int,
    graduates: list[int],
    now: datetime,
    today: date,
) -> None:
    for part in _parts(graduates):
        gone = update(Student).where(Student.id.in_(part))
        gone = gone.values(status=StudentStatus.GRADUATED, status_since=today)
        _write(session, gone)
        ours = (Boarding.school_id == school_id) & Boarding.student_id.in_(part)
        beds = ours & or_(Boarding.until_on.is_(None), Boarding.until_on > today)
        _write(session, delete(Boarding).where(beds, Boarding.from_on >= today))
        _write(session, update(Boarding).where(beds).values(until_on=today))
        release_cards_of_all(session, Doing(actor, school_id, now, GRADUATED), part)
        enrolled, graduated = StudentStatus.ENROLLED, StudentStatus.GRADUATED
        told = [NewStatus(student, enrolled, graduated, today) for student in part]
        tell_of_statuses(session, school_id, told)


def _hand_over_grants(
    session: Session, school_id: int, rooms: Mapping[int, int], ending: set[int]
) -> None:
    """Teachers go on with their homeroom; who had one that graduated has that role no more."""
    grants = session.scalars(
        select(StaffGrant).where(
            StaffGrant.school_id == school_id,
            StaffGrant.scope == Scope.HOMEROOM,
        )
    ).all()
    held = {(one.staff_id, one.role, one.homeroom_id) for one in grants}
    for grant in grants:
        if grant.homeroom_id not in ending:
            continue
        new = rooms[grant.homeroom_id]
        if not new or (grant.staff_id, grant.role, new) in held:
            session.delete(grant)
        else:
            grant.homeroom_id = new
            held.add((grant.staff_id, grant.role, new))
    tokens = session.scalars(
        select(ApiToken).where(ApiToken.school_id == school_id, ApiToken.homeroom_id.in_(ending))
    )
    for token in tokens:
        token.homeroom_id = rooms[token.homeroom_id or 0] or token.homeroom_id
    session.flush()


def _write(session: Session, statement: Executable) -> None:
    """Nobody looks at loaded rows before all is done and expired."""
    session.execute(statement, execution_options={"synchronize_session": False})


def _parts(students: list[int]) -> list[list[int]]:
    return [students[at : at + _AT_ONCE] for at in range(0, len(students), _AT_ONCE)]

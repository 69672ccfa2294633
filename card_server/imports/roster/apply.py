"""A plan written into the school: in the caller's transaction, in bulk, and nobody deleted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from card_server.attendance.refold import refold
from card_server.audit.writing import Actor
from card_server.imports.roster.apply_guardians import write_guardians
from card_server.imports.roster.plan import HomeroomPlan, Plan, StudentPlan
from card_server.people.boarding_days import holds_on
from card_server.people.moved_days import move_days
from card_server.people.names import write_pinyin
from card_server.people.student_status import StatusChange, write_status
from card_server.register.version import touch_register
from card_server.school_time import day_of
from card_server.storage.sealing import Seal
from card_server.webhooks.changes import NewStatus, tell_of_statuses
from schema.tables.people import Boarding, HomeroomStay, Sex, Student, StudentStatus
from schema.tables.school import Campus, Homeroom

Progress = Callable[[int, int], None]
"""Told how much of how much is done."""
_AT_ONCE = 500
_PARTS = 8
"""Steps that progress is told after."""
_YEAR_BEGINS = (9, 1)
"""Month and day from which a student without a history is taken to have been in the homeroom."""


@dataclass(frozen=True)
class Importing:
    """Into which school, by whom, when."""

    school_id: int
    zone: ZoneInfo
    actor: Actor
    now: datetime
    seal: Seal

    @property
    def today(self) -> date:
        """The school's day."""
        return day_of(self.now, self.zone)


def apply(session: Session, doing: Importing, plan: Plan, progress: Progress) -> None:
    """Write all of it; what it must not contradict was locked when the plan was made."""
    rooms = _write_homerooms(session, doing, plan)
    progress(1, _PARTS)
    ids = _add_students(session, doing, plan, rooms)
    progress(2, _PARTS)
    _move_students(session, doing, plan, rooms)
    progress(3, _PARTS)
    _change_students(session, doing, plan, rooms)
    progress(4, _PARTS)
    _change_statuses(session, doing, plan, rooms)
    progress(5, _PARTS)
    _change_boarding(session, doing, plan, ids)
    progress(6, _PARTS)
    ids |= {one.number: one.id for one in plan.students if one.id is not None}
    write_guardians(session, doing.school_id, doing.seal, plan, ids)
    progress(7, _PARTS)
    _mark_gone(session, doing, plan)
    touch_register(session, {doing.school_id})
    refold(session, doing.school_id, _whose_day_changes(plan), doing.today, doing.today, doing.now)


def _write_homerooms(session: Session, doing: Importing, plan: Plan) -> dict[str, int]:
    """The id of each homeroom of the roster, by its name there."""
    campuses = _find_campuses(session, doing, plan.homerooms)
    changed = [one for one in plan.homerooms if one.id is not None and one.is_written]
    for one in changed:
        # Two homerooms may exchange their names, and none may have another's for a moment.
        if any(change.field == "name" for change in one.changes):
            session.execute(_of_homeroom(one).values(name=f"\x1f{one.id}"))
    for one in changed:
        values = {
            "name": one.name,
            "grade": one.grade,
            "campus_id": campuses.get(one.campus or ""),
            "sourced_id": one.sourced_id,
        }
        session.execute(_of_homeroom(one).values(values))
    new = [one for one in plan.homerooms if one.id is None]
    added = [
        Homeroom(
            school_id=doing.school_id,
            school_year=plan.school_year,
            grade=one.grade,
            name=one.name,
            campus_id=campuses.get(one.campus or ""),
            sourced_id=one.sourced_id,
        )
        for one in new
    ]
    session.add_all(added)
    session.flush()
    ids = {one.key: row.id for one, row in zip(new, added, strict=True)}
    return ids | {one.key: one.id for one in plan.homerooms if one.id is not None}


def _of_homeroom(one: HomeroomPlan) -> Any:
    return (
        update(Homeroom).where(Homeroom.id == one.id).execution_options(synchronize_session=False)
    )


def _find_campuses(
    session: Session, doing: Importing, homerooms: Sequence[HomeroomPlan]
) -> dict[str, int]:
    """The ids of all campuses by name; those that are new are made."""
    own = Campus.school_id == doing.school_id
    known = {name: id_ for id_, name in session.execute(select(Campus.id, Campus.name).where(own))}
    missing = dict.fromkeys(one.campus for one in homerooms if one.campus not in known)
    added = [Campus(school_id=doing.school_id, name=name[:40]) for name in missing if name]
    session.add_all(added)
    session.flush()
    return known | {row.name: row.id for row in added}


def _add_students(
    session: Session, doing: Importing, plan: Plan, rooms: dict[str, int]
) -> dict[str, int]:
    """The new students' ids by number."""
    new = [one for one in plan.students if one.id is None]
    rows = [
        {
            "school_id": doing.school_id,
            "homeroom_id": rooms[one.homeroom],
            "sex": one.sex or Sex.UNKNOWN,
            "status": one.status or StudentStatus.ENROLLED,
            "status_since": doing.today,
            "identity_sealed": None,
            "identity_hash": None,
            "identity_tail": "",
            "registry_sealed": None,
            "registry_tail": "",
            **_values(one, doing.seal),
        }
        for one in new
    ]
    ids: dict[str, int] = {}
    for at in range(0, len(rows), _AT_ONCE):
        added = insert(Student).returning(Student.id, Student.number)
        for id_, number in session.execute(added, rows[at : at + _AT_ONCE]):
            ids[number] = id_
    stays = [_stay(doing, ids[one.number], rooms[one.homeroom]) for one in new]
    _insert(session, HomeroomStay, stays)
    came = [(ids[one.number], one.status or StudentStatus.ENROLLED) for one in new]
    told = [NewStatus(id_, None, status, doing.today) for id_, status in came]
    tell_of_statuses(session, doing.school_id, told)
    return ids


def _values(one: StudentPlan, seal: Seal) -> dict[str, Any]:
    """Who the student is, as columns; of what the roster does not say, nothing."""
    values: dict[str, Any] = {
        "number": one.number,
        "name": one.name,
        "pinyin": write_pinyin(one.name),
        "born_on": one.born_on,
        "sourced_id": one.sourced_id,
    }
    if one.identity is not None:
        values["identity_sealed"] = seal.close(one.identity)
        values["identity_hash"] = seal.hash(one.identity)
        values["identity_tail"] = one.identity[-4:]
    if one.registry is not None:
        values["registry_sealed"] = seal.close(one.registry)
        values["registry_tail"] = one.registry[-4:]
    return values


def _change_students(session: Session, doing: Importing, plan: Plan, rooms: dict[str, int]) -> None:
    rows = []
    for one in plan.students:
        if one.id is None:
            continue
        values = _values(one, doing.seal)
        kept = {name for name in ("born_on", "sourced_id") if values[name] is None}
        row = {name: value for name, value in values.items() if name not in kept}
        if one.sex is not None:
            row["sex"] = one.sex
        if one.is_moved and not one.was_away:
            row["homeroom_id"] = rooms[one.homeroom]
        if one.is_back:
            row["gone_at"] = None
        rows.append(row | {"id": one.id})
    # A statement for each set of columns: so that nothing is written that did not change.
    rows.sort(key=lambda row: (sorted(row), row["id"]))
    for _, alike in groupby(rows, key=sorted):
        session.execute(update(Student), list(alike))


def _move_students(session: Session, doing: Importing, plan: Plan, rooms: dict[str, int]) -> None:
    """Stays end and begin today; the days since then count for the new homeroom.

    A student who comes back from outside has no open stay: the change of status opens it.
    """
    moves = {
        one.id: rooms[one.homeroom]
        for one in plan.students
        if one.id is not None and one.is_moved and not one.was_away
    }
    today, students = doing.today, sorted(moves)
    for at in range(0, len(students), _AT_ONCE):
        part = students[at : at + _AT_ONCE]
        _begin_histories(session, doing, part)
        is_open = HomeroomStay.student_id.in_(part) & HomeroomStay.until_on.is_(None)
        _write(session, delete(HomeroomStay).where(is_open, HomeroomStay.from_on >= today))
        _write(session, update(HomeroomStay).where(is_open).values(until_on=today))
    _insert(session, HomeroomStay, [_stay(doing, one, moves[one]) for one in students])
    move_days(session, doing.school_id, moves, today, doing.zone)


def _begin_histories(session: Session, doing: Importing, students: list[int]) -> None:
    """Who has no stay yet was in the present homeroom since its school year began."""
    known = select(HomeroomStay.student_id).where(HomeroomStay.student_id.in_(students))
    found = session.execute(
        select(Student.id, Student.homeroom_id, Homeroom.school_year)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(Student.id.in_(students), Student.id.not_in(known))
    ).all()
    yesterday = doing.today - timedelta(days=1)
    begun = [
        _stay(doing, student_id, homeroom_id)
        | {"from_on": min(date(year, *_YEAR_BEGINS), yesterday)}
        for student_id, homeroom_id, year in found
    ]
    _insert(session, HomeroomStay, begun)


def _change_statuses(session: Session, doing: Importing, plan: Plan, rooms: dict[str, int]) -> None:
    """By the rule of its own: who leaves loses cards and bed, who comes back gets a homeroom."""
    for one in plan.students:
        if one.id is None or one.status is None:
            continue
        steps = [one.status]
        if one.status is StudentStatus.SUSPENDED and one.was_away:
            steps.insert(0, StudentStatus.ENROLLED)
        for status in steps:
            write_status(
                session,
                doing.actor,
                doing.school_id,
                one.id,
                StatusChange(status, doing.today, homeroom_id=rooms.get(one.homeroom)),
                doing.now,
                doing.zone,
            )


def _change_boarding(session: Session, doing: Importing, plan: Plan, ids: dict[str, int]) -> None:
    begins = [
        one.id if one.id is not None else ids[one.number]
        for one in plan.students
        if one.is_boarding is True
    ]
    ends = [one.id for one in plan.students if one.is_boarding is False and one.id is not None]
    today = doing.today
    for at in range(0, len(ends), _AT_ONCE):
        part = ends[at : at + _AT_ONCE]
        # What staff wrote for a coming day stands: the file says what is so today.
        now = Boarding.student_id.in_(part) & holds_on(today)
        _write(session, delete(Boarding).where(now, Boarding.from_on == today))
        _write(session, update(Boarding).where(now).values(until_on=today))
    rows = []
    for at in range(0, len(begins), _AT_ONCE):
        part = begins[at : at + _AT_ONCE]
        # Who stopped today and goes on: the time before simply goes on as well.
        again = Boarding.student_id.in_(part) & (Boarding.until_on == today)
        known = set(session.scalars(select(Boarding.student_id).where(again)))
        _write(session, update(Boarding).where(again).values(until_on=None))
        rows += [
            {"student_id": id_, "from_on": today, "school_id": doing.school_id, "until_on": None}
            for id_ in part
            if id_ not in known
        ]
    _insert(session, Boarding, rows)


def _mark_gone(session: Session, doing: Importing, plan: Plan) -> None:
    gone = [one.id for one in plan.gone]
    for at in range(0, len(gone), _AT_ONCE):
        part = Student.id.in_(gone[at : at + _AT_ONCE])
        _write(session, update(Student).where(part).values(gone_at=doing.now))


def _whose_day_changes(plan: Plan) -> list[int]:
    """Of whom today something else is expected than before; a new student has no day yet."""
    changed = [
        one.id
        for one in plan.students
        if one.id is not None
        and (one.is_moved or one.is_back or one.status is not None or one.is_boarding is not None)
    ]
    return [*changed, *(one.id for one in plan.gone)]


def _stay(doing: Importing, student_id: int, homeroom_id: int) -> dict[str, Any]:
    return {
        "student_id": student_id,
        "from_on": doing.today,
        "school_id": doing.school_id,
        "homeroom_id": homeroom_id,
        "until_on": None,
    }


def _insert(session: Session, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    for at in range(0, len(rows), _AT_ONCE):
        session.execute(insert(table), rows[at : at + _AT_ONCE])


def _write(session: Session, statement: Any) -> None:
    """Nobody looks at loaded rows before all is done."""
    session.execute(statement, execution_options={"synchronize_session": False})

"""An evacuation (疏散): begun with a frozen list, ticked off by several, ended with a record.

A tick says how long ago it was made, not when: a phone may have been without a network, and its
clock may be wrong. Of two that contradict each other the one made later holds, in whatever order
they arrive.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import Problems
from card_server.reports.evacuation import Person, find_running, list_people
from card_server.reports.marked_list import list_marked
from card_server.reports.on_campus import (
    OF_THE_SCHOOL,
    Inside,
    Part,
    Wanted,
    list_inside,
    list_unsure,
    read_gates,
)
from schema.tables.attendance import Presence
from schema.tables.evacuation import Evacuation, EvacuationStudent
from schema.tables.people import Student

MOST_TICKS: Final = 500
"""Of one request: a phone that was away for long sends several."""
_ENCODER: Final = msgspec.json.Encoder()


@dataclass(frozen=True)
class Warden:
    """Who takes part in an evacuation, in which school, and when."""

    actor: Actor
    staff_id: int
    """The account, or that of whoever made the program's token."""
    school_id: int
    now: datetime
    is_school: bool = False
    """Whether this person may end what somebody else began."""


@dataclass(frozen=True)
class Tick:
    """That a student was found, or that this was wrong."""

    student_id: int
    is_found: bool
    age_s: float = 0
    """How long ago it was made."""


def start(session: Session, doing: Warden, typed_reason: str) -> Evacuation:
    """Begin an evacuation: freeze who is on campus, and how fresh each gate is.

    The list is of the whole school, whoever begins. Raises FieldsError without a reason,
    AppError(CONFLICT) while another one goes on.
    """
    wrong = Problems()
    reason = wrong.text("reason", typed_reason, 200)
    wrong.refuse()
    if find_running(session, doing.school_id) is not None:
        raise _goes_on()
    with Session(bind=session.connection()) as whole:
        row = _write(whole, doing, reason)
        evacuation_id, number = row.id, _freeze(whole, doing, row.id)
        whole.flush()
    details = {"students": number}
    subject = f"evacuation:{evacuation_id}"
    note(
        session,
        doing.school_id,
        doing.actor,
        "evacuation.started",
        subject,
        reason=reason,
        details=details,
    )
    return session.get_one(Evacuation, evacuation_id)


def _write(session: Session, doing: Warden, reason: str) -> Evacuation:
    row = Evacuation(
        school_id=doing.school_id,
        running_school_id=doing.school_id,
        reason=reason,
        started_at=doing.now,
        started_by=doing.actor.name[:120],
        started_by_id=doing.staff_id,
        gates=_ENCODER.encode(read_gates(session, doing.school_id)).decode(),
        changed_at=doing.now,
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise _goes_on() from error
    return row


def _goes_on() -> AppError:
    return AppError(Code.CONFLICT, "An evacuation goes on already; open it and tick off there.")


def _freeze(session: Session, doing: Warden, evacuation_id: int) -> int:
    """How many students the list has."""
    everybody = Wanted()
    found = [
        *list_inside(session, doing.school_id, everybody, doing.now, Part()),
        *list_unsure(session, doing.school_id, everybody, doing.now),
    ]
    marked = list_marked(session, doing.school_id, everybody, doing.now)
    rows = [_row(one, doing.school_id, evacuation_id) for one in found]
    rows += [_row(one, doing.school_id, evacuation_id, is_marked=True) for one in marked]
    if rows:
        session.execute(insert(EvacuationStudent), rows)
    return len(rows)


def _row(
    one: Inside, school_id: int, evacuation_id: int, *, is_marked: bool = False
) -> dict[str, object]:
    return {
        "evacuation_id": evacuation_id,
        "student_id": one.student_id,
        "school_id": school_id,
        "homeroom_id": one.homeroom_id,
        "reader_id": one.reader_id,
        "since_at": one.since_at,
        "is_unsure": one.is_unsure,
        "is_marked": is_marked,
    }


def mark(session: Session, doing: Warden, evacuation_id: int, ticks: Collection[Tick]) -> list[int]:
    """Tick students off, or take that back: whose state changed by it.

    Who stands on no list and is found all the same is added to it. Who is beyond the caller's reach
    is left out, and so is a tick made after the end. Raises AppError(NOT_FOUND), AppError(CONFLICT)
    when it has ended and nothing of this is older.
    """
    evacuation = _lock(session, doing.school_id, evacuation_id)
    made = [(one, _moment(one, evacuation, doing.now)) for one in ticks]
    if evacuation.ended_at is not None:
        made = [(one, at) for one, at in made if at <= evacuation.ended_at]
        if ticks and not made:
            raise AppError(Code.CONFLICT, "This evacuation has ended; nothing was ticked off.")
    rows = _rows_of(session, evacuation, {one.student_id for one, _at in made})
    found = {one.student_id: at for one, at in made if one.is_found}
    rows |= _add_found(session, evacuation, {one: found[one] for one in found.keys() - rows.keys()})
    changed: dict[int, bool] = {}
    for one, at in sorted(made, key=lambda pair: pair[1]):
        row = rows.get(one.student_id)
        if row is not None and _is_news(row, one, at):
            row.is_found, row.marked_at, row.received_at = one.is_found, at, doing.now
            row.marked_by, row.marked_by_id = doing.actor.name[:120], doing.staff_id
            changed[one.student_id] = one.is_found
    if changed:
        _note_ticks(session, doing, evacuation, changed)
    return sorted(changed)


def _lock(session: Session, school_id: int, evacuation_id: int) -> Evacuation:
    row = session.scalar(
        select(Evacuation)
        .where(Evacuation.school_id == school_id, Evacuation.id == evacuation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such evacuation.")
    return row


def _moment(tick: Tick, evacuation: Evacuation, now: datetime) -> datetime:
    """When it was made: not before the evacuation, whatever the phone says."""
    age = timedelta(seconds=min(max(0.0, tick.age_s), 30 * 86_400))
    return max(now - age, evacuation.started_at)


def _is_news(row: EvacuationStudent, tick: Tick, at: datetime) -> bool:
    if row.is_found == tick.is_found:
        return False
    return row.marked_at is None or at >= row.marked_at


def _rows_of(
    session: Session, evacuation: Evacuation, student_ids: Collection[int]
) -> dict[int, EvacuationStudent]:
    """The rows of these students, as far as the caller sees them; later ones get theirs now."""
    found = session.scalars(
        select(EvacuationStudent)
        .where(
            EvacuationStudent.evacuation_id == evacuation.id,
            EvacuationStudent.student_id.in_(student_ids),
        )
        .execution_options(populate_existing=True)
    )
    rows = {row.student_id: row for row in found}
    if evacuation.ended_at is None:
        for row in _later_rows(session, evacuation, set(student_ids) - rows.keys()):
            session.add(row)
            rows[row.student_id] = row
    return rows


def _add_found(
    session: Session, evacuation: Evacuation, found: dict[int, datetime]
) -> dict[int, EvacuationStudent]:
    """Rows for students within the caller's reach who stood on no list, and when each was found."""
    students = session.execute(
        select(Student.id, Student.homeroom_id).where(
            Student.school_id == evacuation.school_id,
            Student.id.in_(found),
            Student.status.in_(OF_THE_SCHOOL),
            Student.erased_at.is_(None),
        )
    ).all()
    listed = _listed_beyond_reach(session, evacuation, found)
    rows = {
        student_id: EvacuationStudent(
            evacuation_id=evacuation.id,
            student_id=student_id,
            school_id=evacuation.school_id,
            homeroom_id=homeroom_id,
            reader_id=0,
            since_at=found[student_id],
            is_added=True,
            is_found=False,
        )
        for student_id, homeroom_id in students
        if student_id not in listed
    }
    session.add_all(rows.values())
    return rows


def _listed_beyond_reach(
    session: Session, evacuation: Evacuation, student_ids: Collection[int]
) -> set[int]:
    row = EvacuationStudent.__table__.c
    found = session.scalars(
        select(row.student_id).where(
            row.evacuation_id == evacuation.id, row.student_id.in_(student_ids)
        )
    )
    return set(found)


def _later_rows(
    session: Session, evacuation: Evacuation, student_ids: Collection[int]
) -> Iterable[EvacuationStudent]:
    found = session.execute(
        select(Student.id, Student.homeroom_id, Presence.reader_id, Presence.since_at)
        .join(
            Presence,
            (Presence.school_id == Student.school_id) & (Presence.student_id == Student.id),
        )
        .where(
            Student.school_id == evacuation.school_id,
            Student.id.in_(student_ids),
            Presence.is_inside.is_(True),
        )
    ).all()
    return [
        EvacuationStudent(
            evacuation_id=evacuation.id,
            student_id=student_id,
            school_id=evacuation.school_id,
            homeroom_id=homeroom_id,
            reader_id=reader_id,
            since_at=since_at,
            is_unsure=False,
            is_later=True,
            is_found=False,
        )
        for student_id, homeroom_id, reader_id, since_at in found
    ]


def _note_ticks(
    session: Session, doing: Warden, evacuation: Evacuation, changed: dict[int, bool]
) -> None:
    evacuation.changed_at = max(doing.now, evacuation.changed_at + timedelta(microseconds=1))
    details = {
        "found": sorted(one for one, is_found in changed.items() if is_found),
        "not_found": sorted(one for one, is_found in changed.items() if not is_found),
    }
    subject = f"evacuation:{evacuation.id}"
    note(session, doing.school_id, doing.actor, "evacuation.ticked", subject, details=details)


def end(session: Session, doing: Warden, evacuation_id: int) -> Evacuation:
    """End it: what the gates say of its students is kept as it is now.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) when it has ended, AppError(NOT_ALLOWED) for
    somebody who neither began it nor speaks for the school.
    """
    with Session(bind=session.connection()) as whole:
        row = _lock(whole, doing.school_id, evacuation_id)
        if row.ended_at is not None:
            raise AppError(Code.CONFLICT, "This evacuation has ended already.")
        if not doing.is_school and row.started_by_id != doing.staff_id:
            raise AppError(
                Code.NOT_ALLOWED,
                "Only whoever began an evacuation and the school's administrators end it.",
            )
        people = list_people(whole, row)
        _keep(whole, row, people)
        row.running_school_id, row.ended_at = None, doing.now
        row.ended_by = doing.actor.name[:120]
        row.changed_at = max(doing.now, row.changed_at + timedelta(microseconds=1))
        whole.flush()
    missing = sum(one.is_missing for one in people)
    subject = f"evacuation:{evacuation_id}"
    details = {"missing": missing, "found": sum(one.is_found for one in people)}
    note(session, doing.school_id, doing.actor, "evacuation.ended", subject, details=details)
    return session.get_one(Evacuation, evacuation_id, populate_existing=True)


def _keep(session: Session, evacuation: Evacuation, people: Collection[Person]) -> None:
    """Write down what was read from the gates while it went on."""
    later = [one.student_id for one in people if one.is_later]
    for row in _later_rows(session, evacuation, set(later) - _listed(session, evacuation)):
        session.add(row)
    session.flush()
    by_student = {one.student_id: one for one in people}
    rows = session.scalars(
        select(EvacuationStudent).where(EvacuationStudent.evacuation_id == evacuation.id)
    )
    for row in rows:
        person = by_student.get(row.student_id)
        if person is None:
            # Added by a tick that was taken back: the row says nothing.
            continue
        row.is_unsure, row.is_later = person.is_unsure, person.is_later
        row.is_marked, row.is_added = person.is_marked, person.is_added
        row.left_at = person.left_at


def _listed(session: Session, evacuation: Evacuation) -> set[int]:
    found = session.scalars(
        select(EvacuationStudent.student_id).where(EvacuationStudent.evacuation_id == evacuation.id)
    )
    return set(found)

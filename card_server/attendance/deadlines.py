"""Absence is judged when its time has come and every gate has reported past it; and closing hours.

A deadline is one session of a homeroom's day, or (`CLOSING`) the hour at which the school closes.
A gate in the dark delays the judgement and stands in `waiting_for`: an absence is never invented.
Gates that were never heard of are not waited for, for they may not be set up yet, nor are retired
ones; but a school of which no other gate was ever heard has nobody absent. The school closes at its
hour whatever the gates say; a passage that comes in later mends the day, and what is judged then is
judged by all gates.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from card_server.attendance.absences import JudgedSession, queue_absences
from card_server.attendance.day_book import DayBook
from card_server.attendance.homerooms import room_on, stays_of
from card_server.attendance.loading import reported_to
from card_server.attendance.members import members_of
from card_server.attendance.plans import CLOSING, PlanKey, SchoolDays, find_plans, read_school
from card_server.attendance.pupils import Pupil, keys_of
from card_server.attendance.serving_gates import Gates, Served, read_served, reported
from card_server.attendance.writing_days import write_judged
from schema.tables.attendance import Deadline
from schema.tables.dark_gates import GateLeftOut

NO_GATE: Final = "-"
"""In `waiting_for`: no gate of the school that is in use was ever heard of."""
_LONGEST_WAIT = timedelta(days=30)
"""After that a deadline is not looked at any more; the days can be recomputed."""
_AT_ONCE = 40


def judge_due(session: Session, now: datetime) -> None:
    """Judge all that is due, a few homerooms to a transaction; several processes may do so."""
    is_due = (
        Deadline.judged_at.is_(None)
        & (Deadline.due_at <= now)
        & (Deadline.due_at > now - _LONGEST_WAIT)
    )
    for school_id in session.scalars(select(Deadline.school_id).where(is_due).distinct()).all():
        school = read_school(session, school_id)
        of_school = is_due & (Deadline.school_id == school_id)
        for served in read_served(session, school_id):
            _judge_served(session, school, served, of_school & served.deadlines, now)


def _judge_served(
    session: Session,
    school: SchoolDays,
    served: Served,
    wanted: ColumnElement[bool],
    now: datetime,
) -> None:
    """Judge what is due in homerooms that wait for the same gates; it commits."""
    may_judge = _may_judge(reported(served.gates))
    while claimed := _claim(session, wanted & may_judge):
        _judge(session, school, claimed, served.gates, now)
        session.commit()
    judge_without_gates(session, school, served.gates, wanted, now)
    _note_waiting(session, wanted, served.gates)
    session.commit()


def judge_without_gates(
    session: Session,
    school: SchoolDays,
    gates: Gates,
    wanted: ColumnElement[bool],
    now: datetime,
) -> None:
    """Judge what waits for nothing but gates that somebody left out of the day; it commits."""
    for day, left_out in _left_out(session, school.id).items():
        others = {one: moment for one, moment in gates.items() if one not in left_out}
        until = reported(others)
        if until is None:
            continue
        may_judge = (Deadline.day == day) & (Deadline.due_at <= until)
        while claimed := _claim(session, wanted & may_judge & (Deadline.position != CLOSING)):
            _judge(session, school, claimed, others, now)
            session.commit()


def _left_out(session: Session, school_id: int) -> dict[date, set[int]]:
    """The days with a deadline that waits, and the gates that it need not wait for."""
    found = session.execute(
        select(GateLeftOut.day, GateLeftOut.reader_id)
        .where(
            GateLeftOut.school_id == school_id,
            select(Deadline.day)
            .where(
                Deadline.school_id == school_id,
                Deadline.day == GateLeftOut.day,
                Deadline.judged_at.is_(None),
            )
            .exists(),
        )
        .order_by(GateLeftOut.day)
    )
    days: dict[date, set[int]] = {}
    for day, reader_id in found:
        days.setdefault(day, set()).add(reader_id)
    return days


def _may_judge(until: datetime | None) -> ColumnElement[bool]:
    """What every gate has reported past; and closing hours that have not been kept yet."""
    is_closing = (Deadline.position == CLOSING) & (Deadline.waiting_for == "")
    return is_closing if until is None else or_(is_closing, Deadline.due_at <= until)


def _claim(session: Session, wanted: ColumnElement[bool]) -> Sequence[Deadline]:
    """Some of them, which no other process has; locked until the transaction ends."""
    return session.scalars(
        select(Deadline)
        .where(wanted)
        .order_by(Deadline.due_at, Deadline.day, Deadline.homeroom_id, Deadline.position)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def _judge(
    session: Session,
    school: SchoolDays,
    claimed: Sequence[Deadline],
    gates: Gates,
    now: datetime,
) -> None:
    """Judge everybody of these homerooms on these days."""
    until = reported(gates)
    pupils = _pupils(session, school, claimed)
    keys = keys_of(pupils)
    heard = reported_to(session, list(keys))
    for one in claimed:
        if until is not None and one.due_at <= until:
            key = PlanKey(one.school_id, one.day, one.homeroom_id)
            heard[key] = max(heard.get(key, one.due_at), one.due_at)
            one.judged_at, one.waiting_for = now, ""
        else:
            one.waiting_for = _lagging(gates, one.due_at)
    session.flush()
    book = DayBook(session, now)
    book.lock_all(pupils)
    book.read(pupils, find_plans(session, {school.id: school}, keys), heard)
    for pupil in pupils:
        book.judge(pupil)
    write_judged(session, book, now)
    judged = {
        JudgedSession(one.day, one.homeroom_id, one.position)
        for one in claimed
        if one.judged_at is not None
    }
    queue_absences(session, book, judged, now)


def _pupils(session: Session, school: SchoolDays, claimed: Iterable[Deadline]) -> list[Pupil]:
    """Those who were of these homerooms on these days; a student's days together."""
    rooms: dict[date, set[int]] = {}
    for one in claimed:
        rooms.setdefault(one.day, set()).add(one.homeroom_id)
    pupils: dict[int, Pupil] = {}
    for day in sorted(rooms):
        members = members_of(session, school, day, rooms[day])
        stays = stays_of(session, [member.student_id for member in members])
        for member in members:
            student_id, today = member.student_id, member.homeroom_id
            pupil = pupils.get(student_id)
            if pupil is None:
                pupil = Pupil(school, student_id, today, {}, member=member)
                pupils[student_id] = pupil
            pupil.days[day] = room_on(stays, student_id, day, today)
    return [pupils[student_id] for student_id in sorted(pupils)]


def _note_waiting(session: Session, wanted: ColumnElement[bool], gates: Gates) -> None:
    """Say at each deadline that is not judged for which gates it waits."""
    waiting = session.scalars(
        select(Deadline)
        .where(wanted)
        .order_by(Deadline.day, Deadline.homeroom_id, Deadline.position)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    for one in waiting:
        lagging = _lagging(gates, one.due_at)
        if one.waiting_for != lagging:
            one.waiting_for = lagging


def _lagging(gates: Gates, due_at: datetime) -> str:
    """The gates that have not reported past a moment, as `waiting_for` has them."""
    lagging = [
        str(reader_id)
        for reader_id, drained_to in sorted(gates.items())
        if drained_to is None or drained_to < due_at
    ]
    return " ".join(lagging) if gates else NO_GATE

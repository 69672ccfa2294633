"""Judging days anew when something else than a tap has changed: leave, corrections, boarding."""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.day_book import DayBook
from card_server.attendance.homerooms import room_on, stays_of
from card_server.attendance.loading import reported_to
from card_server.attendance.notices import settle_changed
from card_server.attendance.plans import SchoolDays, find_plans, read_school
from card_server.attendance.pupils import Pupil, keys_of
from card_server.school_time import day_of
from card_server.storage.bulk import write_all
from schema.tables.people import Student


def refold(
    session: Session,
    school_id: int,
    student_ids: int | Collection[int],
    first_day: date,
    last_day: date,
    as_of: datetime,
) -> None:
    """Judge these days of these students anew, up to today, in the caller's transaction.

    The session may be limited to what its user sees: a day depends on more than that, so the same
    transaction is read without those limits.
    """
    ids = [student_ids] if isinstance(student_ids, int) else sorted(set(student_ids))
    session.flush()
    with Session(bind=session.connection()) as whole:
        school = read_school(whole, school_id)
        last_day = min(last_day, day_of(as_of, school.zone))
        if not ids or first_day > last_day:
            return
        days = [first_day + timedelta(days=n) for n in range((last_day - first_day).days + 1)]
        pupils = read_pupils(whole, school, ids, days)
        judge_pupils(whole, pupils, as_of)


def read_pupils(
    session: Session, school: SchoolDays, student_ids: Collection[int], days: Iterable[date]
) -> list[Pupil]:
    """These students with these days, each day in its own homeroom."""
    stays = stays_of(session, student_ids)
    student = Student.__table__.c
    wanted = (
        select(student.id, student.homeroom_id)
        .where(student.school_id == school.id, student.id.in_(student_ids))
        .order_by(student.id)
    )
    return [
        Pupil(school, id_, room, {day: room_on(stays, id_, day, room) for day in days})
        for id_, room in session.execute(wanted)
    ]


def judge_pupils(session: Session, pupils: Collection[Pupil], as_of: datetime) -> DayBook:
    """Judge and write the days of students of one school; what changed stands in the book."""
    everybody = list(pupils)
    keys = keys_of(everybody)
    book = DayBook(session, as_of)
    book.lock_all(everybody)
    schools = {pupil.school.id: pupil.school for pupil in everybody}
    book.read(everybody, find_plans(session, schools, keys), reported_to(session, list(keys)))
    for pupil in everybody:
        book.judge(pupil)
    book.rewrite_taps()
    settle_changed(session, book.tap_changes, (), as_of)
    write_all(session, book.writes())
    return book

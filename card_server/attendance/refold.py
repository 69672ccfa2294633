"""Judging days anew when more than a tap has changed: leave, corrections, the register."""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from card_server.attendance.day_book import DayBook
from card_server.attendance.homerooms import stays_of
from card_server.attendance.loading import reported_to
from card_server.attendance.members import memberships_of
from card_server.attendance.notices import Settled
from card_server.attendance.plans import SchoolDays, find_plans, read_school
from card_server.attendance.pupils import Pupil, keys_of, pupil_of
from card_server.attendance.writing_days import write_judged
from card_server.school_time import day_of


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
    stays, wanted = stays_of(session, student_ids), list(days)
    members = memberships_of(session, school.id, student_ids)
    return [pupil_of(school, one, stays, wanted) for one in members]


def judge_pupils(session: Session, pupils: Collection[Pupil], as_of: datetime) -> DayBook:
    """Judge and write the days of students of one school; what changed stands in the book."""
    return judge_and_settle(session, pupils, as_of)[0]


def judge_and_settle(
    session: Session, pupils: Collection[Pupil], as_of: datetime
) -> tuple[DayBook, Settled]:
    """The same, for who tells of it: with what was told before."""
    everybody = list(pupils)
    keys = keys_of(everybody)
    book = DayBook(session, as_of)
    book.lock_all(everybody)
    schools = {pupil.school.id: pupil.school for pupil in everybody}
    book.read(everybody, find_plans(session, schools, keys), reported_to(session, list(keys)))
    for pupil in everybody:
        book.judge(pupil)
    return book, write_judged(session, book, as_of)

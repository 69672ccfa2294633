"""What guardians are told of a student who has not come, and of one who then comes after all.

An absence is told when its deadline is judged, once for a student, a day and a session; or later,
when the guard takes back the word that a student had come. It is taken back while nobody has been
told, as soon as the student comes, or leave or a correction says otherwise. Whoever was told gets
another message with the arrival, in the place of the plain one.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from card_server.attendance.day_book import DayBook
from card_server.attendance.facts import SessionPlan, SessionResult
from card_server.attendance.loading import reported_to
from card_server.attendance.plans import PlanKey, moment_of
from card_server.attendance.rows import DayKey, DayRow, OddDay
from card_server.messages.moments import say_day, say_part, say_time
from card_server.messages.queueing import News, queue_news
from card_server.school_time import bounds_of, day_of
from schema.tables.attendance import SessionStatus
from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from schema.tables.people import Language, Student

Owed = dict[DayKey, set[int]]
"""The guardians who were told that a student had not come that day, and not yet that it came."""

_TOLD: Final = frozenset(
    {MessageState.SENDING, MessageState.ACCEPTED, MessageState.DELIVERED, MessageState.UNKNOWN}
)
_TAKEN_BACK: Final = frozenset({Suppression.DUPLICATE, Suppression.WITHDRAWN})
_DECODER = msgspec.json.Decoder(tuple[SessionResult, ...])


class _Kept(NamedTuple):
    school_id: int
    id: UUID
    kind: MessageKind
    state: MessageState
    suppression: Suppression | None
    student_id: int
    guardian_id: int
    about_at: datetime | None
    created_at: datetime


class JudgedSession(NamedTuple):
    """A session of a homeroom's day whose deadline is judged."""

    day: date
    homeroom_id: int
    position: int


def queue_absences(
    session: Session, book: DayBook, judged: Collection[JudgedSession], now: datetime
) -> None:
    """Tell of those who by these deadlines have not come today, and had not been found absent."""
    found = [
        (one, plan, due_at)
        for one in _of_today(book, now)
        for plan, due_at in _missed(one, one.after)
        if JudgedSession(one.after.day, one.after.homeroom_id, plan.position) in judged
        and due_at not in {moment for _plan, moment in _missed(one, one.before)}
        and not _has_come_since(one.after, due_at)
    ]
    if not found:
        return
    told = _believed(_known(session, [one for one, _plan, _due_at in found]))
    names = _names(session, {one.after.student_id for one, _plan, _due_at in found})
    by_school: dict[int, list[News]] = {}
    for one, plan, due_at in found:
        student_id = one.after.student_id
        if (student_id, due_at) not in told:
            told_now = _news(one, plan, due_at, names[student_id])
            by_school.setdefault(one.school.id, []).append(told_now)
    for school_id, news in by_school.items():
        queue_news(session, school_id, news, now)


def queue_absences_after_all(session: Session, book: DayBook, now: datetime) -> None:
    """Tell of those who by what was taken back have not come today; nobody judges them again."""
    days = [
        (one, PlanKey(one.school.id, one.after.day, one.after.homeroom_id))
        for one in _of_today(book, now)
    ]
    reported = reported_to(session, {key for _one, key in days})
    judged = {
        JudgedSession(key.day, key.homeroom_id, plan.position)
        for one, key in days
        if key in reported
        for plan, due_at in _missed(one, one.after)
        if due_at <= reported[key]
    }
    queue_absences(session, book, judged, now)


def withdraw_absences(session: Session, book: DayBook, now: datetime) -> Owed:
    """Take back what waits and is not so any more; who is owed the news of an arrival.

    An absence that a notifier takes at the same time counts as told.
    """
    days = {(one.school.id, one.after.student_id): one for one in _of_today(book, now)}
    if not days:
        return {}
    known = _known(session, days.values())
    wrong = {
        (row.school_id, row.id)
        for row in known
        if row.kind is MessageKind.ABSENCE
        and row.state is MessageState.QUEUED
        and not _still_holds(days[row.school_id, row.student_id], row.about_at)
    }
    taken = wrong - _withdraw(session, wrong, now)
    owed: Owed = {}
    for row in known:
        one = days[row.school_id, row.student_id]
        if not one.has_come:
            continue
        key = DayKey(row.school_id, one.after.day, row.student_id)
        guardians = owed.setdefault(key, set())
        is_told = row.state in _TOLD or (row.school_id, row.id) in taken
        if row.kind is MessageKind.ARRIVED and row.suppression not in _TAKEN_BACK:
            guardians.discard(row.guardian_id)
        elif row.kind is MessageKind.ABSENCE and is_told:
            guardians.add(row.guardian_id)
    return {key: guardians for key, guardians in owed.items() if guardians}


def _of_today(book: DayBook, now: datetime) -> list[OddDay]:
    """Today's days with an absence, as it was or as it is."""
    return [
        one
        for one in book.odd_days
        if (one.after.absent or (one.before is not None and one.before.absent))
        and one.after.day == day_of(now, one.school.zone)
    ]


def _believed(known: Iterable[_Kept]) -> set[tuple[int, datetime | None]]:
    """Whose absence at which deadline was told, and not since that the student has come."""
    told: set[tuple[int, datetime | None]] = set()
    for row in known:
        if row.suppression in _TAKEN_BACK:
            continue
        if row.kind is MessageKind.ABSENCE:
            told.add((row.student_id, row.about_at))
        else:
            told = {
                (student_id, due_at) for student_id, due_at in told if student_id != row.student_id
            }
    return told


def _missed(one: OddDay, row: DayRow | None) -> Iterator[tuple[SessionPlan, datetime]]:
    """The sessions in which nobody saw the student by that row, each with its deadline.

    Who came too late to be counted has minutes beside the absence, and has come. What staff said
    is their business.
    """
    if row is None or not row.absent:
        return
    plans = {plan.position: plan for plan in one.plan.sessions}
    for result in _DECODER.decode(row.sessions):
        if result.status is not SessionStatus.ABSENT or result.late_minutes or result.is_corrected:
            continue
        plan = plans.get(result.position)
        if plan is not None:
            yield plan, moment_of(row.day, plan.absent_after + 1, one.school.zone)


def _has_come_since(row: DayRow, due_at: datetime) -> bool:
    """Whether the day's first entry was after the deadline: late news of a dark gate."""
    return row.arrived_at is not None and row.arrived_at >= due_at


def _still_holds(one: OddDay, due_at: datetime | None) -> bool:
    return not one.has_come and due_at in {moment for _plan, moment in _missed(one, one.after)}


def _known(session: Session, days: Iterable[OddDay]) -> list[_Kept]:
    """The day's messages about these students' absence and coming, the oldest first."""
    begins = {
        (one.school.id, one.after.student_id): bounds_of(one.after.day, one.school.zone)[0]
        for one in days
    }
    found = session.connection().execute(
        select(
            Message.school_id,
            Message.id,
            Message.kind,
            Message.state,
            Message.suppression,
            Message.student_id,
            Message.guardian_id,
            Message.about_at,
            Message.created_at,
        )
        .where(
            tuple_(Message.school_id, Message.student_id).in_(sorted(begins)),
            Message.created_at >= min(begins.values()),
            Message.kind.in_((MessageKind.ABSENCE, MessageKind.ARRIVED)),
        )
        .order_by(Message.created_at, Message.id)
    )
    kept = [_Kept(*row) for row in found.all()]
    return [row for row in kept if row.created_at >= begins[row.school_id, row.student_id]]


def _withdraw(
    session: Session, messages: Collection[tuple[int, UUID]], now: datetime
) -> set[tuple[int, UUID]]:
    """Take these back; those that were waiting still."""
    if not messages:
        return set()
    withdrawn = session.connection().execute(
        update(Message)
        .where(
            tuple_(Message.school_id, Message.id).in_(messages),
            Message.state == MessageState.QUEUED,
        )
        .values(state=MessageState.SUPPRESSED, suppression=Suppression.WITHDRAWN, changed_at=now)
        .returning(Message.school_id, Message.id)
    )
    return {(row.school_id, row.id) for row in withdrawn}


def _news(one: OddDay, plan: SessionPlan, due_at: datetime, name: str) -> News:
    day, zone = one.after.day, one.school.zone
    slots = {
        language: {
            "student": name,
            "date": say_day(day, language),
            "session": say_part(plan.part, language),
            "time": say_time(due_at.astimezone(zone)),
        }
        for language in Language
    }
    until = moment_of(day, plan.ends, zone)
    return News(MessageKind.ABSENCE, one.after.student_id, due_at, slots, until)


def _names(session: Session, student_ids: Collection[int]) -> dict[int, str]:
    """Whoever judges need not see them all."""
    wanted = select(Student.id, Student.name).where(Student.id.in_(student_ids))
    return {row.id: row.name for row in session.connection().execute(wanted)}

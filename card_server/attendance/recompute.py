"""Recomputing days from the taps on record: by the plans that were kept, or by today's calendar.

A few students at a time, with all their days: memory stays small however long the time is, and
whoever taps meanwhile waits no longer than for those few. Done twice, it changes nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple

from msgspec import Struct
from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.day_book import DayBook, Rewritten
from card_server.attendance.deadlines import gates_reported_to
from card_server.attendance.homerooms import stays_of
from card_server.attendance.loading import Reported, reported_to
from card_server.attendance.members import Membership, memberships
from card_server.attendance.plans import (
    PlanKey,
    Plans,
    SchoolDays,
    deadlines_of,
    find_plans,
    keep_plans,
    plans_now,
    replace_plans,
)
from card_server.attendance.pupils import keys_of, pupil_of
from card_server.attendance.recount import recount
from card_server.attendance.rows import DayRow
from card_server.attendance.writing_days import write_judged
from card_server.register.version import touch_register
from card_server.school_time import bounds_of, day_of
from card_server.storage.bulk import Write, write_all
from schema.tables.attendance import Attendance, Deadline
from schema.tables.taps import Tap

MOST_LISTED: Final = 500
"""Changed days that a report names; all are counted."""
_STUDENT_DAYS = 6_000
"""Days of students that are in memory at once."""
Progress = Callable[[int, int], None]
"""Told how many students are done, and of how many."""


class Changed(NamedTuple):
    """A student's day that is not as it was."""

    student_id: int
    day: date
    homeroom_id: int
    before: DayRow | None
    after: DayRow


@dataclass
class Recomputed:
    """What became of a time; in a trial, what would."""

    students: int = 0
    changed: int = 0
    """Days of students."""
    by_homeroom: dict[int, int] = field(default_factory=dict)
    """Changed days by homeroom."""
    listed: list[Changed] = field(default_factory=list)
    """The first of them."""
    counts_mended: int = 0
    """Homerooms' days whose counts were wrong by themselves."""

    def note(self, one: Rewritten) -> None:
        """Count a changed day."""
        after = one.after
        self.changed += 1
        self.by_homeroom[after.homeroom_id] = self.by_homeroom.get(after.homeroom_id, 0) + 1
        if len(self.listed) < MOST_LISTED:
            self.listed.append(
                Changed(after.student_id, after.day, after.homeroom_id, one.before, after)
            )


class _DeadlineRow(Struct, gc=False):
    school_id: int
    day: date
    homeroom_id: int
    position: int
    due_at: datetime
    judged_at: datetime | None


class Recomputing:
    """One school and a time; `try_out` tells what `do` would change."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        school: SchoolDays,
        first: date,
        last: date,
        now: datetime,
        *,
        by_new_calendar: bool = False,
    ) -> None:
        last = min(last, day_of(now, school.zone))
        self._sessions = sessions
        self._school = school
        self._days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        self._now = now
        self._by_new_calendar = by_new_calendar

    def try_out(self, progress: Progress) -> Recomputed:
        """What would change; nothing is written."""
        return self._go_through(progress, is_trial=True)

    def do(self, progress: Progress) -> Recomputed:
        """Judge it all anew, a few students to a transaction; then the homerooms' counts."""
        with self._sessions() as session:
            students = self._students(session)
            keys = self._all_keys(session, students)
            if self._by_new_calendar:
                self._renew_plans(session, keys)
            else:
                keep_plans(session, {self._school.id: self._school}, keys, self._now)
            session.commit()
        done = self._go_through(progress, is_trial=False)
        for day in self._days:
            with self._sessions.begin() as session:
                done.counts_mended += recount(session, self._school, day)
        return done

    def _go_through(self, progress: Progress, *, is_trial: bool) -> Recomputed:
        result = Recomputed()
        if not self._days:
            return result
        with self._sessions() as session:
            students = self._students(session)
        each = max(1, _STUDENT_DAYS // len(self._days))
        remaining = iter(students)
        while part := list(islice(remaining, each)):
            with self._sessions() as session:
                for one in self._judge(session, part, is_trial=is_trial).rewritten:
                    result.note(one)
                if is_trial:
                    session.rollback()
                else:
                    session.commit()
            result.students += len(part)
            progress(result.students, len(students))
        return result

    def _judge(self, session: Session, members: list[Membership], *, is_trial: bool) -> DayBook:
        stays = stays_of(session, [one.student_id for one in members])
        pupils = [pupil_of(self._school, one, stays, self._days) for one in members]
        keys = keys_of(pupils)
        schools = {self._school.id: self._school}
        if is_trial and self._by_new_calendar:
            plans = plans_now(session, schools, keys)
            reported = self._would_be_reported(session, plans)
        else:
            plans, reported = find_plans(session, schools, keys), reported_to(session, keys)
        book = DayBook(session, self._now)
        book.lock_all(pupils)
        book.read(pupils, plans, reported)
        for pupil in pupils:
            book.judge(pupil)
        if not is_trial:
            write_judged(session, book, self._now)
        return book

    def _students(self, session: Session) -> list[Membership]:
        """Everybody who was of the school then, or has a day or a tap of that time."""
        if not self._days:
            return []
        first, last, zone = self._days[0], self._days[-1], self._school.zone
        school_id = self._school.id
        has_day = select(Attendance.student_id).where(
            Attendance.school_id == school_id, Attendance.day.between(first, last)
        )
        known = set(session.scalars(has_day.distinct()))
        has_tap = exists().where(
            Tap.school_id == school_id,
            Tap.occurred_at >= bounds_of(first, zone)[0],
            Tap.occurred_at < bounds_of(last, zone)[1],
        )
        return [
            one
            for one in memberships(session, school_id, has_tap)
            if one.has_tap
            or one.student_id in known
            or any(one.is_expected(day, zone) for day in (first, last))
        ]

    def _all_keys(self, session: Session, students: list[Membership]) -> set[PlanKey]:
        """Every homeroom that one of them was of, on every day."""
        stays = stays_of(session, [one.student_id for one in students])
        rooms = {one.homeroom_id for one in students}
        rooms |= {time.homeroom_id for times in stays.values() for time in times}
        return {PlanKey(self._school.id, day, room) for room in rooms for day in self._days}

    def _renew_plans(self, session: Session, keys: set[PlanKey]) -> None:
        """Keep what the days are by today's calendar, with deadlines as far as gates reported."""
        school = self._school
        plans = plans_now(session, {school.id: school}, keys)
        replace_plans(session, plans, self._now)
        session.execute(
            delete(Deadline).where(
                Deadline.school_id == school.id,
                Deadline.day.between(self._days[0], self._days[-1]),
            )
        )
        write_all(session, [Write(Deadline, list(self._deadlines(session, plans)))])
        touch_register(session, {school.id})

    def _deadlines(self, session: Session, plans: Plans) -> Iterator[_DeadlineRow]:
        until = gates_reported_to(session, self._school.id)
        for key in sorted(plans):
            for row in deadlines_of(key, plans[key], self._school.zone):
                is_judged = until is not None and row.due_at <= min(until, self._now)
                yield _DeadlineRow(
                    row.school_id,
                    row.day,
                    row.homeroom_id,
                    row.position,
                    row.due_at,
                    self._now if is_judged else None,
                )

    def _would_be_reported(self, session: Session, plans: Plans) -> Reported:
        reported: Reported = {}
        for row in self._deadlines(session, plans):
            if row.judged_at is not None:
                key = PlanKey(row.school_id, row.day, row.homeroom_id)
                reported[key] = max(reported.get(key, row.due_at), row.due_at)
        return reported

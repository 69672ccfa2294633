"""Recomputing days from the taps on record: by the plans that were kept, or by today's calendar.

A few students at a time, with all their days: memory stays small however long the time is, and
whoever taps meanwhile waits no longer than for those few. Done twice, it changes nothing.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.day_book import DayBook
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
    read_kept,
    replace_plans,
)
from card_server.attendance.pupils import Pupil, keys_of, pupil_of
from card_server.attendance.recomputed import Recomputed
from card_server.attendance.recount import recount
from card_server.attendance.serving_gates import reported_by_room
from card_server.attendance.writing_days import write_judged
from card_server.register.version import touch_register
from card_server.school_time import bounds_of, day_of
from card_server.storage.bulk import Write, write_all
from schema.tables.attendance import Attendance, Deadline
from schema.tables.taps import Tap

_STUDENT_DAYS = 6_000
"""Days of students that are in memory at once."""
_ENCODER = msgspec.msgpack.Encoder()
Progress = Callable[[int, int], None]
"""Told how many students are done, and of how many."""
Beginning = Callable[[Session, "Looked"], None]
"""Called in the transaction that keeps the new plans, before the first day changes."""


class Looked(NamedTuple):
    """The plans of a time: as they are kept, and as calendar and timetables say now."""

    kept: Plans
    now: Plans

    @property
    def differing(self) -> int:
        """Homerooms' days that are kept otherwise than they would be now."""
        return sum(key in self.kept and self.kept[key] != plan for key, plan in self.now.items())

    @property
    def seen(self) -> str:
        """What tells these plans from others."""
        digest = hashlib.sha256()
        for key, plan in sorted(self.now.items(), key=lambda item: item[0]):
            digest.update(_ENCODER.encode((key, plan, self.kept.get(key) == plan)))
        return digest.hexdigest()

    def name_of(self, key: PlanKey, position: int) -> str:
        """What a session of a homeroom's day was called, or else what it is called now."""
        for plans in (self.kept, self.now):
            for one in plans[key].sessions if key in plans else ():
                if one.position == position:
                    return one.name
        return ""


class _DeadlineRow(Struct, gc=False):
    school_id: int
    day: date
    homeroom_id: int
    position: int
    due_at: datetime
    judged_at: datetime | None


class Recomputing:
    """A school, or some homerooms of it, and a time; `try_out` tells what `do` would change."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        school: SchoolDays,
        first: date,
        last: date,
        now: datetime,
        *,
        by_new_calendar: bool = False,
        homerooms: Collection[int] | None = None,
    ) -> None:
        self._today = day_of(now, school.zone)
        last = min(last, self._today)
        self._sessions = sessions
        self._school = school
        self._days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        self._now = now
        self._by_new_calendar = by_new_calendar
        self._homerooms = None if homerooms is None else frozenset(homerooms)

    def look(self) -> Looked:
        """What the days were kept as, and what calendar and timetables say of them now."""
        with self._sessions() as session:
            return self._look(session, self._all_keys(session, self._students(session)))

    def try_out(self, progress: Progress) -> Recomputed:
        """What would change; nothing is written."""
        return self._go_through(progress, is_trial=True)

    def do(self, progress: Progress, beginning: Beginning | None = None) -> Recomputed:
        """Judge it all anew, a few students to a transaction; then the homerooms' counts."""
        with self._sessions() as session:
            students = self._students(session)
            keys = self._all_keys(session, students)
            if self._by_new_calendar:
                looked = self._look(session, keys)
                self._renew_plans(session, looked.now)
                if beginning:
                    beginning(session, looked)
            else:
                keep_plans(session, {self._school.id: self._school}, keys, self._now)
            session.commit()
        done = self._go_through(progress, is_trial=False)
        for day in self._days:
            with self._sessions.begin() as session:
                done.counts_mended += recount(session, self._school, day)
            progress(len(students), len(students))
        return done

    def _look(self, session: Session, keys: set[PlanKey]) -> Looked:
        schools = {self._school.id: self._school}
        return Looked(read_kept(session, keys), plans_now(session, schools, keys))

    def _go_through(self, progress: Progress, *, is_trial: bool) -> Recomputed:
        result = Recomputed(self._today)
        if not self._days:
            return result
        with self._sessions() as session:
            students = self._students(session)
        each = max(1, _STUDENT_DAYS // len(self._days))
        remaining, gone_through = iter(students), 0
        while part := list(islice(remaining, each)):
            with self._sessions() as session:
                pupils = self._pupils(session, part)
                if pupils:
                    for one in self._judge(session, pupils, is_trial=is_trial).rewritten:
                        result.note(one)
                if is_trial:
                    session.rollback()
                else:
                    session.commit()
            result.students += len(pupils)
            gone_through += len(part)
            progress(gone_through, len(students))
        return result

    def _pupils(self, session: Session, members: list[Membership]) -> list[Pupil]:
        """These students with their days, as far as those are of the homerooms."""
        stays = stays_of(session, [one.student_id for one in members])
        pupils = [pupil_of(self._school, one, stays, self._days) for one in members]
        if self._homerooms is None:
            return pupils
        for pupil in pupils:
            pupil.days = {day: room for day, room in pupil.days.items() if room in self._homerooms}
        return [pupil for pupil in pupils if pupil.days]

    def _judge(self, session: Session, pupils: list[Pupil], *, is_trial: bool) -> DayBook:
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
        found = [
            one
            for one in memberships(session, school_id, has_tap)
            if one.has_tap
            or one.student_id in known
            or any(one.is_expected(day, zone) for day in (first, last))
        ]
        return found if self._homerooms is None else self._ever_there(session, found)

    def _ever_there(self, session: Session, members: list[Membership]) -> list[Membership]:
        """Those who are, or ever were, of the homerooms."""
        stays, rooms = stays_of(session, [one.student_id for one in members]), self._homerooms or ()
        return [
            one
            for one in members
            if one.homeroom_id in rooms
            or any(time.homeroom_id in rooms for time in stays.get(one.student_id, ()))
        ]

    def _all_keys(self, session: Session, students: list[Membership]) -> set[PlanKey]:
        """Every homeroom that one of them was of, on every day."""
        stays = stays_of(session, [one.student_id for one in students])
        rooms = {one.homeroom_id for one in students}
        rooms |= {time.homeroom_id for times in stays.values() for time in times}
        if self._homerooms is not None:
            rooms &= self._homerooms
        return {PlanKey(self._school.id, day, room) for room in rooms for day in self._days}

    def _renew_plans(self, session: Session, plans: Plans) -> None:
        """Keep what the days are by today's calendar, with deadlines as far as gates reported."""
        school, deadlines = self._school, list(self._deadlines(session, plans))
        replace_plans(session, plans, self._now)
        outdated = delete(Deadline).where(
            Deadline.school_id == school.id,
            Deadline.day.between(self._days[0], self._days[-1]),
        )
        if self._homerooms is not None:
            outdated = outdated.where(Deadline.homeroom_id.in_(self._homerooms))
        session.execute(outdated)
        write_all(session, [Write(Deadline, deadlines)])
        touch_register(session, {school.id})

    def _deadlines(self, session: Session, plans: Plans) -> Iterator[_DeadlineRow]:
        """What was judged once stays so, by a gate that is in the dark now or was left out."""
        by_room = reported_by_room(session, self._school.id)
        judged = reported_to(session, plans)
        for key in sorted(plans):
            marks = (by_room.get(key.homeroom_id), judged.get(key))
            until = max((mark for mark in marks if mark is not None), default=None)
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

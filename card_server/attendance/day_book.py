"""Judging days of many students at once: what was known is read, each day folded, rows written.

Whoever judges days, for a batch of taps, a leave slip, a deadline or a whole term, does it here:

1. `lock` the students' presence rows, so that those who judge the same student follow one another;
2. `read` what is known, after the locks, for it must see what the one before wrote;
3. `judge` each student;
4. write what `writes` says, in the same transaction.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import starmap
from uuid import UUID

from msgspec import Struct
from sqlalchemy import delete
from sqlalchemy.orm import Session

from card_server.attendance.facts import (
    DayFacts,
    DayPlan,
    Passing,
    Standing,
    StudentDay,
    TapJudgement,
)
from card_server.attendance.fold import judge_day
from card_server.attendance.linked_days import add_days_after, open_evenings
from card_server.attendance.loading import (
    Known,
    LastSeen,
    Reported,
    Span,
    by_span,
    last_seen,
    load_special,
    load_taps,
    marks_query,
    reported_to,
)
from card_server.attendance.plans import (
    PlanKey,
    Plans,
    find_plans,
    forget_its_end,
    is_without_timetable,
)
from card_server.attendance.pupils import (
    Pupil,
    days_of,
    keys_of,
    never_seen,
    schools_of,
    students_of,
)
from card_server.attendance.rows import (
    NEVER,
    Counts,
    DayKey,
    DayRow,
    OddDay,
    StudentKey,
    Whereabouts,
    had_nothing_due,
    is_odd,
    is_open,
    row_of,
    write_days,
    write_places,
)
from card_server.attendance.tap_changes import TapChange, differs, rewrite_taps
from card_server.school_time import bounds_of, day_of
from card_server.storage.bulk import Write, fetch, insert_missing, query_of
from card_server.storage.together import Rows, ask_together
from schema.tables.attendance import Attendance, Presence
from schema.tables.readers import Direction
from schema.tables.taps import Effect

_MOMENT = timedelta(microseconds=1)


class Rewritten(Struct, frozen=True, gc=False):
    """A day that is not as it was."""

    before: DayRow | None
    after: DayRow


class DayBook:
    """The days of some students: what was known of them, and what becomes of it."""

    def __init__(self, session: Session, as_of: datetime) -> None:
        self.rewritten: list[Rewritten] = []
        """Every day whose row changes, before and after: the one place where that is known."""
        self.tap_changes: list[TapChange] = []
        self.judgements: dict[tuple[int, UUID], TapJudgement] = {}
        """Of the fresh passages, by student and id: two schools may use one id."""
        self.late_taps: dict[tuple[int, UUID], int] = {}
        """Arrivals that made late, by student and id, in minutes; those on record among them."""
        self.odd_days: list[OddDay] = []
        """Days with an absence or a late arrival, whether they change or not."""
        self._session = session
        self._as_of = as_of
        self._known = Known()
        self._where: dict[StudentKey, Whereabouts] = {}
        self._rows: dict[DayKey, DayRow] = {}
        self._looked_at: set[DayKey] = set()
        self._marks: dict[Span, Rows] = {}
        self._plans: Plans = {}
        self._reported: Reported = {}
        self._nights: dict[StudentKey, LastSeen] = {}
        self._changed: dict[DayKey, DayRow] = {}
        self._made: set[StudentKey] = set()
        self._moved: set[StudentKey] = set()
        self._counts = Counts()

    def lock(self, pupils: Iterable[Pupil]) -> list[Pupil]:
        """Lock the students' presence rows in the order of keys; who has none is returned."""
        wanted = {pupil.key: pupil for pupil in pupils}
        found = fetch(self._session, Presence, list(wanted), Whereabouts, lock=True)
        return self._keep_locked(wanted, found)

    def lock_and_look(self, pupils: Sequence[Pupil]) -> list[Pupil]:
        """The same, and at once most of what `read` has to know; nothing is written in between."""
        session, wanted = self._session, {pupil.key: pupil for pupil in pupils}
        spans, days = by_span(pupils), days_of(pupils)
        self._rows.clear()
        found, rows, *marks = ask_together(
            session,
            [
                query_of(session, Presence, list(wanted), Whereabouts, lock=True),
                query_of(session, Attendance, days, DayRow),
                *(marks_query(session, span, students_of(some)) for span, some in spans.items()),
            ],
        )
        self._keep_rows(days, starmap(DayRow, rows))
        self._marks = dict(zip(spans, marks, strict=True))
        return self._keep_locked(wanted, starmap(Whereabouts, found))

    def _keep_locked(
        self, wanted: Mapping[StudentKey, Pupil], found: Iterable[Whereabouts]
    ) -> list[Pupil]:
        for where in found:
            self._where[StudentKey(where.school_id, where.student_id)] = where
        return [wanted[key] for key in sorted(wanted.keys() - self._where.keys())]

    def lock_all(self, pupils: Sequence[Pupil]) -> None:
        """The same; who has no row gets one, which `forget_unseen` takes away again."""
        missing = self.lock(pupils)
        if missing:
            insert_missing(self._session, Presence, [never_seen(pupil) for pupil in missing])
            self.lock(pupils)
            self._made = {pupil.key for pupil in missing}

    def unseen_since(self, pupils: Iterable[Pupil]) -> set[StudentKey]:
        """Those whose newest passing is older than their days: they have no taps there."""
        return {
            pupil.key
            for pupil in pupils
            if self._where[pupil.key].since_at < bounds_of(min(pupil.days), pupil.school.zone)[0]
        }

    def read(
        self,
        pupils: Sequence[Pupil],
        plans: Plans,
        reported: Reported,
        without_taps: Collection[StudentKey] = (),
    ) -> None:
        """Read all that the days depend on, and the days that have to be judged with them.

        Nobody looks for taps on record of `without_taps`.
        """
        self._plans, self._reported = plans, reported
        for span, group in by_span(pupils).items():
            marks = self._marks.get(span)
            load_special(self._session, span, students_of(group), self._known, marks)
        back = self._add_linked_days(pupils)
        for span, group in by_span(pupils).items():
            keys = students_of(group)
            seen = [key for key in keys if key in back or key not in without_taps]
            load_taps(self._session, span, seen, self._known)
            self._read_nights(span, keys)
        self._read_rows(pupils)

    def judge(self, pupil: Pupil) -> None:
        """Judge the student's days, in their order, and find where the student is now."""
        by_day = self._split(pupil)
        known, student_id, school = self._known, pupil.student_id, pupil.school
        newest: tuple[date, StudentDay] | None = None
        before: tuple[date, bool] | None = None
        for day in sorted(pupil.days):
            plan = self._plans.get(PlanKey(school.id, day, pupil.days[day]))
            if plan is None:
                continue
            standing = self._standing(pupil, day, is_seen=bool(by_day.get(day)))
            last, was_inside = before or self._evening_before(pupil)
            slept_inside = was_inside and known.boards_every_night(student_id, last, day)
            judged = self._fold(pupil, day, plan, standing, slept_inside, by_day.get(day, ()))
            if by_day.get(day) or self._is_worth_keeping(pupil, day, plan, standing, judged):
                self._keep(pupil, day, judged)
            before = day, judged.is_inside
            if judged.since_at is not None:
                newest = day, judged
        self._place(pupil, newest)

    def _standing(self, pupil: Pupil, day: date, *, is_seen: bool) -> Standing:
        """What is expected then: nothing of who was gone, or perhaps was and had nothing due.

        The register keeps the present status alone: of a suspension that is over, its days tell.
        """
        standing = self._known.standing(pupil.student_id, day)
        if standing.sleeps_here or not pupil.is_away(day):
            return standing
        before = self._rows.get(DayKey(pupil.school.id, day, pupil.student_id))
        is_gone = pupil.is_gone(day) or had_nothing_due(before, is_seen=is_seen)
        return Standing.EXEMPT if is_gone else standing

    def writes(self) -> list[Write]:
        """What has changed.

        Students are locked; counts, which many write, go in the order of keys.
        """
        return [
            write_days(self._changed.values()),
            write_places(self._where[key] for key in self._moved),
            self._counts.write(),
        ]

    def forget_unseen(self) -> None:
        """Take away the presence rows of who was never seen, or is not by what is known now."""
        unseen: dict[int, list[int]] = {}
        for key in self._made | self._moved:
            if self._where[key].since_at == NEVER:
                unseen.setdefault(key.school_id, []).append(key.student_id)
        for school_id, ids in unseen.items():
            theirs = delete(Presence).where(
                Presence.school_id == school_id,
                Presence.student_id.in_(ids),
                Presence.since_at == NEVER,
            )
            self._session.execute(theirs.execution_options(synchronize_session=False))

    def rewrite_taps(self) -> None:
        """Note at the taps on record what they are now; there are hardly ever any."""
        rewrite_taps(self._session, self.tap_changes)

    def _read_nights(self, span: Span, students: Iterable[StudentKey]) -> None:
        """Where those who board or boarded were before the span; presence itself may know."""
        begin, asked = span.begin, []
        for key in students:
            if key.student_id not in self._known.boarding:
                continue
            where = self._where[key]
            if where.since_at >= begin or where.since_at == NEVER:
                asked.append(key)
            else:
                direction = Direction.IN if where.is_inside else Direction.OUT
                self._nights[key] = LastSeen(where.since_at, direction, where.reader_id)
        seen = last_seen(self._session, asked, begin)
        self._nights |= {key: seen[key.student_id] for key in asked if key.student_id in seen}

    def _add_linked_days(self, pupils: Sequence[Pupil]) -> set[StudentKey]:
        """The days that have to be judged with these; who has taps on them is returned."""
        evenings = open_evenings(pupils, self._where, self._known)
        self._keep_rows(evenings, fetch(self._session, Attendance, list(evenings), DayRow))
        for key, pupil in evenings.items():
            if key in self._rows:
                pupil.days[key.day] = self._rows[key].homeroom_id
                # Of a suspension that is over, the row alone tells (`_standing`).
                pupil.doubted |= {key.day}
        self._read_more(evenings.values())
        if self._known.boarding:
            self._read_more(add_days_after(self._session, pupils, self._known, self._as_of))
        return {pupil.key for pupil in evenings.values()}

    def _read_more(self, longer: Collection[Pupil]) -> None:
        """What belongs to days that were added, in the place of what was read for fewer."""
        if not longer:
            return
        known = Known()
        for span, group in by_span(longer).items():
            load_special(self._session, span, students_of(group), known)
        for pupil in longer:
            one = pupil.student_id
            self._known.passings[one] = known.passings.get(one, [])
            self._known.leaves[one] = known.leaves.get(one, [])
        self._known.boarding |= known.boarding
        self._known.corrections |= known.corrections
        self._known.exempt |= known.exempt
        keys = keys_of(longer) - self._plans.keys()
        self._plans |= find_plans(self._session, schools_of(longer), keys)
        self._reported |= reported_to(self._session, keys)

    def _read_rows(self, pupils: Iterable[Pupil]) -> None:
        keys = [key for key in days_of(pupils) if key not in self._looked_at]
        self._keep_rows(keys, fetch(self._session, Attendance, keys, DayRow))

    def _keep_rows(self, keys: Iterable[DayKey], rows: Iterable[DayRow]) -> None:
        self._looked_at.update(keys)
        for row in rows:
            self._rows[DayKey(row.school_id, row.day, row.student_id)] = row

    def _split(self, pupil: Pupil) -> dict[date, list[Passing]]:
        """The student's passings by day."""
        passings = self._known.passings.get(pupil.student_id, []) + pupil.fresh
        if len(pupil.days) == 1:
            return {next(iter(pupil.days)): passings}
        days, zone = sorted(pupil.days), pupil.school.zone
        begins = [bounds_of(day, zone)[0] for day in days]
        by_day: dict[date, list[Passing]] = {}
        for passing in passings:
            place = bisect_right(begins, passing.at) - 1
            if place >= 0 and passing.at < bounds_of(days[place], zone)[1]:
                by_day.setdefault(days[place], []).append(passing)
        return by_day

    def _evening_before(self, pupil: Pupil) -> tuple[date, bool]:
        """When a boarder was last seen before the days, and whether that was on the way in."""
        seen = self._nights.get(pupil.key)
        if seen is None:
            return date.min, False
        return day_of(seen.at, pupil.school.zone), seen.direction is Direction.IN

    def _fold(
        self,
        pupil: Pupil,
        day: date,
        plan: DayPlan,
        standing: Standing,
        was_inside: bool,
        passings: Sequence[Passing],
    ) -> StudentDay:
        known, student_id, school = self._known, pupil.student_id, pupil.school
        judged = judge_day(
            DayFacts(
                day,
                school.zone,
                plan,
                standing,
                was_inside,
                passings,
                known.leaves.get(student_id, ()),
                known.corrections.get((student_id, day), ()),
                school.double_tap_s,
                self._reported.get(PlanKey(school.id, day, pupil.days[day])),
                self._as_of,
            )
        )
        return forget_its_end(judged) if is_without_timetable(plan) else judged

    def _is_worth_keeping(
        self, pupil: Pupil, day: date, plan: DayPlan, standing: Standing, judged: StudentDay
    ) -> bool:
        """Whether a day without a passing has, or had, anything to say."""
        key = DayKey(pupil.school.id, day, pupil.student_id)
        if key in self._rows or (pupil.student_id, day) in self._known.corrections:
            return True
        return not pupil.is_away(day) and not is_open(judged, plan, boards=standing.sleeps_here)

    def _keep(self, pupil: Pupil, day: date, judged: StudentDay) -> None:
        key = DayKey(pupil.school.id, day, pupil.student_id)
        before = self._rows.get(key)
        for tap in judged.taps:
            if tap.late_minutes:
                self.late_taps[pupil.student_id, tap.id] = tap.late_minutes
            stands = self._known.judgements.get((pupil.student_id, tap.id))
            if stands is None:
                self.judgements[pupil.student_id, tap.id] = tap
            elif differs(stands, tap):
                change = TapChange(pupil.school.id, pupil.student_id, stands, tap)
                self.tap_changes.append(change)
        after = row_of(key, pupil.days[day], judged)
        if is_odd(after) or (before is not None and is_odd(before)):
            self._keep_odd(pupil, before, after, judged)
        if after == before:
            return
        if before is not None:
            self._counts.add_day(before, -1)
        self._counts.add_day(after, 1)
        self._rows[key] = self._changed[key] = after
        self.rewritten.append(Rewritten(before, after))

    def _keep_odd(
        self, pupil: Pupil, before: DayRow | None, after: DayRow, judged: StudentDay
    ) -> None:
        on_record = self._known.judgements
        has_come = any(
            tap.effect is Effect.ARRIVAL and (pupil.student_id, tap.id) not in on_record
            for tap in judged.taps
        )
        plan = self._plans[PlanKey(after.school_id, after.day, after.homeroom_id)]
        self.odd_days.append(OddDay(pupil.school, plan, before, after, has_come))

    def _place(self, pupil: Pupil, newest: tuple[date, StudentDay] | None) -> None:
        """Follow the newest passing; taps of an older day than that leave the student in place."""
        was, school = self._where[pupil.key], pupil.school
        if newest is None or not _is_before(was, bounds_of(newest[0], school.zone)[1]):
            # The school's closing at midnight belongs to the day that ends.
            moment = was.since_at - _MOMENT if was.is_closed else was.since_at
            was_day = day_of(moment, school.zone)
            if was_day not in pupil.days:
                return
            if newest is None:
                self._move(pupil, was, self._before(pupil, was_day))
                return
        judged = newest[1]
        now = Whereabouts(
            school.id,
            pupil.student_id,
            pupil.homeroom_id,
            judged.is_inside,
            judged.since_at or NEVER,
            judged.since_reader_id or 0,
            judged.closed_at is not None,
        )
        self._move(pupil, was, now)

    def _before(self, pupil: Pupil, day: date) -> Whereabouts:
        """Where a student was before a day of which no passing is left."""
        school = pupil.school
        begin = bounds_of(day, school.zone)[0]
        now = Whereabouts(school.id, pupil.student_id, pupil.homeroom_id, False, NEVER, 0)
        seen = last_seen(self._session, [pupil.key], begin).get(pupil.student_id)
        if seen is not None:
            last = day_of(seen.at, school.zone)
            boards = self._known.boards_every_night(pupil.student_id, last, day)
            now.is_inside = seen.direction is Direction.IN and boards
            now.since_at, now.reader_id = seen.at, seen.reader_id
        return now

    def _move(self, pupil: Pupil, was: Whereabouts, now: Whereabouts) -> None:
        if now == was:
            return
        school = pupil.school
        if was.is_inside:
            day = day_of(was.since_at, school.zone)
            self._counts.of(school.id, was.homeroom_id, day).inside -= 1
        if now.is_inside:
            day = day_of(now.since_at, school.zone)
            self._counts.of(school.id, now.homeroom_id, day).inside += 1
        self._where[pupil.key] = now
        self._moved.add(pupil.key)


def _is_before(was: Whereabouts, begin: datetime) -> bool:
    """Whether somebody is where they are since before a day began."""
    return was.since_at <= begin if was.is_closed else was.since_at < begin

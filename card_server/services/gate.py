"""The school gate (校门): first in and last out, late after a fixed time."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from msgspec import Struct
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from card_server.messages import write_text
from card_server.services.protocol import PlacedTap, Telling
from card_server.storage.bulk import Write, fetch, insert_missing
from schema.tables.attendance import Attendance, HomeroomDay, Presence
from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from schema.tables.readers import Direction
from schema.tables.taps import DirectionBy, Effect

_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""`since_at` of a student who was never seen."""


class Whereabouts(Struct, gc=False):
    """Where a student is, by the newest tap (a row of `presence`)."""

    school_id: int
    student_id: int
    homeroom_id: int
    is_inside: bool
    since_at: datetime
    reader_id: int


class Day(Struct, gc=False):
    """A student's day (a row of `attendance`)."""

    school_id: int
    day: date
    student_id: int
    homeroom_id: int
    arrived_at: datetime | None = None
    departed_at: datetime | None = None
    late_minutes: int = 0


class Count(Struct, gc=False):
    """What a batch adds to a homeroom's day (a row of `homeroom_day`)."""

    school_id: int
    homeroom_id: int
    day: date
    arrived: int = 0
    late: int = 0
    inside: int = 0


class Notice(Struct, gc=False):
    """What one guardian is told of one tap (a row of `message`)."""

    school_id: int
    id: UUID
    kind: MessageKind
    tap_id: UUID
    student_id: int
    guardian_id: int
    body: str
    state: MessageState
    suppression: Suppression | None
    attempts: int
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    changed_at: datetime


class StudentKey(Struct, frozen=True, gc=False):
    """Which presence row."""

    school_id: int
    student_id: int


class DayKey(Struct, frozen=True, gc=False):
    """Which attendance row."""

    school_id: int
    day: date
    student_id: int


class Passage(Struct, gc=False):
    """One student going one way, as the gate's clock says it."""

    tap: PlacedTap
    student: StudentKey
    day: DayKey
    local: datetime
    """In the school's zone."""


def decide_effect(
    direction: Direction, occurred_at: datetime, was: Whereabouts, double_tap_s: int
) -> Effect:
    """What a tap changes, given where the student was last seen."""
    goes_in = direction is Direction.IN
    if was.is_inside is goes_in:
        apart_s = abs((occurred_at - was.since_at).total_seconds())
        if apart_s <= double_tap_s:
            return Effect.DOUBLE
    return Effect.ARRIVAL if goes_in else Effect.DEPARTURE


def add_passage(day: Day, direction: Direction, occurred_at: datetime, late_minutes: int) -> bool:
    """First in, last out, whatever order taps come in; whether the day changed."""
    if direction is Direction.IN:
        known = day.arrived_at, -day.late_minutes
        if known[0] is not None and known <= (occurred_at, -late_minutes):
            return False
        day.arrived_at = occurred_at
        day.late_minutes = late_minutes
        return True
    if day.departed_at is not None and day.departed_at >= occurred_at:
        return False
    day.departed_at = occurred_at
    return True


def minutes_late(local: datetime, late_after_minute: int, clock_suspect: bool) -> int:
    """Whole minutes past the school's late time; a clock that may be wrong makes nobody late."""
    if clock_suspect:
        return 0
    return max(0, local.hour * 60 + local.minute - late_after_minute)


def suppression_of(tap: PlacedTap) -> Suppression | None:
    """Why a tap's message is not sent; None when it is."""
    if tap.clock_suspect:
        return Suppression.CLOCK_SUSPECT
    if tap.received_at - tap.occurred_at > timedelta(minutes=tap.reader.school.stale_minutes):
        return Suppression.STALE
    return None


def record_passages(session: Session, taps: list[PlacedTap], telling: Telling) -> list[Write]:
    """Decide the arrivals and departures of a batch."""
    passages = []
    for tap in taps:
        tap.direction = tap.reader.direction
        tap.direction_by = DirectionBy.READER if tap.direction else None
        if tap.is_admitted and tap.holder is not None and tap.direction is not None:
            school = tap.reader.school
            student = StudentKey(school.id, tap.holder.student_id)
            local = tap.occurred_at.astimezone(school.zone)
            day = DayKey(school.id, local.date(), tap.holder.student_id)
            passages.append(Passage(tap, student, day, local))
    passages.sort(key=_time_order)
    batch = _Batch(telling)
    batch.load(session, passages)
    for passage in passages:
        batch.add(passage)
    return batch.writes()


class _Batch:
    """The students of one batch: what was known of them, and what the batch makes of it."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._where: dict[StudentKey, Whereabouts] = {}
        self._days: dict[DayKey, Day] = {}
        self._counts: dict[tuple[int, int, date], Count] = {}
        self._moved: set[StudentKey] = set()
        self._changed: set[DayKey] = set()
        self._notices: list[Notice] = []

    def load(self, session: Session, passages: list[Passage]) -> None:
        """Lock the students' presence rows, then read their days.

        Two queries on purpose: the second must see what another ingest process wrote
        while the first waited for its locks. Students who were never seen get their rows in a
        transaction of its own: who holds locks must not wait for a row that another one inserts.
        """
        first = {passage.student: passage for passage in passages}
        self._lock(session, list(first))
        unseen = sorted(first.keys() - self._where.keys(), key=_student_order)
        if unseen:
            session.rollback()
            insert_missing(session, Presence, [_never_seen(first[student]) for student in unseen])
            session.commit()
            self._lock(session, list(first))
        days = {passage.day for passage in passages}
        for day in fetch(session, Attendance, list(days), Day):
            self._days[DayKey(day.school_id, day.day, day.student_id)] = day

    def add(self, passage: Passage) -> None:
        """Decide one passage; they must come in the order of their times."""
        tap, was, key = passage.tap, self._where[passage.student], passage.day
        direction, holder, school = tap.direction, tap.holder, tap.reader.school
        if direction is None or holder is None:
            return
        tap.effect = decide_effect(direction, tap.occurred_at, was, school.double_tap_s)
        day = self._days.get(key)
        if day is None:
            day = Day(key.school_id, key.day, key.student_id, holder.homeroom_id)
            self._days[key] = day
        had_arrived, was_late = day.arrived_at is not None, day.late_minutes > 0
        late = minutes_late(passage.local, school.late_after_minute, tap.clock_suspect)
        if add_passage(day, direction, tap.occurred_at, late):
            self._changed.add(key)
            count = self._count(day.school_id, day.homeroom_id, day.day)
            count.arrived += (day.arrived_at is not None) - had_arrived
            count.late += (day.late_minutes > 0) - was_late
        self._move(was, passage, direction, day)
        if tap.effect is not Effect.DOUBLE and self._telling.tell_parents:
            self._notify(passage)

    def writes(self) -> list[Write]:
        """What the batch changed.

        Students are locked since `load`; counts, which batches share, go in the order of keys.
        """
        return [
            Write(
                Attendance,
                [self._days[key] for key in self._changed],
                "arrived_at = excluded.arrived_at, departed_at = excluded.departed_at, "
                "late_minutes = excluded.late_minutes",
            ),
            Write(
                Presence,
                [self._where[key] for key in self._moved],
                "is_inside = excluded.is_inside, since_at = excluded.since_at, "
                "reader_id = excluded.reader_id, homeroom_id = excluded.homeroom_id",
            ),
            Write(
                HomeroomDay,
                [self._counts[key] for key in sorted(self._counts)],
                "arrived = homeroom_day.arrived + excluded.arrived, "
                "late = homeroom_day.late + excluded.late, "
                "inside = homeroom_day.inside + excluded.inside",
            ),
            Write(Message, self._notices),
        ]

    def _lock(self, session: Session, students: list[StudentKey]) -> None:
        for where in fetch(session, Presence, students, Whereabouts, lock=True):
            self._where[StudentKey(where.school_id, where.student_id)] = where

    def _move(self, was: Whereabouts, passage: Passage, direction: Direction, day: Day) -> None:
        """Follow the newest tap; each student inside counts on the day of that tap.

        Two taps of one moment have an order too, the same whichever comes first.
        """
        tap, goes_in = passage.tap, direction is Direction.IN
        now = tap.occurred_at, goes_in, tap.reader.id
        if now < (was.since_at, was.is_inside, was.reader_id):
            return
        if was.is_inside:
            since = was.since_at.astimezone(tap.reader.school.zone).date()
            self._count(was.school_id, was.homeroom_id, since).inside -= 1
        if goes_in:
            self._count(day.school_id, day.homeroom_id, day.day).inside += 1
        was.is_inside = goes_in
        was.since_at = tap.occurred_at
        was.reader_id = tap.reader.id
        was.homeroom_id = day.homeroom_id
        self._moved.add(passage.student)

    def _count(self, school_id: int, homeroom_id: int, day: date) -> Count:
        key = (school_id, homeroom_id, day)
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = Count(*key)
        return count

    def _notify(self, passage: Passage) -> None:
        tap, now = passage.tap, self._telling.now
        holder, school = tap.holder, tap.reader.school
        if holder is None:
            return
        kind = MessageKind.ARRIVAL if tap.effect is Effect.ARRIVAL else MessageKind.DEPARTURE
        suppression = suppression_of(tap)
        state = MessageState.SUPPRESSED if suppression else MessageState.QUEUED
        expires_at = tap.occurred_at + timedelta(minutes=school.stale_minutes)
        time = f"{passage.local.hour:02}:{passage.local.minute:02}"
        for guardian_id, language in holder.told:
            body = write_text(kind, language, school.signature, holder.name, time)
            self._notices.append(
                Notice(
                    school.id,
                    uuid7(),
                    kind,
                    tap.id,
                    holder.student_id,
                    guardian_id,
                    body,
                    state,
                    suppression,
                    0,
                    now,
                    now,
                    expires_at,
                    now,
                )
            )


def _never_seen(passage: Passage) -> Whereabouts:
    tap, student = passage.tap, passage.student
    homeroom_id = tap.holder.homeroom_id if tap.holder else 0
    return Whereabouts(
        student.school_id, student.student_id, homeroom_id, False, _NEVER, tap.reader.id
    )


def _student_order(key: StudentKey) -> tuple[int, int]:
    return key.school_id, key.student_id


def _time_order(passage: Passage) -> tuple[datetime, UUID]:
    return passage.tap.occurred_at, passage.tap.id

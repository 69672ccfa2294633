"""Rows of judged days: a student's attendance, where the student is, and a homeroom's counts."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import lru_cache

import msgspec
from msgspec import Struct

from card_server.attendance.facts import DayPlan, SessionResult, StudentDay
from card_server.attendance.plans import SchoolDays
from card_server.storage.bulk import Write
from schema.tables.attendance import Attendance, HomeroomDay, Presence, SessionStatus

NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""`since_at` of a student who was never seen."""
THERE = frozenset({SessionStatus.PRESENT, SessionStatus.LATE, SessionStatus.LEFT_EARLY})
"""The statuses of who was in a session, for however long."""

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(tuple[SessionResult, ...])


class StudentKey(Struct, frozen=True, gc=False, order=True):
    """Which presence row."""

    school_id: int
    student_id: int


class DayKey(Struct, frozen=True, gc=False, order=True):
    """Which attendance row."""

    school_id: int
    day: date
    student_id: int


class Whereabouts(Struct, gc=False):
    """Where a student is, by the newest passing (a row of `presence`)."""

    school_id: int
    student_id: int
    homeroom_id: int
    is_inside: bool
    since_at: datetime
    reader_id: int
    is_closed: bool = False


class DayRow(Struct, frozen=True, gc=False):
    """A student's day (a row of `attendance`)."""

    school_id: int
    day: date
    student_id: int
    homeroom_id: int
    arrived_at: datetime | None
    departed_at: datetime | None
    late_minutes: int
    early_minutes: int
    present: int
    late: int
    left_early: int
    absent: int
    on_leave: int
    not_judged: int
    sessions: str
    findings: str


class OddDay(Struct, frozen=True, gc=False):
    """A day with an absence or a late arrival, as it was on record or as it is now."""

    school: SchoolDays
    plan: DayPlan
    before: DayRow | None
    after: DayRow
    has_come: bool
    """A tap that was not on record brings the student in."""


class Count(Struct, gc=False):
    """What is added to a homeroom's day (a row of `homeroom_day`)."""

    school_id: int
    homeroom_id: int
    day: date
    arrived: int = 0
    late: int = 0
    inside: int = 0
    left_early: int = 0
    absent: int = 0
    on_leave: int = 0
    away: int = 0
    late_sessions: int = 0
    left_early_sessions: int = 0
    absent_sessions: int = 0
    on_leave_sessions: int = 0


class Tallied(Struct, frozen=True, gc=False):
    """What the sessions of a day come to, as the columns of `attendance` have it."""

    late_minutes: int
    early_minutes: int
    present: int
    late: int
    left_early: int
    absent: int
    on_leave: int
    not_judged: int
    sessions: str


def row_of(key: DayKey, homeroom_id: int, judged: StudentDay) -> DayRow:
    """The row that a judged day becomes."""
    tallied = tally(judged.sessions)
    return DayRow(
        key.school_id,
        key.day,
        key.student_id,
        homeroom_id,
        judged.arrived_at,
        judged.departed_at,
        tallied.late_minutes,
        tallied.early_minutes,
        tallied.present,
        tallied.late,
        tallied.left_early,
        tallied.absent,
        tallied.on_leave,
        tallied.not_judged,
        tallied.sessions,
        " ".join(judged.findings),
    )


@lru_cache(maxsize=16_384)
def tally(sessions: tuple[SessionResult, ...]) -> Tallied:
    """Minutes and numbers of a day; most students of a school share theirs."""
    counted = [one.status for one in sessions]
    late = [one for one in sessions if one.status is SessionStatus.LATE]
    early = [one for one in sessions if left_early(one)]
    return Tallied(
        late_minutes=sum(one.late_minutes for one in late),
        early_minutes=sum(one.early_minutes for one in early),
        present=sum(status in THERE for status in counted),
        late=len(late),
        left_early=len(early),
        absent=counted.count(SessionStatus.ABSENT),
        on_leave=counted.count(SessionStatus.ON_LEAVE),
        not_judged=counted.count(SessionStatus.NOT_JUDGED),
        sessions=_ENCODER.encode(sessions).decode(),
    )


def had_nothing_due(row: DayRow | None, *, is_seen: bool) -> bool:
    """Whether nothing was expected on a day on which the student perhaps was not of the school.

    The sessions tell, as they were judged: what staff said of one is no sign that it was expected.
    Where none tells, whoever was seen at a gate was of the school.
    """
    results = _DECODER.decode(row.sessions) if row else ()
    judged = [one.status for one in results if not one.is_corrected]
    if not judged:
        return not is_seen
    return all(status is SessionStatus.NOT_EXPECTED for status in judged)


def is_odd(row: DayRow) -> bool:
    """Whether a day has an absence or a late arrival; who is too late is absent and has minutes."""
    return row.absent > 0 or row.late_minutes > 0


def is_open(judged: StudentDay, plan: DayPlan, *, boards: bool) -> bool:
    """Whether no session of a day is judged yet that is for the student."""
    others = {one.position for one in plan.sessions if not one.is_for(boards=boards)}
    owed = [one for one in judged.sessions if one.position not in others] or judged.sessions
    return all(one.status is SessionStatus.NOT_JUDGED for one in owed)


def left_early(result: SessionResult) -> bool:
    """Whether the student went before the session's end; who came late may have as well."""
    if result.status is SessionStatus.LATE:
        return result.early_minutes > 0
    return result.status is SessionStatus.LEFT_EARLY


class Counts:
    """What changed days and places add to the counts of homerooms."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, int, date], Count] = {}

    def add_day(self, row: DayRow, sign: int) -> None:
        """Count a day (1), or count it no more (-1)."""
        count = self.of(row.school_id, row.homeroom_id, row.day)
        if row.arrived_at is not None:
            count.arrived += sign
        # A day that was kept before there were timetables has only the minutes.
        if late := row.late or int(row.late_minutes > 0):
            count.late += sign
            count.late_sessions += sign * late
        if row.left_early:
            count.left_early += sign
            count.left_early_sessions += sign * row.left_early
        if row.absent:
            count.absent += sign
            count.absent_sessions += sign * row.absent
        if row.on_leave:
            count.on_leave += sign
            count.on_leave_sessions += sign * row.on_leave
        if not row.present and (row.absent or row.on_leave):
            count.away += sign

    def of(self, school_id: int, homeroom_id: int, day: date) -> Count:
        """The count of one homeroom and day, to be added to."""
        key = (school_id, homeroom_id, day)
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = Count(*key)
        return count

    def write(self) -> Write:
        """In the order of keys, for batches share these rows."""
        return Write(HomeroomDay, [self._counts[key] for key in sorted(self._counts)], _ADDING)


_ADDING = ", ".join(
    f"{name} = homeroom_day.{name} + excluded.{name}" for name in Count.__struct_fields__[3:]
)
_REPLACING = ", ".join(f"{name} = excluded.{name}" for name in DayRow.__struct_fields__[3:])
_MOVING = ", ".join(f"{name} = excluded.{name}" for name in Whereabouts.__struct_fields__[2:])


def write_days(rows: Iterable[DayRow]) -> Write:
    """New days and changed ones."""
    return Write(Attendance, list(rows), _REPLACING)


def write_places(rows: Iterable[Whereabouts]) -> Write:
    """Students who were seen somewhere else."""
    return Write(Presence, list(rows), _MOVING)

"""What judging a student's day takes and gives: shapes alone, without rules."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from msgspec.structs import force_setattr

from schema.tables.attendance import SessionStatus
from schema.tables.calendar import DayKind, DayPart, ForWhom
from schema.tables.leave import LeaveKind
from schema.tables.readers import Direction
from schema.tables.taps import DirectionBy, Effect


class SessionPlan(Struct, frozen=True):
    """One session of a day; times are minutes of the day in the school's zone."""

    position: int
    """From 1, in the order of the day."""
    name: str
    part: DayPart
    arrive_from: int
    late_after: int
    """Who comes in this minute is in time; in the next one, a minute late."""
    absent_after: int
    """Who comes later than this minute was absent; judged only after it."""
    leave_from: int
    """Who leaves before this minute leaves early."""
    ends: int
    expects_entry: bool = True
    expects_exit: bool = True
    is_return: bool = field(default=False, name="for_boarders")
    """Boarders come back for the week by then, and are judged; nobody else has this session.

    Plans are kept with the name that it had while no other session was for boarders.
    """
    for_whom: ForWhom = ForWhom.EVERYBODY

    def __post_init__(self) -> None:
        if self.is_return and self.for_whom is not ForWhom.BOARDERS:
            force_setattr(self, "for_whom", ForWhom.BOARDERS)

    @property
    def is_for_day_students(self) -> bool:
        """Whether it is for those who go home in the evening."""
        return self.for_whom is not ForWhom.BOARDERS

    def is_for(self, *, boards: bool) -> bool:
        """Whether it is for a student who boards, or who does not."""
        others = ForWhom.DAY_STUDENTS if boards else ForWhom.BOARDERS
        return self.for_whom is not others


class DayPlan(Struct, frozen=True):
    """What a day is for a homeroom; without sessions nothing is expected."""

    kind: DayKind
    sessions: tuple[SessionPlan, ...] = ()
    note: str = ""
    """What the day is called, where it has a name."""
    closes: int = 22 * 60
    """Minute of the day at which who is still inside, and no boarder, has forgotten the exit."""
    is_unsure: bool = False
    """The calendar does not reach so far: the weekday alone decided, and staff should look."""


class Standing(StrEnum):
    """What is expected of a student on a day."""

    DAY = "day"
    """走读: every session that is for day students."""
    BOARDER = "boarder"
    """住校: back by the weekly time; no daily absence."""
    EXEMPT = "exempt"
    """免考勤: nothing; taps are followed all the same."""
    EXEMPT_BOARDER = "exempt_boarder"
    """Nothing either, of somebody who sleeps at school."""

    @property
    def is_exempt(self) -> bool:
        """Whether nothing is expected."""
        return self in _EXEMPT

    @property
    def sleeps_here(self) -> bool:
        """Whether the student is on campus over night, and comes and goes at any hour."""
        return self in _BOARDERS


_EXEMPT: Final = frozenset({Standing.EXEMPT, Standing.EXEMPT_BOARDER})
_BOARDERS: Final = frozenset({Standing.BOARDER, Standing.EXEMPT_BOARDER})


class Passing(Struct, frozen=True, gc=False):
    """An admitted tap of the student at a gate, or what a guard wrote down."""

    id: UUID | None
    """None for a guard's word."""
    at: datetime
    reader_id: int
    """0 for a guard's word."""
    fixed: Direction | None
    """The reader's own direction, or the guard's word."""
    is_suspect: bool = False
    """Its clock may be wrong: it shows presence, and makes nobody late or early."""


class Leave(Struct, frozen=True, gc=False):
    """Approved leave, from a moment until the moment after its last."""

    from_at: datetime
    until_at: datetime
    kind: LeaveKind


class Corrected(Struct, frozen=True, gc=False):
    """What staff said of the day, still in force."""

    id: int
    position: int
    """Of a session, or `ALL_DAY`."""
    status: SessionStatus
    leave_kind: LeaveKind | None = None
    minutes: int | None = None
    """How late, or how early gone; None: as many as the taps say."""


ALL_DAY: Final = 0
"""The position of a correction that means every session."""


class DayFacts(Struct, frozen=True, gc=False):
    """All that a student's day depends on; the order of the sequences means nothing."""

    day: date
    zone: ZoneInfo
    plan: DayPlan
    standing: Standing
    was_inside: bool
    """At the day's first moment; only boarders may be."""
    passings: Sequence[Passing]
    """Those of that day, in the school's zone."""
    leaves: Sequence[Leave]
    corrections: Sequence[Corrected]
    double_tap_s: int
    reported_to: datetime | None
    """Every gate that serves the student has delivered its taps up to here; None: not all have."""
    as_of: datetime
    """The server's time."""


class Waiting(StrEnum):
    """Why a session is not judged yet."""

    NOT_DUE = "not_due"
    GATE_DARK = "gate_dark"
    """A gate has not reported past the session's `absent_after`."""


class Finding(StrEnum):
    """What is odd about a day; shown to staff, never mended by an invented event."""

    MISSED_ENTRY = "missed_entry"
    """Out, without having come in."""
    MISSED_EXIT = "missed_exit"
    """In, while inside already."""
    FORGOTTEN_EXIT = "forgotten_exit"
    """Still inside when the school closed."""
    LEFT_AND_BACK = "left_and_back"
    """Out during a session and in again, without leave."""
    CLOCK_SUSPECT = "clock_suspect"
    """A tap's time may be wrong."""
    UNEXPECTED = "unexpected"
    """Came on a day, or while on leave, when nothing was expected."""


class SessionResult(Struct, frozen=True, gc=False, omit_defaults=True):
    """What became of the student in one session."""

    position: int
    status: SessionStatus
    late_minutes: int = 0
    """Also beside ABSENT, for who came after `absent_after`."""
    early_minutes: int = 0
    leave_kind: LeaveKind | None = None
    """Also beside PRESENT and the like, where leave covered a part of it."""
    waiting: Waiting | None = None
    is_corrected: bool = False


class TapJudgement(Struct, frozen=True, gc=False):
    """What a tap was, in the light of the whole day."""

    id: UUID
    direction: Direction
    by: DirectionBy
    effect: Effect
    late_minutes: int = 0
    """Of the arrival that made the student late for a session: by how much, as the day says it."""


class StudentDay(Struct, frozen=True, gc=False):
    """A student's day, judged as far as it can be."""

    arrived_at: datetime | None
    """The first entry; of a student who stayed overnight None until the first one."""
    departed_at: datetime | None
    """The last exit."""
    sessions: tuple[SessionResult, ...]
    """In the order of their positions."""
    taps: tuple[TapJudgement, ...]
    """One for each passing with an id, in the order of their times."""
    findings: tuple[Finding, ...]
    """Each once, in the order of Finding."""
    is_inside: bool
    """After the last passing, or as the day began."""
    since_at: datetime | None
    """Of the passing (or closing) that made `is_inside` true or false; None when none did."""
    since_reader_id: int | None
    closed_at: datetime | None
    """When the school closed upon a student who had not left, as of now."""

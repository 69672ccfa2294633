"""Which way each passing of a day goes, and when the student was on campus.

- Passings go in the order of their times, whatever the order in which they came; one that came
  twice counts once.
- A reader's own direction decides, or what the guard wrote. Without one the timetable decides: the
  first passing in hours for coming comes in, the first in hours for going goes out, so that one
  missed tap does not turn all that follow. Coming is from a session's `arrive_from` to its
  `absent_after`; going is from `leave_from` to half an hour after the session's end, or to the next
  one's `arrive_from`. Further passings in the same hours, and those in hours for neither or for
  both, alternate: whoever is outside comes in and whoever is inside goes out.
- The same student again within the school's window for double taps changes nothing, unless a
  reader's own direction says the opposite. The window begins at the last passing that counted.
- In while inside is an arrival and says that an exit was missed; out while outside is a departure
  and says that an entry was missed. Nothing is invented in between.
- A tap whose time may be wrong shows presence as any other, and no finding but that.
"""

from collections.abc import Sequence
from math import inf
from uuid import UUID

from msgspec import Struct, field

from card_server.attendance.day_clock import DayClock
from card_server.attendance.facts import Finding, Passing, TapJudgement
from card_server.attendance.hours import Hours
from schema.tables.readers import Direction
from schema.tables.taps import DirectionBy, Effect

_IN, _OUT = Direction.IN, Direction.OUT
_READER, _TIMETABLE = DirectionBy.READER, DirectionBy.TIMETABLE
_ALTERNATION = DirectionBy.ALTERNATION
_TO_GO_S = 1800
"""How long after a session's end its hours for going last."""
_NO_ID = UUID(int=0)
_ROUNDING_S = 1e-7
"""Less than a clock's smallest step: differences of seconds carry such errors."""


class Stay(Struct, frozen=True, gc=False):
    """One time on campus, in seconds since the day began."""

    from_s: float
    """Before everything, of a student who was inside when the day began."""
    until_s: float
    """After everything, of a student who has not left."""
    is_begin_suspect: bool = False
    is_end_suspect: bool = False


class Path(Struct, gc=False):
    """A student's way in and out through a day; grows with each passing."""

    is_inside: bool
    stays: list[Stay] = field(default_factory=list)
    """Those that have ended; `close` adds the last."""
    taps: list[TapJudgement] = field(default_factory=list)
    findings: set[Finding] = field(default_factory=set)
    entries: list[float] = field(default_factory=list)
    """When the student came in, by clocks that are right."""
    arrived: Passing | None = None
    departed: Passing | None = None
    last: Passing | None = None
    """The last that counted."""
    last_s: float = -inf
    last_direction: Direction = _OUT
    last_by: DirectionBy = _ALTERNATION
    inside_since_s: float = -inf
    is_entry_suspect: bool = False
    has_suspect: bool = False
    late_entries: dict[int, float] = field(default_factory=dict)
    """When the student came in late, by the session's position."""

    def all_stays(self) -> list[Stay]:
        """Every time on campus; the last one is open where the student has not left."""
        if not self.is_inside:
            return self.stays
        return [*self.stays, Stay(self.inside_since_s, inf, self.is_entry_suspect)]


def follow(
    passings: Sequence[Passing],
    hours: Sequence[Hours],
    clock: DayClock,
    was_inside: bool,
    double_tap_s: int,
) -> Path:
    """Go through a day's passings, in any order and however often each is given."""
    path = Path(was_inside)
    window_s = double_tap_s + _ROUNDING_S
    for at_s, passing in _in_order(passings, clock):
        fixed = passing.fixed
        if passing.is_suspect:
            path.has_suspect = True
            path.findings.add(Finding.CLOCK_SUSPECT)
        if at_s - path.last_s <= window_s and (fixed is None or fixed is path.last_direction):
            by = _READER if fixed else path.last_by
            if passing.id is not None:
                path.taps.append(TapJudgement(passing.id, path.last_direction, by, Effect.DOUBLE))
            continue
        if fixed is not None:
            direction, by = fixed, _READER
        else:
            said = _said_by_timetable(at_s, path.last_s, hours)
            direction = said or (_OUT if path.is_inside else _IN)
            by = _TIMETABLE if said else _ALTERNATION
        effect = _go_in(path, passing, at_s) if direction is _IN else _go_out(path, passing, at_s)
        if passing.id is not None:
            path.taps.append(TapJudgement(passing.id, direction, by, effect))
        path.last, path.last_s = passing, at_s
        path.last_direction, path.last_by = direction, by
    return path


def _in_order(passings: Sequence[Passing], clock: DayClock) -> list[tuple[float, Passing]]:
    begin = clock.begin
    timed = [((passing.at - begin).total_seconds(), passing) for passing in passings]
    if len(timed) < 2:
        return timed
    timed.sort(key=_rank)
    seen: set[UUID] = set()
    once = []
    for one in timed:
        id_ = one[1].id
        if id_ is None or id_ not in seen:
            once.append(one)
            if id_ is not None:
                seen.add(id_)
    return once


def _rank(timed: tuple[float, Passing]) -> tuple[float, UUID, str]:
    """A guard's word, which has no id, goes before the taps of the same moment."""
    at_s, passing = timed
    return at_s, passing.id or _NO_ID, passing.fixed or ""


def _said_by_timetable(at_s: float, last_s: float, hours: Sequence[Hours]) -> Direction | None:
    """The direction of the hours that a passing is the first in; None where they say nothing."""
    said = None
    for index, session in enumerate(hours):
        if session.expects_entry and session.arrive_from <= at_s < session.absent_from:
            way, begin_s = _IN, session.arrive_from
        elif session.expects_exit and session.leave_from <= at_s < _going_ends(index, hours):
            way, begin_s = _OUT, session.leave_from
        else:
            continue
        if last_s >= begin_s or said not in {None, way}:
            return None
        said = way
    return said


def _going_ends(index: int, hours: Sequence[Hours]) -> int:
    ends = hours[index].ends + _TO_GO_S
    is_last = index + 1 == len(hours)
    return ends if is_last else min(ends, hours[index + 1].arrive_from)


def _go_in(path: Path, passing: Passing, at_s: float) -> Effect:
    if path.arrived is None:
        path.arrived = passing
    if not passing.is_suspect:
        path.entries.append(at_s)
    if not path.is_inside:
        path.is_inside = True
        path.inside_since_s = at_s
        path.is_entry_suspect = passing.is_suspect
    elif not _is_doubtful(path, passing):
        path.findings.add(Finding.MISSED_EXIT)
    return Effect.ARRIVAL


def _go_out(path: Path, passing: Passing, at_s: float) -> Effect:
    path.departed = passing
    if path.is_inside:
        path.is_inside = False
        path.stays.append(
            Stay(path.inside_since_s, at_s, path.is_entry_suspect, passing.is_suspect)
        )
    elif not _is_doubtful(path, passing):
        path.findings.add(Finding.MISSED_ENTRY)
    return Effect.DEPARTURE


def _is_doubtful(path: Path, passing: Passing) -> bool:
    """Whether the clock of this passing or of the one before may be wrong."""
    return passing.is_suspect or (path.last is not None and path.last.is_suspect)

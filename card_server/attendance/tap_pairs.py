"""Taps of one student that follow each other too fast: at two places, or with two cards.

A clock looks through what has come in since its last look. Each pair is kept once, however often
its taps are looked at, so nothing is lost or doubled by two clocks or by taps that come late.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.school_time import DISTRICT_ZONE, day_of
from card_server.storage.bulk import Write, insert_missing, write_all
from schema.messages import Decision
from schema.tables.findings import PairKind, TapPair, TapPairMark
from schema.tables.readers import Reader
from schema.tables.school import School
from schema.tables.taps import Tap

WALK_S: Final = 20
"""Nobody walks from one place to another in less."""
_FIRST_LOOK: Final = timedelta(days=1)
"""How far back a school's first look goes."""
_OVERLAP: Final = timedelta(seconds=10)
"""Transactions end in another order than they took their times."""
_AT_ONCE: Final = 500


class SeenTap(Struct, frozen=True, gc=False):
    """An admitted tap, as far as pairs depend on it."""

    id: UUID
    student_id: int
    uid: str
    reader_id: int
    place: str
    at: datetime
    received_at: datetime


class _Pair(Struct, gc=False):
    """A new row of `tap_pair`."""

    school_id: int
    later_id: UUID
    kind: PairKind
    student_id: int
    at: datetime
    seconds: int
    earlier_reader_id: int
    later_reader_id: int


class _Mark(Struct, gc=False):
    school_id: int
    up_to: datetime


def find_pairs(session: Session, now: datetime) -> None:
    """Look through the taps that have come in at every school since the last look."""
    wanted = (
        select(School.id, School.double_tap_s, TapPairMark.up_to)
        .outerjoin(TapPairMark, TapPairMark.school_id == School.id)
        .order_by(School.id)
    )
    for school_id, window_s, up_to in session.execute(wanted).all():
        since = up_to - _OVERLAP if up_to else now - _FIRST_LOOK
        _look(session, school_id, window_s, since)
        session.commit()


def _look(session: Session, school_id: int, window_s: int, since: datetime) -> None:
    fresh = _fresh(session, school_id, since)
    while fresh:
        rows = [
            _row(school_id, earlier, later, kind)
            for earlier, later, kind in _pairs_of(session, school_id, fresh, window_s)
        ]
        insert_missing(session, TapPair, rows)
        last = fresh[-1]
        mark = _Mark(school_id, last.received_at)
        write_all(session, [Write(TapPairMark, [mark], "up_to = excluded.up_to")])
        session.commit()
        if len(fresh) < _AT_ONCE:
            return
        # Those that came in the same moment may be more than fit: they are looked at once more.
        ahead = _fresh(session, school_id, last.received_at)
        fresh = ahead if ahead and ahead[-1].received_at > last.received_at else []


def _fresh(session: Session, school_id: int, since: datetime) -> list[SeenTap]:
    wanted = _select(school_id).where(Tap.received_at >= since)
    found = session.execute(wanted.order_by(Tap.received_at, Tap.id).limit(_AT_ONCE))
    return [SeenTap(*row) for row in found]


def _select(school_id: int) -> Any:
    return (
        select(
            Tap.id,
            Tap.student_id,
            Tap.uid,
            Tap.reader_id,
            Reader.place,
            Tap.occurred_at,
            Tap.received_at,
        )
        .join(Reader, Reader.id == Tap.reader_id)
        .where(
            Tap.school_id == school_id,
            Tap.student_id.is_not(None),
            Tap.decision == Decision.ADMITTED,
            # A clock that is wrong proves nothing.
            Tap.clock_suspect.is_(False),
        )
    )


def _pairs_of(
    session: Session, school_id: int, fresh: Sequence[SeenTap], window_s: int
) -> Iterator[tuple[SeenTap, SeenTap, PairKind]]:
    """The pairs that fresh taps are part of, with those of the same students around them.

    Day by day: a tap of last year that came in today must not fetch the year between.
    """
    longest = timedelta(seconds=max(window_s, WALK_S))
    for _day, of_day in groupby(sorted(fresh, key=_day_of), key=_day_of):
        taps = list(of_day)
        around = _select(school_id).where(
            Tap.student_id.in_({one.student_id for one in taps}),
            Tap.occurred_at >= min(one.at for one in taps) - longest,
            Tap.occurred_at <= max(one.at for one in taps) + longest,
        )
        yield from pairs_among((SeenTap(*row) for row in session.execute(around)), window_s)


def _day_of(tap: SeenTap) -> date:
    return day_of(tap.at, DISTRICT_ZONE)


def pairs_among(
    taps: Iterable[SeenTap], window_s: int
) -> Iterator[tuple[SeenTap, SeenTap, PairKind]]:
    """Each odd pair among these taps, the earlier one first; a pure rule.

    Two cards count within the school's window for double taps.
    """
    ordered = sorted(taps, key=lambda one: (one.student_id, one.at, one.id))
    for _student, group in groupby(ordered, key=lambda one: one.student_id):
        before: SeenTap | None = None
        for tap in group:
            if before is not None:
                apart = (tap.at - before.at).total_seconds()
                if apart < WALK_S and tap.place != before.place:
                    yield before, tap, PairKind.TRAVEL
                if apart <= window_s and tap.uid != before.uid:
                    yield before, tap, PairKind.TWO_CARDS
            before = tap


def _row(school_id: int, earlier: SeenTap, later: SeenTap, kind: PairKind) -> _Pair:
    seconds = int((later.at - earlier.at).total_seconds())
    return _Pair(
        school_id,
        later.id,
        kind,
        later.student_id,
        later.at,
        seconds,
        earlier.reader_id,
        later.reader_id,
    )

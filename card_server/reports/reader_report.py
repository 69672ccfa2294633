"""How a school's readers are, and what came from them that could not be kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, func, null, select
from sqlalchemy.orm import Session

from schema.messages import ReaderState, SourceState
from schema.tables.readers import Aside, Direction, Reader, ReaderHealth
from schema.tables.taps import Tap

SILENT_AFTER = timedelta(seconds=45)
"""Three heartbeats: after that a reader's last word counts for nothing."""
STILL_USED_FOR = timedelta(hours=24)
"""So long after its last tap a retired reader is said to be still in use."""
MAX_ASIDE = 50
_SHOWN_BODY = 300


@dataclass(frozen=True)
class ReaderReport:
    """One reader; `health` is None when nothing was ever heard of it."""

    id: int
    code: str
    name: str
    place: str
    direction: Direction | None
    health: ReaderHealth | None
    is_silent: bool
    has_old_cards: bool
    retired_at: datetime | None
    """Nothing is said of how a retired reader is, but whether it is still in use."""
    used_at: datetime | None
    """The last card that was held to it after it was retired."""
    is_still_used: bool
    """Retired, and a card was held to it within the last day."""
    campus_id: int | None

    @property
    def is_well(self) -> bool:
        """Whether it can read cards now and the server hears of them."""
        return (
            self.health is not None
            and not self.is_silent
            and self.health.state is ReaderState.ONLINE
            and self.health.source is SourceState.READY
            and not self.failures
        )

    @property
    def failures(self) -> list[str]:
        return self.health.failures.splitlines() if self.health else []


@dataclass(frozen=True)
class AsideReport:
    """One kind of rubbish that came."""

    id: int
    received_at: datetime
    topic: str
    reason: str
    times: int
    size: int
    beginning: str


def read_readers(
    session: Session, school_id: int, cards_version: int, now: datetime
) -> list[ReaderReport]:
    """All readers of a school, the retired ones too, in one query."""
    found = session.execute(
        select(Reader, ReaderHealth, _used_after())
        .outerjoin(ReaderHealth, ReaderHealth.reader_id == Reader.id)
        .where(Reader.school_id == school_id)
        .order_by(Reader.id)
    )
    return [
        ReaderReport(
            reader.id,
            reader.code,
            reader.name,
            reader.place,
            reader.direction,
            health,
            is_silent=_is_watched(reader, health) and now - health.seen_at > SILENT_AFTER,
            has_old_cards=_is_watched(reader, health) and health.cards_version != cards_version,
            retired_at=reader.retired_at,
            used_at=used,
            is_still_used=used is not None and now - used <= STILL_USED_FOR,
            campus_id=reader.campus_id,
        )
        for reader, health, used in found
    ]


def _is_watched(reader: Reader, health: ReaderHealth | None) -> bool:
    return health is not None and reader.retired_at is None


def count_still_used(school_id: int, now: datetime) -> Select[int]:
    """How many retired readers had a card held to them within the last day."""
    return select(func.count(Reader.id)).where(
        Reader.school_id == school_id,
        Reader.retired_at.is_not(None),
        _used_after() >= now - STILL_USED_FOR,
    )


def _used_after() -> Any:
    """A retired reader's last tap of which it is known when it was, if that was after it."""
    tap = Tap.__table__.c
    last = (
        select(tap.occurred_at)
        .where(
            tap.school_id == Reader.school_id,
            tap.reader_id == Reader.id,
            tap.boot.is_not(None),
            tap.clock_suspect.is_(False),
        )
        .order_by(tap.boot.desc(), tap.seq.desc())
        .limit(1)
        .correlate(Reader)
        .scalar_subquery()
    )
    return case((Reader.retired_at.is_(None), null()), (last > Reader.retired_at, last))


def read_aside(session: Session, school_id: int) -> list[AsideReport]:
    """The newest kept-aside messages, newest first, in one query."""
    found = session.scalars(
        select(Aside)
        .where(Aside.school_id == school_id)
        .order_by(Aside.received_at.desc())
        .limit(MAX_ASIDE)
    )
    return [
        AsideReport(
            one.id,
            one.received_at,
            one.topic,
            one.reason,
            one.times,
            len(one.body),
            one.body[:_SHOWN_BODY].decode(errors="replace"),
        )
        for one in found
    ]

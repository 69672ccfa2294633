"""How a school's readers are, and what came from them that could not be kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from schema.messages import ReaderState, SourceState
from schema.tables.readers import Aside, Direction, Reader, ReaderHealth

SILENT_AFTER = timedelta(seconds=45)
"""Three heartbeats: after that a reader's last word counts for nothing."""
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
    """All readers of a school, in one query."""
    found = session.execute(
        select(Reader, ReaderHealth)
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
            is_silent=health is not None and now - health.seen_at > SILENT_AFTER,
            has_old_cards=health is not None and health.cards_version != cards_version,
        )
        for reader, health in found
    ]


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

"""Bringing a past along: another system's taps go the way of all taps, and nobody is told.

A logged tap gets its id from what it says, so that the same log, or a longer one of the same
system, can be imported again and again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final
from uuid import UUID, uuid5

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.errors import AppError, Code
from card_server.imports.tap_log import LogFinding, LoggedTap
from card_server.services.protocol import Telling
from card_server.storage.bulk import fetch
from card_server.taps.directory import CardFacts, CardKey, Directory, ReaderFacts, ReaderKey
from card_server.taps.record import IdKey, ReceivedTap, record_taps
from schema.messages import Decision
from schema.tables.cards import Card
from schema.tables.readers import Reader
from schema.tables.school import School
from schema.tables.taps import Tap

BATCH: Final = 500
"""Rows of the log in one transaction."""
MOST_LISTED: Final = 1_000
"""Different things that a report lists of one kind; the rest is only counted."""
_AHEAD = timedelta(minutes=5)
"""A tap further in the future than this was not made yet: format or zone are wrong."""
_NAMESPACE = UUID("5a5e0d2c-6f0c-4b53-9f0e-3b6f4d2f7a10")
_MORE = "…"


@dataclass
class ImportReport:
    """What became of a log; in a dry run, what would."""

    rows: int = 0
    """Read so far; every row is in exactly one of the next five."""
    recorded: int = 0
    known: int = 0
    """On record from an earlier import."""
    repeated: int = 0
    """The same tap once more in this log; a dry run sees it only within a batch."""
    not_stored: int = 0
    """Of unknown readers, and of unknown cards whose number is not whole."""
    unreadable: int = 0
    refused: int = 0
    """Of those recorded: the other system did not let the person in."""
    first_at: datetime | None = None
    last_at: datetime | None = None
    unknown_readers: dict[str, int] = field(default_factory=dict)
    """Name in the log → rows."""
    unknown_cards: dict[str, int] = field(default_factory=dict)
    """Number → rows: the school has no such card. Recorded without a student."""
    unheld_cards: dict[str, int] = field(default_factory=dict)
    """Number → rows: a card of the school that was nobody's, or not valid, at that time."""
    findings: list[LogFinding] = field(default_factory=list)
    """What could not be read, the first MOST_LISTED."""


Progress = Callable[[ImportReport], None]


def import_taps(
    sessions: sessionmaker[Session],
    school_code: str,
    entries: Iterable[LoggedTap | LogFinding],
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Record a log, a batch to a transaction, and tell what became of it; nobody gets a message.

    `progress` is called after each batch. When it is broken off, whole batches are on record,
    and the next run goes on from there. Raises AppError(NOT_FOUND) for an unknown school.
    """
    importer = _Import(sessions, school_code, dry_run)
    stream = iter(entries)
    while batch := list(islice(stream, BATCH)):
        importer.add(batch)
        if progress:
            progress(importer.report)
    return importer.report


class _Import:
    """One run: the school as it was at the start, and the report so far."""

    def __init__(self, sessions: sessionmaker[Session], school_code: str, dry_run: bool) -> None:
        self.report = ImportReport()
        self._sessions = sessions
        self._school_code = school_code
        self._dry_run = dry_run
        self._directory = Directory()
        self._started_at = datetime.now(UTC)
        with sessions() as session:
            school_id = session.scalar(select(School.id).where(School.code == school_code))
            if school_id is None:
                raise AppError(Code.NOT_FOUND, f"There is no school {school_code!r}.")
            self._school_id = school_id
            readers = select(Reader.code).where(Reader.school_id == school_id)
            self._keys = [ReaderKey(school_code, code) for code in session.scalars(readers)]
            self._by_beginning = _cards_by_beginning(session, school_id)

    def add(self, batch: list[LoggedTap | LogFinding]) -> None:
        """One batch, one transaction."""
        report = self.report
        report.rows += len(batch)
        with self._sessions() as session:
            readers = self._directory.readers(session, self._keys)
            taps = self._fresh(session, list(self._received(batch, readers)))
            cards = self._directory.cards(session, {self._card_of(tap) for tap in taps})
            if not self._dry_run and taps:
                telling = Telling(tell_parents=False, now=self._started_at)
                recorded = record_taps(session, taps, self._directory, telling)
                session.commit()
                if recorded.rejected:
                    raise AppError(
                        Code.CONFLICT,
                        "Another tap is on record under the id of an imported one; the batch"
                        f" before row {report.rows} is not complete.",
                    )
        for tap in taps:
            self._count(tap, cards[self._card_of(tap)])

    def _received(
        self, batch: list[LoggedTap | LogFinding], readers: Mapping[ReaderKey, ReaderFacts]
    ) -> Iterator[ReceivedTap]:
        """The taps that can be stored; the report keeps why the others cannot."""
        for entry in batch:
            if isinstance(entry, LogFinding):
                self._find(entry)
                continue
            reader = readers.get(ReaderKey(self._school_code, entry.reader_code or ""))
            uid = self._whole(entry.uid)
            if entry.tapped_at > self._started_at + _AHEAD:
                self._find(LogFinding(entry.line, "time", "the time is in the future"))
            elif reader is None:
                self.report.not_stored += 1
                _list(self.report.unknown_readers, entry.reader_name)
            elif uid is None:
                self.report.not_stored += 1
                _list(self.report.unknown_cards, f"{entry.uid}{_MORE}")
            else:
                yield self._receive(entry, reader, uid)

    def _whole(self, uid: str) -> str | None:
        """The number; for the beginning of one, the only card of the school that has it."""
        if len(uid) != 6:
            return uid
        cards = self._by_beginning.get(uid, [])
        return cards[0] if len(cards) == 1 else None

    def _receive(self, entry: LoggedTap, reader: ReaderFacts, uid: str) -> ReceivedTap:
        return ReceivedTap(
            id=tap_id(self._school_code, reader.code, uid, entry.tapped_at, entry.decision),
            reader=reader,
            boot=None,
            seq=None,
            uid=uid,
            tapped_at=entry.tapped_at,
            sent_at=self._started_at,
            received_at=self._started_at,
            occurred_at=entry.tapped_at,
            clock_suspect=False,
            decision=entry.decision,
            reason=entry.reason,
            cards_version=0,
        )

    def _fresh(self, session: Session, taps: list[ReceivedTap]) -> list[ReceivedTap]:
        """Those that are not on record yet, each once."""
        first = {tap.id: tap for tap in taps}
        keys = [IdKey(self._school_id, id_) for id_ in first]
        on_record = {row.id: row.received_at for row in fetch(session, Tap, keys, _OnRecord)}
        for tap in taps:
            # This run's own taps bear the time at which it started.
            is_mine = on_record.get(tap.id, self._started_at) == self._started_at
            if not is_mine:
                self.report.known += 1
            elif tap is not first[tap.id] or tap.id in on_record:
                self.report.repeated += 1
        return [tap for id_, tap in first.items() if id_ not in on_record]

    def _count(self, tap: ReceivedTap, card: CardFacts | None) -> None:
        report = self.report
        report.recorded += 1
        report.refused += tap.decision is Decision.REFUSED
        report.first_at = min(report.first_at or tap.tapped_at, tap.tapped_at)
        report.last_at = max(report.last_at or tap.tapped_at, tap.tapped_at)
        if card is None:
            _list(report.unknown_cards, tap.uid)
        elif tap.decision is Decision.ADMITTED and card.holder_at(tap.occurred_at) is None:
            _list(report.unheld_cards, tap.uid)

    def _card_of(self, tap: ReceivedTap) -> CardKey:
        return CardKey(self._school_id, tap.uid)

    def _find(self, finding: LogFinding) -> None:
        self.report.unreadable += 1
        if len(self.report.findings) < MOST_LISTED:
            self.report.findings.append(finding)


def tap_id(
    school_code: str, reader_code: str, uid: str, tapped_at: datetime, decision: Decision
) -> UUID:
    """The id of a logged tap, the same each time it is read."""
    moment = tapped_at.astimezone(UTC).isoformat()
    return uuid5(_NAMESPACE, f"{school_code}/{reader_code}/{uid}/{moment}/{decision}")


class _OnRecord(Struct):
    """What tells this run's rows from those of earlier ones."""

    id: UUID
    received_at: datetime


def _cards_by_beginning(session: Session, school_id: int) -> dict[str, list[str]]:
    """The school's four-byte cards by their first three bytes."""
    four_bytes = select(Card.uid).where(Card.school_id == school_id, func.length(Card.uid) == 8)
    found: dict[str, list[str]] = {}
    for uid in session.scalars(four_bytes):
        found.setdefault(uid[:6], []).append(uid)
    return found


def _list(counts: dict[str, int], what: str) -> None:
    """Count one more; past MOST_LISTED different ones, all others together."""
    name = what if what in counts or len(counts) < MOST_LISTED else _MORE
    counts[name] = counts.get(name, 0) + 1

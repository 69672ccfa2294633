"""Taps as ingest hands them to the rules, and what the database holds after them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session, sessionmaker
from uuid_utils.compat import uuid7

from card_server.services.protocol import Telling
from card_server.taps.directory import Directory, ReaderFacts, ReaderKey
from card_server.taps.record import ReceivedTap, Recorded, record_taps
from schema.messages import Decision
from tests.harness.campus import Campus, make_campus, uid_of

MORNING = datetime(2026, 9, 2, 23, 30, tzinfo=UTC)
"""07:30 of 3 September in the school's zone."""


class Gate:
    """A school in a database, its directory, and taps made for it."""

    def __init__(self, sessions: sessionmaker[Session], **campus: Any) -> None:
        self.sessions = sessions
        self.directory = Directory()
        with sessions.begin() as session:
            self.campus: Campus = make_campus(session, **campus)
        self._seq = 0

    def reader(self, code: str) -> ReaderFacts:
        key = ReaderKey(self.campus.code, code)
        with self.sessions() as session:
            return self.directory.readers(session, [key])[key]

    def tap(
        self, seconds: float = 0, student: int = 1, reader: str = "gate-in", **changes: Any
    ) -> ReceivedTap:
        """A tap so many seconds after MORNING that the server got at once."""
        self._seq += 1
        at = MORNING + timedelta(seconds=seconds)
        values: dict[str, Any] = {
            "id": uuid7(),
            "reader": self.reader(reader),
            "boot": 1,
            "seq": self._seq,
            "uid": uid_of(student),
            "tapped_at": at,
            "sent_at": at,
            "received_at": at,
            "occurred_at": at,
            "clock_suspect": False,
            "decision": Decision.ADMITTED,
            "reason": None,
            "cards_version": 1,
        }
        return ReceivedTap(**values | changes)

    def record(self, taps: Iterable[ReceivedTap], directory: Directory | None = None) -> Recorded:
        """Record one batch and commit it."""
        taps = list(taps)
        latest = max(tap.received_at for tap in taps)
        with self.sessions() as session:
            recorded = record_taps(
                session, taps, directory or self.directory, Telling(True, latest)
            )
            session.commit()
        return recorded

    def rows(self, table: type[Any]) -> list[Any]:
        """All rows of a table, in the order of their keys."""
        with self.sessions() as session:
            return list(session.scalars(select(table).order_by(*inspect(table).primary_key)))

    def values(self, table: type[Any]) -> list[dict[str, Any]]:
        """All rows of a table as plain values."""
        names = inspect(table).columns.keys()
        return [{name: getattr(row, name) for name in names} for row in self.rows(table)]


def rejected_ids(recorded: Recorded) -> dict[UUID, str]:
    """Why each rejected tap was rejected."""
    return {tap.id: reason.value for tap, reason in recorded.rejected}

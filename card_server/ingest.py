"""The ingest process: takes what readers sent, records it in one transaction, then acknowledges.

Batches form by themselves: whatever arrived while the last transaction ran. Nothing is
acknowledged, to the broker or to a reader, before its commit.
"""

import gc
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import UTC, datetime

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from card_server.broker.link import BrokerLink
from card_server.cards.cardlists import bring_all_up_to_date, bring_up_to_date, list_versions
from card_server.config import Settings
from card_server.figures import ingest as figures
from card_server.health import Check, check_database, serve_health
from card_server.leave.exit_lists import ExitLists
from card_server.services.protocol import Telling
from card_server.storage.database import open_engine, open_sessions
from card_server.storage.single import claim_role
from card_server.taps.aside import set_aside
from card_server.taps.directory import Directory, ReaderKey
from card_server.taps.inbox import Incoming, Opened, Refused, open_messages, topic_of
from card_server.taps.reader_status import record_status
from card_server.taps.record import ReceivedTap, record_taps
from schema.messages import Ack, CardsMessage, ExitsMessage, Rejected, Rejection
from schema.topics import Kind, Topic

_log = structlog.get_logger()

_SWITCH_S = 0.0005
"""How long the network thread waits for the interpreter's lock; 5 ms, Python's own, is felt."""
_IDLE_S = 0.5
_LOOK_EACH_S = 1.0
_RETRY_S = (0.2, 5.0)


def run(settings: Settings, stop: threading.Event) -> None:
    """Work until `stop` is set.

    Raises AppError when there is no place for this process, RuntimeError when the broker thread
    has died.
    """
    engine = open_engine(settings.database_url, by_key_only=True)
    try:
        with claim_role(engine, "ingest") as place:
            link = BrokerLink(settings, place)
            health = serve_health(settings.ingest_health_port, _checks(engine, link))
            link.start()
            gc.freeze()
            sys.setswitchinterval(_SWITCH_S)
            try:
                _work(Ingest(open_sessions(engine), link, stop), engine.dialect.name)
            finally:
                link.stop()
                health.shutdown()
                health.server_close()
    finally:
        engine.dispose()


def _work(ingest: "Ingest", dialect: str) -> None:
    """Run the loops until one ends, which ends all. Raises what it raised.

    SQLite has one writer. On PostgreSQL another loop judges full batches while the first one's is
    in the database; with less to do, two would only wait for each other's locks.
    """
    loops = [ingest.work, ingest.look_after_readers]
    if dialect != "sqlite":
        loops.append(ingest.help_out)
    with ThreadPoolExecutor(len(loops), thread_name_prefix="ingest") as pool:
        running = [pool.submit(loop) for loop in loops]
        wait(running, return_when=FIRST_COMPLETED)
        ingest.end()
    for one in running:
        one.result()


class Ingest:
    """The loop over batches, and what its threads have to remember between them."""

    def __init__(
        self, sessions: sessionmaker[Session], link: BrokerLink, stop: threading.Event
    ) -> None:
        self._sessions = sessions
        self._link = link
        self._stop = stop
        self._ended = False
        self._directory = Directory()
        self._versions: dict[int, int] | None = None
        self._exits = ExitLists()

    def work(self) -> None:
        """Batch after batch."""
        while not self._is_over():
            if not self._link.is_running:
                raise RuntimeError("the broker thread died") from self._link.failure
            batch = self._link.take(_IDLE_S)
            if batch:
                self._record(batch)

    def look_after_readers(self) -> None:
        """Once a second a look whether readers must know something new; no tap waits for it."""
        while not self._is_over():
            pause = _LOOK_EACH_S
            try:
                self._push_card_lists()
                self._push_exits()
            except (OperationalError, InterfaceError) as error:
                _log.warning("the database is away", error=type(error).__name__)
                pause = _RETRY_S[1]
            self._stop.wait(pause)

    def help_out(self) -> None:
        """Full batches, while so much piles up that they form."""
        while not self._is_over():
            batch = self._link.take_full(_IDLE_S)
            if batch:
                self._record(batch)

    def end(self) -> None:
        """Let every thread end after its batch."""
        self._ended = True

    def _is_over(self) -> bool:
        return self._ended or self._stop.is_set()

    def _record(self, batch: list[Incoming]) -> None:
        """Record a batch, however long the database is away; one bad message stops nobody."""
        delay = _RETRY_S[0]
        while not self._is_over():
            try:
                self._commit(batch)
            except (OperationalError, InterfaceError) as error:
                figures.DATABASE_AWAY.set(1)
                _log.warning("the database is away", error=type(error).__name__, waiting=len(batch))
                self._stop.wait(delay)
                delay = min(delay * 2, _RETRY_S[1])
            except Exception:
                if len(batch) == 1:
                    _log.exception("a message cannot be processed")
                    self._give_up(batch[0])
                    return
                for one in batch:
                    self._record([one])
                return
            else:
                figures.DATABASE_AWAY.set(0)
                return

    def _commit(self, batch: list[Incoming]) -> None:
        """One transaction, then the acknowledgements."""
        now = datetime.now(UTC)
        with self._sessions() as session:
            readers = self._directory.readers(session, _reader_keys(batch))
            opened = open_messages(batch, readers)
            telling = Telling(tell_parents=True, now=now)
            recorded = record_taps(session, opened.taps, self._directory, telling)
            refused = opened.refused + _refused_taps(recorded.rejected, opened)
            self._set_aside(session, refused)
            answers: list[tuple[Topic, CardsMessage | ExitsMessage]] = []
            for reader, status, incoming in opened.statuses:
                record_status(session, reader, status, incoming.received_at, incoming.held_s)
                cards = bring_up_to_date(session, reader.id, status.cards_version)
                answers += [(_topic(incoming, Kind.CARDS), message) for message in cards]
                exits = self._exits.answer(session, reader, status, now)
                answers += [(_topic(incoming, Kind.EXITS), message) for message in exits]
            session.commit()
        self._link.acknowledge(batch, _acks(recorded.kept, refused))
        for topic, message in answers:
            self._link.send(topic, message)
        _observe(batch, len(recorded.kept), refused)

    def _give_up(self, incoming: Incoming) -> None:
        """Keep a message that the rules choke on where staff see it, and go on."""
        with self._sessions() as session:
            readers = self._directory.readers(session, _reader_keys([incoming]))
            opened = open_messages([incoming], readers)
            taps = [Rejected(tap.id, Rejection.UNPROCESSABLE) for tap in opened.taps]
            refused = Refused(incoming, Rejection.UNPROCESSABLE, taps)
            self._set_aside(session, [refused])
            session.commit()
        self._link.acknowledge([incoming], _acks([], [refused]))
        _observe([incoming], 0, [refused])

    def _set_aside(self, session: Session, refused: list[Refused]) -> None:
        for one in refused:
            topic = topic_of(one.incoming.topic)
            set_aside(
                session,
                school_id=self._directory.school_id(topic.school) if topic else None,
                topic=one.incoming.topic,
                body=one.incoming.payload,
                reason=one.reason,
                received_at=one.incoming.received_at,
            )

    def _push_card_lists(self) -> None:
        """Send what has changed to every reader at once; who misses it asks with its status."""
        with self._sessions() as session:
            versions = list_versions(session)
            before = self._versions if self._versions is not None else versions
            for school_id, version in versions.items():
                had = before.get(school_id, version)
                if had == version:
                    continue
                for to in bring_all_up_to_date(session, school_id, had):
                    for message in to.messages:
                        self._link.send(Topic(to.school, to.reader, Kind.CARDS), message)
            self._versions = versions

    def _push_exits(self) -> None:
        """Tell the gates at once which exits they hold now, where that has changed."""
        with self._sessions() as session:
            for to in self._exits.changed(session, datetime.now(UTC)):
                for message in to.messages:
                    self._link.send(Topic(to.school, to.reader, Kind.EXITS), message)


def _reader_keys(batch: Iterable[Incoming]) -> set[ReaderKey]:
    topics = {topic_of(incoming.topic) for incoming in batch}
    return {ReaderKey(topic.school, topic.reader) for topic in topics if topic}


def _refused_taps(rejected: list[tuple[ReceivedTap, Rejection]], opened: Opened) -> list[Refused]:
    """Taps that the record refused, each with the message it came in."""
    source = {id(tap): incoming for tap, incoming in zip(opened.taps, opened.sources, strict=True)}
    return [
        Refused(source[id(tap)], reason, [Rejected(tap.id, reason)]) for tap, reason in rejected
    ]


def _acks(kept: list[ReceivedTap], refused: list[Refused]) -> list[tuple[Topic, Ack]]:
    """One acknowledgement for each reader of the batch."""
    acks: dict[Topic, Ack] = {}
    for tap in kept:
        reader = tap.reader
        topic = Topic(reader.school.code, reader.code, Kind.ACK)
        ack = acks.get(topic)
        if ack is None:
            ack = acks[topic] = Ack([], [])
        ack.kept.append(tap.id)
    for one in refused:
        if one.taps and topic_of(one.incoming.topic):
            ack = acks.setdefault(_topic(one.incoming, Kind.ACK), Ack([], []))
            ack.rejected.extend(one.taps)
    return list(acks.items())


def _topic(incoming: Incoming, kind: Kind) -> Topic:
    school, reader = incoming.topic.split("/")[2:4]
    return Topic(school, reader, kind)


def _observe(batch: list[Incoming], kept: int, refused: list[Refused]) -> None:
    figures.TAPS.inc(kept)
    figures.BATCH.observe(kept)
    figures.COMMIT.observe((datetime.now(UTC) - batch[0].received_at).total_seconds())
    for one in refused:
        figures.REJECTED.labels(one.reason).inc()


def _checks(engine: Engine, link: BrokerLink) -> dict[str, Check]:
    def check_broker() -> str | None:
        return None if link.is_connected else "The broker is not connected."

    return {"database": check_database(engine), "broker": check_broker}

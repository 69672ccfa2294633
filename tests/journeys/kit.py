"""A campus of real processes for stories, hands that tap at it, and the judge of what it kept."""

import base64
import json
import random
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from card_server.broker import certificates
from card_server.storage.database import open_engine
from card_server.storage.migrate import migrate
from schema.messages import Decision
from schema.tables.attendance import Attendance, HomeroomDay, Presence
from schema.tables.messages import Message
from schema.tables.readers import Aside, Direction
from schema.tables.school import School
from schema.tables.taps import Effect, Tap
from tests.harness.campus import DATA_KEY, make_campus
from tests.harness.ports import free_port
from tests.harness.processes import Process
from tests.harness.proxy import Proxy
from tests.harness.secure_broker import SecureBroker
from tests.harness.waiting import wait_for
from tests.reader_daemon.box import Box
from tests.reader_daemon.tray import Hand

GATES = {"gate-in": Direction.IN, "gate-out": Direction.OUT}
DIRECT = tuple(f"direct-{number}" for number in range(1, 11))
"""Readers without a daemon: a story speaks for one of its own."""
QUIET = 20
_COMMAND = "from card_server.commands import app; app()"
_DOUBLE_TAP = timedelta(seconds=60)
_CLOSES = timedelta(hours=22)
"""When a school without rules of its own closes."""
"""A school's usual window."""
_LATE_AFTER = "00:00"
"""So that every arrival is late, whatever the time is when the story is told."""
_ZONE = ZoneInfo("Asia/Shanghai")


class CampusAtWork:
    """Broker with TLS, database, ingest and a daemon at each gate, from entry to exit.

    The readers' and the server's way to the broker lead through a proxy each when `has_proxies`.
    """

    def __init__(
        self, folder: Path, database_url: str, *, students: int, has_proxies: bool = False
    ) -> None:
        self._folder = folder
        self._has_proxies = has_proxies
        self._parts = ExitStack()
        self.database_url = database_url
        self.engine = open_engine(database_url)
        migrate(self.engine)
        with Session(self.engine) as session, session.begin():
            readers: dict[str, Direction | None] = {**GATES, **dict.fromkeys(DIRECT, Direction.IN)}
            self.campus = make_campus(session, students=students + QUIET, readers=readers)
            session.execute(update(School).values(late_after=_LATE_AFTER))
        self.uids = self.campus.uids[:-QUIET]
        self.quiet_uids = self.campus.uids[-QUIET:]
        """Cards that no tapper presses: for taps that a story sends itself."""
        codes = [(self.campus.code, reader) for reader in self.campus.readers]
        self.broker = SecureBroker(folder / "broker", codes)
        self.readers_line = Proxy(self.broker.reader_port)
        self.server_line = Proxy(self.broker.server_port)
        self.health_port = free_port()
        self.gates: dict[str, Box] = {}

    def __enter__(self) -> Self:
        self._parts.callback(self.engine.dispose)
        self._parts.enter_context(self.broker)
        reader_port, server_port = self.broker.reader_port, self.broker.server_port
        if self._has_proxies:
            reader_port = self._parts.enter_context(self.readers_line).port
            server_port = self._parts.enter_context(self.server_line).port
        self.ingest = self._parts.enter_context(self._ingest(server_port))
        for code in GATES:
            self.gates[code] = self._parts.enter_context(self._gate(code, reader_port))
        for gate in self.gates.values():
            gate.wait_for_event("cards", version=len(self.campus.uids))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._parts.close()

    @contextmanager
    def another_ingest(self) -> Iterator[Process]:
        """A second ingest process, once the broker knows it."""
        env = {"CARD_SERVER_INGEST_HEALTH_PORT": "0"}
        with Process(self.ingest.argv, self._folder / "ingest-2.log", env) as other:
            wait_for(lambda: "connected to the broker" in other.output, 20, "the second ingest")
            yield other

    def tray(self, gate: str) -> Path:
        """Where the gate's cards are pressed."""
        return self._folder / gate / "tray"

    def spooled(self, gate: str) -> int:
        """Taps that wait in the gate's spool, as another process sees the file."""
        return self._spool_count(gate, "waiting")

    def wait_until_drained(self, timeout_s: float = 60) -> None:
        """Until no gate holds a tap any more; none may have been rejected."""

        def is_drained() -> bool:
            return all(self.spooled(gate) == 0 for gate in self.gates)

        wait_for(is_drained, timeout_s, "the spools to be empty")
        assert {gate: self._spool_count(gate, "aside") for gate in self.gates} == dict.fromkeys(
            self.gates, 0
        )

    def taps(self) -> Sequence[Any]:
        """Every tap on record: rows with the columns of `tap`."""
        return self.read(select(*Tap.__table__.columns))

    def read(self, statement: Any) -> Sequence[Any]:
        """The rows of a query."""
        with self.engine.connect().execution_options(read_only=True) as connection:
            return connection.execute(statement).all()

    def count(self, table: type[Tap] | type[Message] | type[Aside]) -> int:
        """How many rows a table has."""
        return int(self.read(select(func.count()).select_from(table))[0][0])

    def _spool_count(self, gate: str, table: str) -> int:
        path = self.gates[gate].state_dir / "spool.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as spool:
            return int(spool.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def _ingest(self, broker_port: int) -> Process:
        own = certificates.server_files(self.broker.certificates)
        values: dict[str, object] = {
            "database_url": self.database_url,
            "data_key": base64.b64encode(DATA_KEY).decode(),
            "web_secret": "x" * 32,
            "broker_port": broker_port,
            "broker_ca": str(certificates.authority_files(self.broker.certificates).certificate),
            "broker_cert": str(own.certificate),
            "broker_key": str(own.key),
            "ingest_health_port": self.health_port,
        }
        config = self._folder / "ingest.toml"
        config.write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items()))
        argv = [sys.executable, "-c", _COMMAND, "ingest", "--config", str(config)]
        return Process(argv, self._folder / "ingest.log")

    def _gate(self, code: str, broker_port: int) -> Box:
        own = certificates.reader_files(self.broker.certificates, self.campus.code, code)
        folder = self._folder / code
        folder.mkdir()
        return Box(
            folder,
            school=self.campus.code,
            reader=code,
            source="tray",
            tray_socket=str(self.tray(code)),
            broker_port=broker_port,
            broker_ca=str(certificates.authority_files(self.broker.certificates).certificate),
            broker_cert=str(own.certificate),
            broker_key=str(own.key),
            heartbeat_s=1.0,
        )


class Press(NamedTuple):
    """One card held to one gate, and whether the gate promised to keep the tap."""

    gate: str
    uid: str
    beeped: bool


class Tapper(threading.Thread):
    """Presses cards one after another, each as soon as the last was answered.

    A press that the death of the daemon cut off is noted as not beeped and not repeated.
    """

    def __init__(self, campus: CampusAtWork, gate: str, uids: Sequence[str], mark: int = 0) -> None:
        super().__init__(name=f"tapper-{gate}", daemon=True)
        self.presses: list[Press] = []
        self.failure: BaseException | None = None
        self.reached_mark = threading.Event()
        """Set just before the press of this number."""
        self._tray = campus.tray(gate)
        self._gate = gate
        self._uids = uids
        self._mark = mark

    def run(self) -> None:
        left = list(enumerate(self._uids))
        try:
            while left:
                with Hand(self._tray) as hand:
                    while left and self._press(hand, *left.pop(0)):
                        pass
        except BaseException as error:
            self.failure = error

    def finish(self, timeout_s: float = 60) -> list[Press]:
        """All presses, once the last is made. Raises what the thread raised."""
        self.join(timeout_s)
        assert not self.is_alive(), f"{self._gate}: {len(self.presses)} presses and no end"
        if self.failure:
            raise self.failure
        return self.presses

    def _press(self, hand: Hand, number: int, uid: str) -> bool:
        """Whether the daemon lives on."""
        if number == self._mark:
            self.reached_mark.set()
        try:
            answer = hand.press(uid)
        except (OSError, ValueError):
            self.presses.append(Press(self._gate, uid, False))
            return False
        assert answer == {"signal": "admitted", "reason": None}, answer
        self.presses.append(Press(self._gate, uid, True))
        return True


def tap_everywhere(
    campus: CampusAtWork,
    taps: int,
    rng: random.Random,
    fault: Callable[[], None] = lambda: None,
) -> list[Press]:
    """Half of the taps at each gate, a card once at a gate, with a fault at a random one."""
    half = taps // 2
    tappers = [
        Tapper(campus, gate, rng.sample(campus.uids, half), mark=rng.randrange(half))
        for gate in GATES
    ]
    for tapper in tappers:
        tapper.start()
    assert tappers[0].reached_mark.wait(60)
    fault()
    return [press for tapper in tappers for press in tapper.finish()]


@dataclass(frozen=True)
class Verdict:
    """What became of a story's taps."""

    beeped: int
    not_beeped: int
    rows: int
    lost: list[Press]
    twice: list[tuple[str, str]]
    invented: list[tuple[str, str]]


def judge(campus: CampusAtWork, presses: list[Press], before: set[UUID]) -> Verdict:
    """What became of these presses; `before` are the taps that were on record already."""
    gates = {campus.campus.readers[code]: code for code in campus.campus.readers}
    kept = Counter((gates[tap.reader_id], tap.uid) for tap in campus.taps() if tap.id not in before)
    pressed = {(press.gate, press.uid): press for press in presses}
    assert len(pressed) == len(presses), "a card twice at a gate: the judge cannot tell them apart"
    return Verdict(
        beeped=sum(press.beeped for press in presses),
        not_beeped=sum(not press.beeped for press in presses),
        rows=kept.total(),
        lost=[press for key, press in pressed.items() if press.beeped and not kept[key]],
        twice=[key for key, rows in kept.items() if rows > 1],
        invented=[key for key in kept if key not in pressed],
    )


def assert_nothing_lost_nothing_twice(verdict: Verdict) -> None:
    """Every beep is a row; a press that was not answered is one row or none."""
    assert (verdict.lost, verdict.twice, verdict.invented) == ([], [], [])
    assert verdict.beeped <= verdict.rows <= verdict.beeped + verdict.not_beeped


def assert_record_is_whole(campus: CampusAtWork) -> None:
    """Order without gaps, a message for each effect, and all that is summed up fits the taps."""
    taps = campus.taps()
    assert campus.count(Aside) == 0
    _assert_no_gaps(taps)
    _assert_messages(campus, taps)
    _assert_days(campus, taps)
    _assert_presence(campus, taps)


def _assert_no_gaps(taps: Sequence[Any]) -> None:
    boots: dict[tuple[int, int], list[int]] = {}
    for tap in taps:
        boots.setdefault((tap.reader_id, tap.boot), []).append(tap.seq)
    for boot, numbers in boots.items():
        assert sorted(numbers) == list(range(1, len(numbers) + 1)), boot


def _assert_messages(campus: CampusAtWork, taps: Sequence[Any]) -> None:
    """Every student has one guardian who is told."""
    told = Counter(row.tap_id for row in campus.read(select(Message.tap_id)))
    telling = {Effect.ARRIVAL, Effect.DEPARTURE}
    assert told == Counter(tap.id for tap in taps if tap.effect in telling)


def _assert_days(campus: CampusAtWork, taps: Sequence[Any]) -> None:
    """First in, last out, and how late, from the taps alone."""
    arrived: dict[tuple[date, int], Any] = {}
    departed: dict[tuple[date, int], datetime] = {}
    last: dict[tuple[date, int], Any] = {}
    for tap in _counted(taps):
        key = (_local(tap).date(), tap.student_id)
        last[key] = tap
        if tap.direction is Direction.IN:
            arrived.setdefault(key, tap)
        else:
            departed[key] = tap.occurred_at
    expected = {
        key: (
            arrived[key].occurred_at if key in arrived else None,
            departed.get(key),
            _minutes_late(arrived[key]) if key in arrived else 0,
        )
        for key in last
    }
    rows = campus.read(select(*Attendance.__table__.columns))
    assert expected == {
        (row.day, row.student_id): (row.arrived_at, row.departed_at, row.late_minutes)
        for row in rows
    }
    rooms = {row.student_id: row.homeroom_id for row in rows}
    came = Counter((rooms[student], day) for day, student in arrived)
    late = Counter(
        (rooms[key[1]], key[0]) for key, tap in arrived.items() if _minutes_late(tap) > 0
    )
    judged = _newest_received(taps)
    inside = Counter(
        (rooms[key[1]], key[0])
        for key, tap in last.items()
        if tap.direction is Direction.IN and judged[key] < _closing_after(tap)
    )
    for row in campus.read(select(*HomeroomDay.__table__.columns)):
        key = (row.homeroom_id, row.day)
        stored = (key, row.arrived, row.late, row.inside)
        assert stored == (key, came[key], late[key], inside[key])


def _newest_received(taps: Sequence[Any]) -> dict[tuple[date, int], datetime]:
    """When each student's day was judged last: when its last tap came."""
    newest: dict[tuple[date, int], datetime] = {}
    for tap in _passages(taps):
        key = (_local(tap).date(), tap.student_id)
        newest[key] = max(tap.received_at, newest.get(key, tap.received_at))
    return newest


def _closing_after(tap: Any) -> datetime:
    """When the school closes upon an entry; midnight for one after its hour."""
    begin = _local(tap).replace(hour=0, minute=0, second=0, microsecond=0)
    closes = begin + _CLOSES
    return closes if _local(tap) < closes else begin + timedelta(days=1)


def _assert_presence(campus: CampusAtWork, taps: Sequence[Any]) -> None:
    last: dict[int, Any] = {}
    for tap in _counted(taps):
        last[tap.student_id] = tap
    judged = _newest_received(taps)
    expected = {}
    for student, tap in last.items():
        is_inside, since_at = tap.direction is Direction.IN, tap.occurred_at
        if is_inside and judged[_local(tap).date(), student] >= _closing_after(tap):
            is_inside, since_at = False, _closing_after(tap)
        expected[student] = (is_inside, since_at, tap.reader_id)
    assert expected == {
        row.student_id: (row.is_inside, row.since_at, row.reader_id)
        for row in campus.read(select(*Presence.__table__.columns))
    }


def _counted(taps: Sequence[Any]) -> list[Any]:
    """Those that are no double taps, in the order of their times."""
    counted: list[Any] = []
    before: dict[tuple[date, int], Any] = {}
    for tap in sorted(_passages(taps), key=lambda tap: tap.occurred_at):
        key = (_local(tap).date(), tap.student_id)
        last = before.get(key)
        if (
            last is not None
            and last.direction is tap.direction
            and tap.occurred_at - last.occurred_at <= _DOUBLE_TAP
        ):
            continue
        before[key] = tap
        counted.append(tap)
    return counted


def _passages(taps: Sequence[Any]) -> list[Any]:
    return [tap for tap in taps if tap.decision is Decision.ADMITTED and tap.student_id]


def _local(tap: Any) -> datetime:
    moment: datetime = tap.occurred_at
    return moment.astimezone(_ZONE)


def _minutes_late(tap: Any) -> int:
    local = _local(tap)
    return 0 if tap.clock_suspect else local.hour * 60 + local.minute

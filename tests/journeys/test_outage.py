"""Parts lose each other for a while: everything comes once, in time, and nobody is misled by it."""

import json
import random
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from queue import Queue
from time import monotonic
from typing import Any
from uuid import UUID

import msgspec
import paho.mqtt.client as mqtt
import pytest
import uuid_utils
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import select

from card_server.broker import certificates
from schema.messages import Ack, Decision, Tap, Taps, utc_now
from schema.tables.attendance import Attendance
from schema.tables.messages import Message, MessageState, Suppression
from schema.tables.taps import Tap as TapRow
from schema.topics import Kind, Topic
from tests.harness.postgres import Postgres
from tests.harness.waiting import wait_for
from tests.journeys.kit import (
    DIRECT,
    GATES,
    CampusAtWork,
    Press,
    Tapper,
    assert_nothing_lost_nothing_twice,
    assert_record_is_whole,
    judge,
    tap_everywhere,
)

STUDENTS = 800
IN_FLIGHT = 80
"""Taps at two gates that are all on their way at once, though none is acknowledged."""
LIVE_S = 2.0
"""How long a live tap may take to its row while a backlog is sent over a slow line."""
MOST_MEMORY_MB = 150


@pytest.fixture(scope="module")
def campus(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CampusAtWork]:
    folder = tmp_path_factory.mktemp("outage")
    url = postgres.create_database()
    with CampusAtWork(folder, url, students=STUDENTS, has_proxies=True) as running:
        yield running


@pytest.fixture
def rng() -> random.Random:
    return random.Random(2)


@pytest.fixture(scope="module")
def unused() -> Iterator[str]:
    """Readers that nobody has spoken for yet."""
    return iter(DIRECT)


@pytest.fixture
def direct(campus: CampusAtWork, unused: Iterator[str]) -> Iterator["DirectReader"]:
    with DirectReader(campus, next(unused)) as reader:
        yield reader


class DirectReader:
    """Says what a reader would say, with times of the story's choice."""

    def __init__(self, campus: CampusAtWork, reader: str) -> None:
        self._reader = reader
        self._acks: Queue[Ack] = Queue()
        self._subscribed: Queue[bool] = Queue()
        self._port = campus.broker.reader_port
        self._code = campus.campus.code
        self._seq = 0
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, f"{self._code}/{reader}", protocol=mqtt.MQTTv5
        )
        store = campus.broker.certificates
        own = certificates.reader_files(store, self._code, reader)
        context = ssl.create_default_context(
            cafile=str(certificates.authority_files(store).certificate)
        )
        context.load_cert_chain(own.certificate, own.key)
        self._client.tls_set_context(context)
        self._client.on_connect = lambda client, *_: client.subscribe(self._topic(Kind.ACK), 1)
        self._client.on_subscribe = lambda *_: self._subscribed.put(True)
        self._client.on_message = self._on_message

    def tap(self, uid: str, tapped_at: datetime, clock_step_s: float = 0.0) -> Tap:
        """The next tap of this reader."""
        self._seq += 1
        return Tap(
            id=UUID(bytes=uuid_utils.uuid7().bytes),
            boot=1,
            seq=self._seq,
            uid=uid,
            tapped_at=tapped_at,
            decision=Decision.ADMITTED,
            clock_step_s=clock_step_s,
        )

    def send(self, *taps: Tap, sent_at: datetime | None = None) -> None:
        """Returns when the server has named all of them as kept."""
        body = msgspec.json.encode(Taps(sent_at or utc_now(), list(taps)))
        self._client.publish(self._topic(Kind.TAP), body, qos=1)
        waiting = {tap.id for tap in taps}
        while waiting:
            ack = self._acks.get(timeout=10)
            assert not ack.rejected
            waiting -= set(ack.kept)

    def _topic(self, kind: Kind) -> str:
        return str(Topic(self._code, self._reader, kind))

    def _on_message(self, _: mqtt.Client, __: Any, message: mqtt.MQTTMessage) -> None:
        self._acks.put(msgspec.json.decode(message.payload, type=Ack))

    def __enter__(self) -> "DirectReader":
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        assert self._subscribed.get(timeout=10)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def test_a_server_that_nothing_happens_to_keeps_its_line(
    campus: CampusAtWork, rng: random.Random
) -> None:
    before = _ids(campus)
    lost = campus.ingest.output.count("disconnected from the broker")
    presses = tap_everywhere(campus, 2 * STUDENTS, rng)
    campus.wait_until_drained()
    assert campus.ingest.output.count("disconnected from the broker") == lost
    assert_nothing_lost_nothing_twice(judge(campus, presses, before))


def test_a_tap_whose_acknowledgement_is_lost_is_sent_again_and_kept_once(
    campus: CampusAtWork, rng: random.Random
) -> None:
    before = _ids(campus)
    line = campus.readers_line
    with line.stalled(line.to_caller):
        presses = tap_everywhere(campus, IN_FLIGHT, rng)
        rows, messages = _wait_until_committed(campus, before, presses)
        line.cut()
    campus.wait_until_drained()
    assert (_ids(campus), campus.count(Message)) == (rows, messages)
    assert_nothing_lost_nothing_twice(judge(campus, presses, before))
    assert_record_is_whole(campus)


def test_a_server_killed_between_commit_and_acknowledgement_gets_the_same_taps_again(
    campus: CampusAtWork, rng: random.Random
) -> None:
    before = _ids(campus)
    line = campus.server_line
    with line.stalled(line.to_target):
        presses = tap_everywhere(campus, IN_FLIGHT, rng)
        rows, messages = _wait_until_committed(campus, before, presses)
        campus.ingest.kill()
        line.cut()
    campus.ingest.start()
    campus.wait_until_drained()
    assert (_ids(campus), campus.count(Message)) == (rows, messages)
    assert_nothing_lost_nothing_twice(judge(campus, presses, before))
    assert_record_is_whole(campus)


def test_a_line_to_the_server_that_is_sliced_and_cut_in_mid_batch_loses_nothing(
    campus: CampusAtWork, rng: random.Random
) -> None:
    before = _ids(campus)
    line = campus.server_line

    def cut_three_times() -> None:
        for _ in range(3):
            # More than the handshake, so that the cut hits taps on their way.
            _wait_for_bytes(campus, line.to_caller.passed_bytes + rng.randint(5_000, 20_000))
            line.cut()

    with line.to_caller.slowed(300, 0.001):
        presses = tap_everywhere(campus, 400, rng, cut_three_times)
        campus.wait_until_drained()
    assert_nothing_lost_nothing_twice(judge(campus, presses, before))
    assert_record_is_whole(campus)


def test_live_taps_are_not_held_up_behind_what_a_cut_network_left(campus: CampusAtWork) -> None:
    _cut_the_network(campus, taps=600, drained_within_s=60)


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_five_thousand_taps_of_a_cut_network_come_within_five_minutes(
    postgres: Postgres, tmp_path: Path
) -> None:
    url = postgres.create_database()
    with CampusAtWork(tmp_path, url, students=5_010, has_proxies=True) as campus:
        _cut_the_network(campus, taps=5_000, drained_within_s=300)


def _cut_the_network(campus: CampusAtWork, taps: int, drained_within_s: float) -> None:
    before = _ids(campus)
    gate = "gate-in"
    line = campus.readers_line
    with line.closed():
        presses = _press_all(campus, gate, campus.uids[:taps])
        assert _ids(campus) == before
        connected = len(campus.gates[gate].events("broker_connected"))
    began = monotonic()
    # 200 kB/s, so that the backlog takes its time.
    with line.to_target.slowed(1_000, 0.005):
        wait_for(
            lambda: len(campus.gates[gate].events("broker_connected")) > connected,
            40,
            "the network",
        )
        live = _press_all(campus, gate, campus.uids[taps : taps + 1])
        pressed = monotonic()
        here = select(TapRow.id).where(TapRow.uid == live[0].uid, TapRow.id.not_in(before))
        wait_for(lambda: campus.read(here), 20, "the live tap's row")
        assert monotonic() - pressed < LIVE_S
        assert campus.spooled(gate) > 0, "the backlog was through before the live tap"
    campus.wait_until_drained(drained_within_s)
    assert monotonic() - began < drained_within_s
    assert_nothing_lost_nothing_twice(judge(campus, presses + live, before))
    assert_record_is_whole(campus)
    new = [tap for tap in campus.taps() if tap.id not in before and tap.uid != live[0].uid]
    assert not [tap for tap in new if tap.clock_suspect]


def test_an_old_tap_is_kept_with_its_own_time_and_nobody_is_told(
    campus: CampusAtWork, direct: DirectReader
) -> None:
    now = utc_now()
    old = direct.tap(campus.quiet_uids[0], now - timedelta(hours=8))
    stale = direct.tap(campus.quiet_uids[1], now - timedelta(minutes=31))
    recent = direct.tap(campus.quiet_uids[2], now - timedelta(minutes=29))
    direct.send(old, stale, recent)
    for tap in (old, stale, recent):
        row = _row(campus, tap)
        assert (row.occurred_at, row.clock_suspect) == (tap.tapped_at, False)
    held_back = (MessageState.SUPPRESSED, Suppression.STALE)
    assert [_told(campus, tap) for tap in (old, stale)] == [held_back, held_back]
    assert _told(campus, recent) == (MessageState.QUEUED, None)
    assert_record_is_whole(campus)


@pytest.mark.parametrize(
    ("place", "clock_off", "step_s"),
    [
        (3, timedelta(hours=-1), 0.0),
        (4, timedelta(days=1), 0.0),
        (5, timedelta(), 3_600.0),
        (6, timedelta(), -3_600.0),
        (7, timedelta(days=-20_000), 0.0),
    ],
    ids=["hour-back", "day-ahead", "stepped-forward", "stepped-back", "woke-in-1972"],
)
def test_a_moved_clock_makes_nobody_late_and_tells_nobody(
    campus: CampusAtWork, direct: DirectReader, place: int, clock_off: timedelta, step_s: float
) -> None:
    at = utc_now() + clock_off
    tap = direct.tap(campus.quiet_uids[place], at, step_s)
    direct.send(tap, sent_at=at)
    row = _row(campus, tap)
    assert row.clock_suspect
    assert row.tapped_at == tap.tapped_at
    assert _told(campus, tap) == (MessageState.SUPPRESSED, Suppression.CLOCK_SUSPECT)
    late = select(Attendance.late_minutes).where(Attendance.student_id == row.student_id)
    assert [day.late_minutes for day in campus.read(late)] == [0]
    assert_record_is_whole(campus)


def test_a_clock_that_ran_backwards_between_two_taps_is_suspect_and_the_order_stays(
    campus: CampusAtWork, direct: DirectReader
) -> None:
    now = utc_now()
    first = direct.tap(campus.quiet_uids[8], now - timedelta(minutes=1))
    second = direct.tap(campus.quiet_uids[9], now - timedelta(minutes=2))
    direct.send(first, second)
    assert [_row(campus, tap).clock_suspect for tap in (first, second)] == [False, True]
    assert _told(campus, second) == (MessageState.SUPPRESSED, Suppression.CLOCK_SUSPECT)
    assert [_row(campus, tap).seq for tap in (first, second)] == [1, 2]
    assert_record_is_whole(campus)


def test_a_database_that_is_killed_costs_time_and_nothing_else(tmp_path: Path) -> None:
    with (
        Postgres() as cluster,
        CampusAtWork(tmp_path, cluster.create_database(), students=300) as campus,
    ):
        rng = random.Random(3)
        presses = tap_everywhere(campus, 200, rng, cluster.kill)
        answer = wait_for(lambda: _ready(campus), 20, "/ready to say why")
        assert answer
        status, said = answer
        assert status == 503
        assert "database" in said["wrong"]
        kept = _spooled(campus)
        pressed = {(press.gate, press.uid) for press in presses}
        for gate in GATES:
            unused = [uid for uid in campus.uids if (gate, uid) not in pressed]
            presses += _press_all(campus, gate, unused[:100])
        assert _spooled(campus) == kept + 200
        assert _memory_mb(campus.ingest.pid) < MOST_MEMORY_MB
        _start_again(cluster)
        campus.wait_until_drained(60)
        assert_nothing_lost_nothing_twice(judge(campus, presses, set()))
        assert_record_is_whole(campus)


def _start_again(cluster: Postgres) -> None:
    """As soon as the killed server's children are gone: before, the new one refuses to start."""

    def starts() -> bool:
        try:
            cluster.start()
        except AssertionError:
            return False
        return True

    wait_for(starts, 30, "PostgreSQL to start again")


def _ready(campus: CampusAtWork) -> tuple[int, dict[str, Any]] | None:
    """What /ready says once it is not content."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{campus.health_port}/ready", timeout=20):
            return None
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def _memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def _press_all(campus: CampusAtWork, gate: str, uids: list[str]) -> list[Press]:
    tapper = Tapper(campus, gate, uids)
    tapper.start()
    return tapper.finish()


def _spooled(campus: CampusAtWork) -> int:
    return sum(campus.spooled(gate) for gate in GATES)


def _ids(campus: CampusAtWork) -> set[UUID]:
    return {tap.id for tap in campus.taps()}


def _row(campus: CampusAtWork, tap: Tap) -> Any:
    (row,) = campus.read(select(*TapRow.__table__.columns).where(TapRow.id == tap.id))
    return row


def _told(campus: CampusAtWork, tap: Tap) -> tuple[MessageState, Suppression | None]:
    (row,) = campus.read(select(Message.state, Message.suppression).where(Message.tap_id == tap.id))
    return row.state, row.suppression


def _wait_until_committed(
    campus: CampusAtWork, before: set[UUID], presses: list[Press]
) -> tuple[set[UUID], int]:
    """All rows and how many messages there are, while every tap still waits in its spool."""
    count = len(before) + len(presses)
    wait_for(lambda: campus.count(TapRow) >= count, 30, f"{count} taps on record")
    assert _spooled(campus) == len(presses)
    return _ids(campus), campus.count(Message)


def _wait_for_bytes(campus: CampusAtWork, count: int) -> None:
    """Until so many have gone to the server, or until there is nothing more to go."""
    lane = campus.server_line.to_caller
    wait_for(lambda: lane.passed_bytes >= count or _spooled(campus) == 0, 30, f"{count} bytes")

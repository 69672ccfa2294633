"""The link on a real broker: nothing leaves the spool unasked, nothing is lost, live goes first."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reader_daemon.cardlist import Judgement
from reader_daemon.outbox import BACKLOG_WINDOW
from reader_daemon.spool import Spool
from schema.messages import (
    MAX_BYTES,
    MAX_TAPS,
    TAP_EXPIRY_S,
    Ack,
    CardsChange,
    CardsSnapshot,
    CardState,
    Decision,
    ExitPermits,
    ExitsSnapshot,
    Identify,
    ListedCard,
    Permit,
    ReaderState,
    Rejected,
    Rejection,
    SourceState,
    Tap,
    Window,
    utc_now,
)
from schema.topics import Kind
from tests.harness.mosquitto import Mosquitto
from tests.harness.waiting import wait_for
from tests.reader_daemon.box import Box
from tests.reader_daemon.server_end import ServerEnd
from tests.reader_daemon.tray import Hand

UID = "04A1B2C3D4E5F6"


def _box(folder: Path, broker: Mosquitto, **settings: Any) -> Box:
    tray = str(folder / "tray")
    return Box(folder, source="tray", tray_socket=tray, broker_port=broker.port, **settings)


def _backlog(box: Box, taps: int) -> list[Tap]:
    """Taps of an earlier day, with the longest numbers and ATRs."""
    box.state_dir.mkdir()
    at = datetime.now(UTC) - timedelta(days=1)
    judged = Judgement(Decision.REFUSED, None, 2**31 - 1)
    with Spool(box.state_dir / "spool.db") as spool:
        return [
            spool.keep("04A1B2C3D4E5F6070809", "3B" * 33, at + timedelta(seconds=n), judged).tap
            for n in range(taps)
        ]


def test_a_tap_stays_in_the_spool_until_the_server_names_it(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    with (
        ServerEnd(mosquitto, acknowledges=False) as server,
        _box(tmp_path, mosquitto) as box,
        Hand(tmp_path / "tray") as hand,
    ):
        server.wait_for_status(state=ReaderState.ONLINE, spooled=0, source=SourceState.READY)
        hand.press(UID)
        [tap] = server.wait_for_taps(1)
        waiting = server.wait_for_status(spooled=1)
        assert waiting.drained_to == tap.tapped_at
        server.ack(Ack([tap.id]))
        drained = server.wait_for_status(spooled=0)
        assert drained.drained_to
        assert tap.tapped_at - drained.drained_to < timedelta(seconds=6)
        assert box.stop() == 0
        assert box.taps() == []
        [packet] = server.packets
        assert not packet.retain
        assert packet.qos == 1
        left = packet.properties.MessageExpiryInterval  # type: ignore[union-attr]
        assert TAP_EXPIRY_S - 5 <= left <= TAP_EXPIRY_S


def test_what_is_not_acknowledged_is_sent_again_with_a_fresh_time(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    with (
        ServerEnd(mosquitto, acknowledges=False) as server,
        _box(tmp_path, mosquitto),
        Hand(tmp_path / "tray") as hand,
    ):
        hand.press(UID)
        server.wait_for_taps(1)
        server.acknowledges = True
        first, second = server.wait_for_taps(2)
        assert first == second
        assert server.messages[1].sent_at - server.messages[0].sent_at > timedelta(seconds=9)
        server.wait_for_status(spooled=0)


def test_a_tap_that_no_server_heard_goes_again_as_soon_as_one_listens(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    with _box(tmp_path, mosquitto) as box, Hand(tmp_path / "tray") as hand:
        wait_for(lambda: "broker_connected" in box.output, what="the connection")
        hand.press(UID)
        wait_for(box.taps, what="the tap on disk")
        with ServerEnd(mosquitto) as server:
            server.wait_for_taps(1, timeout_s=5)
            wait_for(lambda: box.taps() == [], 5, "an empty spool")


def test_a_rejected_tap_goes_aside_and_the_rest_goes_on(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    with (
        ServerEnd(mosquitto, acknowledges=False) as server,
        _box(tmp_path, mosquitto) as box,
        Hand(tmp_path / "tray") as hand,
    ):
        hand.press(UID)
        hand.press(UID)
        bad, good = server.wait_for_taps(2)
        server.ack(Ack([good.id], [Rejected(bad.id, Rejection.SEQ_REUSED)]))
        server.wait_for_status(spooled=0, aside=1)
        assert box.wait_for_event("tap_rejected")["tap"] == str(bad.id)


def test_a_live_tap_overtakes_a_backlog_that_is_kept_small_on_its_way(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    box = _box(tmp_path, mosquitto)
    backlog = _backlog(box, BACKLOG_WINDOW * MAX_TAPS + 40)
    with ServerEnd(mosquitto, acknowledges=False) as server, box:
        wait_for(lambda: len(server.messages) == BACKLOG_WINDOW, what="the first of the backlog")
        with Hand(tmp_path / "tray") as hand:
            hand.press(UID)
        wait_for(lambda: len(server.messages) == BACKLOG_WINDOW + 1, 3, "the live tap")
        assert [tap.uid for tap in server.messages[-1].taps] == [UID]
        sent = [tap.id for message in server.messages[:-1] for tap in message.taps]
        assert sent == [tap.id for tap in backlog[: len(sent)]]
        assert max(len(packet.payload) for packet in server.packets) <= MAX_BYTES


def test_five_thousand_taps_drain_completely(tmp_path: Path, mosquitto: Mosquitto) -> None:
    box = _box(tmp_path, mosquitto)
    backlog = _backlog(box, 5000)
    with ServerEnd(mosquitto) as server, box:
        taps = server.wait_for_taps(5000, 60)
        server.wait_for_status(spooled=0)
    assert [tap.id for tap in taps] == [tap.id for tap in backlog]


def test_a_broker_that_is_killed_and_comes_back_loses_nothing(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    with (
        ServerEnd(mosquitto) as server,
        _box(tmp_path, mosquitto) as box,
        Hand(tmp_path / "tray") as hand,
    ):
        hand.press(UID)
        server.wait_for_taps(1)
        mosquitto.kill()
        for _ in range(30):
            assert hand.press(UID)["signal"] == "refused"
        mosquitto.start()
        wait_for(lambda: len({tap.id for tap in server.taps}) == 31, 30, "the taps of the outage")
        server.wait_for_status(spooled=0, timeout_s=30)
        assert box.exit_code is None
        assert {tap.seq for tap in server.taps} == set(range(1, 32))


def test_the_card_list_comes_by_the_broker_and_is_reported_at_once(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    with (
        ServerEnd(mosquitto) as server,
        _box(tmp_path, mosquitto, heartbeat_s=60),
        Hand(tmp_path / "tray") as hand,
    ):
        # The first status comes after the reader's subscriptions.
        wait_for(lambda: server.statuses, what="the first status")
        assert hand.press(UID) == {"signal": "refused", "reason": "no_list"}
        server.give_cards(CardsSnapshot(5, 0, 1, [ListedCard(UID, CardState.ACTIVE)]))
        assert server.wait_for_status(cards_version=5).cards_at
        assert hand.press(UID) == {"signal": "admitted", "reason": None}
        server.give_cards(CardsChange(5, 6, [ListedCard(UID, CardState.LOST)]))
        server.wait_for_status(cards_version=6)
        assert hand.press(UID) == {"signal": "refused", "reason": "lost"}
        taps = server.wait_for_taps(3)
        assert [tap.cards_version for tap in taps] == [0, 5, 6]


def test_rubbish_from_the_broker_changes_nothing(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with ServerEnd(mosquitto) as server, _box(tmp_path, mosquitto) as box:
        server.wait_for_status(state=ReaderState.ONLINE)
        for kind in (Kind.ACK, Kind.CARDS, Kind.EXITS, Kind.COMMAND):
            server.say(kind, b'{"type": "taps", "v": 1')
            server.say(kind, b"\xff" * 100)
        wait_for(lambda: len(box.events("message_not_understood")) == 8, what="all complaints")
        assert server.wait_for_status(state=ReaderState.ONLINE).cards_version == 0


def test_staff_can_make_the_device_show_itself(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with ServerEnd(mosquitto) as server, _box(tmp_path, mosquitto) as box:
        server.wait_for_status(state=ReaderState.ONLINE)
        server.command(Identify(seconds=1))
        box.wait_for_event("signal", signal="identify")


def test_a_reader_that_dies_is_offline_by_its_last_will(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    with ServerEnd(mosquitto) as server, _box(tmp_path, mosquitto) as box:
        server.wait_for_status(state=ReaderState.ONLINE)
        box.kill()
        will = wait_for(
            lambda: [s for s in server.statuses if s.state is ReaderState.OFFLINE],
            what="the last will",
        )[0]
        assert will.drained_to is None
        box.start()
        boot = server.wait_for_status(20, state=ReaderState.ONLINE).boot
        assert boot > will.boot
        assert box.stop() == 0
        wait_for(lambda: server.statuses[-1].state is ReaderState.OFFLINE, what="the goodbye")


def test_the_gate_holds_and_lets_out_as_the_server_says(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    version, hour = "0123456789abcdef", timedelta(hours=1)
    with (
        ServerEnd(mosquitto) as server,
        _box(tmp_path, mosquitto) as box,
        Hand(tmp_path / "tray") as hand,
    ):
        server.wait_for_status(state=ReaderState.ONLINE, exits_version="")
        server.give_cards(CardsSnapshot(3, 0, 1, [ListedCard(UID, CardState.ACTIVE)]))
        box.wait_for_event("cards", version=3)
        assert hand.press(UID)["signal"] == "admitted"
        now = utc_now()
        window = Window(now - hour, now + hour)
        server.give_exits(ExitsSnapshot(version, 0, 1, now, [window], []))
        server.wait_for_status(exits_version=version)
        assert hand.press(UID) == {"signal": "held", "reason": "held"}
        server.give_exits(ExitPermits(utc_now(), 0, 1, [Permit(UID, now - hour, now + hour)]))
        wait_for(lambda: hand.press(UID)["signal"] == "admitted", 10, "the permit")
        server.give_exits(ExitsSnapshot("", 0, 1, utc_now(), [], []))
        server.wait_for_status(exits_version="")
        assert hand.press(UID)["signal"] == "admitted"
        assert box.stop() == 0

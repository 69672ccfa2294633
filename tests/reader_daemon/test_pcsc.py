"""PC/SC on a real pcscd with virtual readers: taps, lights, unplugging, restarts."""

from pathlib import Path

from reader_daemon.sources.pcsc import find_reader
from schema.messages import CardState, Decision, Refusal
from tests.harness.pcscd import Pcscd
from tests.harness.virtual_card import ATR, VirtualCard
from tests.harness.waiting import wait_for
from tests.reader_daemon.box import Box

ACTIVE = "04A1B2C3D4E5F6"
LOST = "04FFFFFFFFFF01"
UNKNOWN = "DEADBEEF"


def _box(folder: Path, pcscd: Pcscd, reader: str = "Gate") -> Box:
    box = Box(folder, pcscd.env, source="pcsc", pcsc_reader=f"{reader} 00 00", pcsc_lights="acr122")
    box.give_cards(**{f"u{ACTIVE}": CardState.ACTIVE, f"u{LOST}": CardState.LOST})
    return box


def test_each_card_gets_its_light_and_is_kept_with_its_atr(tmp_path: Path) -> None:
    with Pcscd("Gate", "Library") as pcscd:
        with _box(tmp_path, pcscd) as box:
            answers = {}
            for uid in (ACTIVE, LOST, UNKNOWN):
                card = VirtualCard(pcscd.ports["Gate"], uid)
                answers[uid] = (card.tap(), card.greens, card.reds)
            assert box.stop() == 0
        assert answers == {
            ACTIVE: (True, 1, 0),
            LOST: (False, 0, 1),
            UNKNOWN: (False, 0, 1),
        }
        taps = box.taps()
    assert [(tap.uid, tap.decision, tap.reason) for tap in taps] == [
        (ACTIVE, Decision.ADMITTED, None),
        (LOST, Decision.REFUSED, Refusal.LOST),
        (UNKNOWN, Decision.REFUSED, Refusal.UNKNOWN),
    ]
    assert [tap.seq for tap in taps] == [1, 2, 3]
    assert {tap.atr for tap in taps} == {ATR.hex().upper()}
    assert {tap.cards_version for tap in taps} == {7}


def test_only_the_named_reader_is_read(tmp_path: Path) -> None:
    with Pcscd("Gate", "Library") as pcscd, _box(tmp_path, pcscd) as box:
        with VirtualCard(pcscd.ports["Library"], ACTIVE) as elsewhere:
            assert VirtualCard(pcscd.ports["Gate"], ACTIVE).tap()
            assert elsewhere.reads == 0
        assert box.stop() == 0
    assert len(box.taps()) == 1


def test_a_held_card_is_one_tap_and_so_is_a_trembling_one(tmp_path: Path) -> None:
    with Pcscd("Gate") as pcscd:
        box = Box(tmp_path, pcscd.env, source="pcsc", pcsc_reader="Gate 00 00", repeat_s=30)
        box.give_cards(**{f"u{ACTIVE}": CardState.ACTIVE})
        with box, VirtualCard(pcscd.ports["Gate"], ACTIVE) as card:
            box.wait_for_event("tap")
            card.remove()
            card.present()
            wait_for(lambda: card.reads == 2, what="the second look at the card")
            other = VirtualCard(pcscd.ports["Gate"], LOST)
            card.remove()
            other.present()
            box.wait_for_event("tap", signal="refused")
            other.remove_at_once()
            assert box.stop() == 0
    assert [tap.uid for tap in box.taps()] == [ACTIVE, LOST]


def test_taps_go_on_after_pcscd_was_restarted_and_after_it_was_killed(tmp_path: Path) -> None:
    with Pcscd("Gate") as pcscd, _box(tmp_path, pcscd) as box:
        card = VirtualCard(pcscd.ports["Gate"], ACTIVE)
        assert card.tap()
        pcscd.restart()
        assert card.tap(10)
        pcscd.kill()
        box.wait_for_event("source_state", state="absent")
        pcscd.start()
        assert card.tap(10)
        assert box.stop() == 0
        assert card.greens == 3
    assert [tap.uid for tap in box.taps()] == [ACTIVE] * 3


def test_taps_go_on_after_the_reader_was_unplugged_and_plugged(tmp_path: Path) -> None:
    with Pcscd("Gate", "Library") as pcscd, _box(tmp_path, pcscd) as box:
        card = VirtualCard(pcscd.ports["Gate"], ACTIVE)
        assert card.tap()
        pcscd.unplug("Gate")
        box.wait_for_event("source_state", state="absent")
        pcscd.plug("Gate")
        assert card.tap(10)
        assert box.stop() == 0
    assert len(box.taps()) == 2


def test_the_reader_may_be_missing_at_first(tmp_path: Path) -> None:
    with Pcscd("Gate") as pcscd:
        pcscd.kill()
        with _box(tmp_path, pcscd) as box:
            box.wait_for_event("pcsc_lost")
            pcscd.start()
            assert VirtualCard(pcscd.ports["Gate"], ACTIVE).tap(10)


def test_a_readers_name_may_be_a_part_that_only_it_has() -> None:
    names = ["ACS ACR122U 00 00", "ACS ACR122U 01 00", "Identiv uTrust 02 00"]
    assert find_reader(names, "Identiv") == "Identiv uTrust 02 00"
    assert find_reader(names, "ACS ACR122U") is None
    assert find_reader(names, "ACS ACR122U 01 00") == "ACS ACR122U 01 00"
    assert find_reader(names, "Omnikey") is None

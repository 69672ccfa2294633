"""nfcpy on its udp link: numbers of every length, held cards, a device that is missing."""

from pathlib import Path

import pytest

from schema.messages import CardState
from tests.harness.nfc_udp import NfcCard
from tests.harness.waiting import wait_for
from tests.reader_daemon.box import Box


@pytest.mark.parametrize("uid", ["A1B2C3D4", "04A1B2C3D4E5F6", "04A1B2C3D4E5F6070809"])
def test_a_card_of_each_length_is_read(tmp_path: Path, uid: str) -> None:
    with NfcCard(uid) as card:
        box = Box(tmp_path, source="nfcpy", nfcpy_path=card.path)
        box.give_cards(**{f"u{uid}": CardState.ACTIVE})
        with box:
            box.wait_for_event("source_ready")
            card.present()
            box.wait_for_event("tap", signal="admitted")
            assert box.stop() == 0
    assert [tap.uid for tap in box.taps()] == [uid]


def test_a_held_card_is_one_tap_and_the_next_time_another(tmp_path: Path) -> None:
    with NfcCard("04A1B2C3D4E5F6") as card:
        box = Box(tmp_path, source="nfcpy", nfcpy_path=card.path)
        with box:
            card.present()
            wait_for(lambda: card.selected >= 5, what="the reader to look five times")
            assert len(box.events("tap")) == 1
            card.tap()
            card.present()
            wait_for(lambda: len(box.events("tap")) == 2, what="the second tap")
            assert box.stop() == 0
    assert len(box.taps()) == 2


def test_a_missing_device_is_waited_for(tmp_path: Path) -> None:
    with Box(tmp_path, source="nfcpy", nfcpy_path="tty:NONE0:pn532") as box:
        box.wait_for_event("source_absent")
        assert box.exit_code is None

"""The card tray: answers in order, after the decision was shown, and never to rubbish."""

from pathlib import Path

from schema.messages import CardState
from tests.reader_daemon.box import Box
from tests.reader_daemon.tray import Hand

ACTIVE = "04A1B2C3D4E5F6"


def _box(folder: Path) -> Box:
    box = Box(folder, source="tray", tray_socket=str(folder / "tray"))
    box.give_cards(**{f"u{ACTIVE}": CardState.ACTIVE})
    return box


def test_each_request_is_answered_in_order_and_kept(tmp_path: Path) -> None:
    with _box(tmp_path) as box, Hand(tmp_path / "tray") as hand, Hand(tmp_path / "tray") as other:
        assert hand.press(ACTIVE) == {"signal": "admitted", "reason": None}
        assert other.press("DEADBEEF") == {"signal": "refused", "reason": "unknown"}
        lines = [f'{{"uid": "{uid}"}}'.encode() for uid in [ACTIVE] * 20 + ["DEADBEEF"]]
        assert hand.say(*lines)["signal"] == "refused"
        assert box.stop() == 0
    assert [tap.uid for tap in box.taps()] == [ACTIVE, "DEADBEEF", *[ACTIVE] * 20, "DEADBEEF"]
    assert not (tmp_path / "tray").exists()


def test_rubbish_gets_an_error_and_the_next_card_its_answer(tmp_path: Path) -> None:
    rubbish = [b"", b"{", b"[]", b'{"uid": "xyz"}', b'{"uid": 5}', b'{"uid": "04A1"}', b"\xff\xfe"]
    with _box(tmp_path) as box, Hand(tmp_path / "tray") as hand:
        for line in rubbish:
            assert "error" in hand.say(line)
        assert hand.press(ACTIVE)["signal"] == "admitted"
        with Hand(tmp_path / "tray") as endless:
            assert "error" in endless.say(b"x" * 5000)
        assert hand.press(ACTIVE)["signal"] == "admitted"
        assert box.stop() == 0
    assert len(box.taps()) == 2


def test_a_socket_that_a_crash_left_is_no_obstacle(tmp_path: Path) -> None:
    with _box(tmp_path) as box:
        with Hand(tmp_path / "tray") as hand:
            hand.press(ACTIVE)
        box.kill()
        assert (tmp_path / "tray").exists()
        box.start()
        box.wait_for_event("started")
        with Hand(tmp_path / "tray") as hand:
            assert hand.press(ACTIVE)["signal"] == "admitted"
        assert box.stop() == 0
    assert len({tap.boot for tap in box.taps()}) == 2

"""The daemon as a process: no beep without a kept tap, and it never lives on with a part dead."""

import resource
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reader_daemon.exits import ExitList
from schema.messages import (
    CardState,
    Decision,
    ExitPermits,
    ExitsSnapshot,
    Permit,
    Refusal,
    Window,
    utc_now,
)
from tests.harness.processes import Process
from tests.harness.waiting import wait_for
from tests.reader_daemon.box import Box
from tests.reader_daemon.tray import Hand

ACTIVE = "04A1B2C3D4E5F6"
BROKEN_PART = """
import signal, sys, threading
from reader_daemon import daemon
from reader_daemon.sources import tray
from reader_daemon.commands import app
def end(*_): return iter(())
def fail(*_): raise RuntimeError("broken on purpose")
def hang(*_): threading.Event().wait()
run_link = daemon.Link.run
def run_link_with_signals(link):
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    run_link(link)
{break_it}
sys.argv = ["reader-daemon", "run", "--config", sys.argv[1]]
app()
"""


def _box(folder: Path, **settings: Any) -> Box:
    box = Box(folder, source="tray", tray_socket=str(folder / "tray"), **settings)
    box.give_cards(**{f"u{ACTIVE}": CardState.ACTIVE})
    return box


@pytest.mark.parametrize(
    ("break_it", "part"),
    [
        ("tray.TraySource.__iter__ = end", "reader"),
        ("tray.TraySource.__iter__ = fail", "reader"),
        ("daemon.Link.run = fail", "link"),
        ("daemon.Link.run = end", "link"),
        ("daemon.Link.run = fail; tray.TraySource.__iter__ = hang", "link"),
        ("daemon.Link._work = fail; daemon.Link._serve = fail; daemon.Link._rest = fail", "link"),
    ],
)
def test_a_dead_part_ends_the_process_at_once(tmp_path: Path, break_it: str, part: str) -> None:
    box = _box(tmp_path)
    script = BROKEN_PART.format(break_it=break_it)
    with Process([sys.executable, "-c", script, str(box.config)], box.log) as process:
        assert process.wait(20) == 1
    assert [event["part"] for event in box.events("part_ended")] == [part]
    assert len(box.events("part_failed")) == ("fail" in break_it)


def test_a_signal_ends_it_cleanly(tmp_path: Path) -> None:
    with _box(tmp_path) as box:
        box.wait_for_event("started")
        started = time.monotonic()
        assert box.stop() == 0
        assert time.monotonic() - started < 5
    assert not box.events("part_failed")


def test_a_signal_counts_that_does_not_wake_the_main_thread(tmp_path: Path) -> None:
    box = _box(tmp_path)
    to_the_link = (
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]); "
        "daemon.Link.run = run_link_with_signals"
    )
    script = BROKEN_PART.format(break_it=to_the_link)
    with Process([sys.executable, "-c", script, str(box.config)], box.log) as process:
        wait_for(lambda: "started" in process.output, 15)
        assert process.stop() == 0


def test_a_second_daemon_does_not_share_the_spool(tmp_path: Path) -> None:
    with _box(tmp_path) as box:
        box.wait_for_event("started")
        with Process(box.argv, tmp_path / "second.log") as second:
            assert second.wait(20) == 1
            assert "Another reader daemon" in second.output


def test_a_full_disk_never_shows_green_and_recovers_by_itself(tmp_path: Path) -> None:
    with _box(tmp_path) as box, Hand(tmp_path / "tray") as hand:
        assert [hand.press(ACTIVE)["signal"] for _ in range(20)] == ["admitted"] * 20
        # What the kernel says at a full disk, for this process alone.
        size = (box.state_dir / "spool.db-wal").stat().st_size
        limits = resource.prlimit(box.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(box.pid, resource.RLIMIT_FSIZE, (size, limits[1]))
        assert [hand.press(ACTIVE)["signal"] for _ in range(3)] == ["not_kept"] * 3
        resource.prlimit(box.pid, resource.RLIMIT_FSIZE, limits)
        assert hand.press(ACTIVE) == {"signal": "admitted", "reason": None}
        assert len(box.events("tap_not_kept")) == 1
        assert box.stop() == 0
    assert [tap.seq for tap in box.taps()] == list(range(1, 22))


def test_every_answered_tap_survives_kill_9(tmp_path: Path) -> None:
    with _box(tmp_path) as box:
        for _ in range(3):
            with Hand(tmp_path / "tray") as hand:
                for _ in range(10):
                    assert hand.press(ACTIVE)["signal"] == "admitted"
            box.kill()
            box.start()
        with Hand(tmp_path / "tray") as hand:
            assert hand.press(ACTIVE)["signal"] == "admitted"
        assert box.stop() == 0
    taps = box.taps()
    assert len(taps) == 31
    assert len({(tap.boot, tap.seq) for tap in taps}) == 31


def test_a_spool_that_breaks_while_open_is_mended_by_the_restart(tmp_path: Path) -> None:
    with _box(tmp_path) as box:
        with Hand(tmp_path / "tray") as hand:
            for _ in range(5):
                hand.press(ACTIVE)
        assert box.stop() == 0
        spool = box.state_dir / "spool.db"
        spool.write_bytes(b"\xff" * 100 + spool.read_bytes()[100:])
        box.start()
        assert wait_for(lambda: box.events("spool_salvaged"), what="the repair")[0]["taps"] == 5
        with Hand(tmp_path / "tray") as hand:
            assert hand.press(ACTIVE)["signal"] == "admitted"
        assert box.stop() == 0
    assert len(box.taps()) == 6


def test_a_tap_is_judged_and_shown_fast_and_the_log_names_no_card(tmp_path: Path) -> None:
    with _box(tmp_path) as box:
        with Hand(tmp_path / "tray") as hand:
            for _ in range(100):
                hand.press(ACTIVE)
        wait_for(lambda: len(box.events("tap")) == 100, what="a hundred lines")
        assert ACTIVE not in box.output
        waits = sorted(event["shown_ms"] for event in box.events("tap"))
        assert waits[50] < 50
        assert box.stop() == 0


def test_at_a_desk_every_card_is_read_and_none_is_refused(tmp_path: Path) -> None:
    with _box(tmp_path, purpose="desk") as box, Hand(tmp_path / "tray") as hand:
        for uid in (ACTIVE, "04FFFFFFFFFFFF", "08AABBCC"):
            assert hand.press(uid) == {"signal": "read", "reason": None}
    assert [(tap.uid, tap.decision, tap.reason) for tap in box.taps()] == [
        (uid, Decision.ADMITTED, None) for uid in (ACTIVE, "04FFFFFFFFFFFF", "08AABBCC")
    ]


def test_without_a_network_an_exit_is_held_by_the_list_of_an_earlier_hour(tmp_path: Path) -> None:
    permitted = "04A1B2C3D4E5F7"
    now = utc_now()
    hour = timedelta(hours=1)
    window, permit = Window(now - hour, now + hour), Permit(permitted, now - hour, now + hour)
    box = _box(tmp_path)
    box.give_cards(**{f"u{ACTIVE}": CardState.ACTIVE, f"u{permitted}": CardState.ACTIVE})
    kept = ExitList(box.state_dir / "exits.json")
    kept.apply(ExitPermits(now, 0, 1, [permit]))
    kept.apply(ExitsSnapshot("0123456789abcdef", 0, 1, now, [window], []))
    with box, Hand(tmp_path / "tray") as hand:
        assert hand.press(ACTIVE) == {"signal": "held", "reason": "held"}
        assert hand.press(permitted) == {"signal": "admitted", "reason": None}
        assert hand.press("04FFFFFFFFFFFF") == {"signal": "refused", "reason": "unknown"}
        assert box.stop() == 0
    assert [(tap.decision, tap.reason) for tap in box.taps()] == [
        (Decision.REFUSED, Refusal.HELD),
        (Decision.ADMITTED, None),
        (Decision.REFUSED, Refusal.UNKNOWN),
    ]

"""The played morning: a plan that is realistic, and a player that can be stopped."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_server.web.morning import MorningPlayer, PlannedTap, plan_morning
from tests.card_server.web.tray_reader import TrayReader
from tests.harness.waiting import wait_for

UIDS = [f"04{n:012X}" for n in range(600)]
GATES = ["gate-east", "gate-west"]


@given(second=st.integers(0, 59), seed=st.integers(0, 50))
def test_nearly_everybody_comes_once_and_a_few_late(second: int, seed: int) -> None:
    start = datetime(2026, 9, 1, 7, 20, second, tzinfo=UTC)
    plan = plan_morning(UIDS, GATES, start, seed)
    uids = [tap.uid for tap in plan.taps]
    assert len(set(uids)) == len(uids)
    assert 0.95 * len(UIDS) <= len(uids) < len(UIDS)
    times = [start + timedelta(seconds=tap.at_s) for tap in plan.taps]
    assert times == sorted(times)
    assert times[-1] - start < timedelta(seconds=120)
    late = [at for at in times if at >= plan.late_after + timedelta(minutes=1)]
    assert 0.02 * len(uids) < len(late) < 0.1 * len(uids)


def test_the_arrival_is_bell_shaped_and_shares_the_gates() -> None:
    taps = plan_morning(UIDS, GATES, datetime(2026, 9, 1, 7, 20, tzinfo=UTC), 1).taps
    fifths = [0] * 5
    for tap in taps:
        fifths[min(4, int(tap.at_s / (taps[-1].at_s / 5)))] += 1
    assert max(fifths[1:4]) > 3 * fifths[0]
    assert [tap.reader for tap in taps[:4]] == GATES * 2


def test_a_morning_goes_through_the_readers(tmp_path: Path) -> None:
    with TrayReader(tmp_path, "gate-in", refused={UIDS[3]: "lost"}) as reader:
        player = MorningPlayer(tmp_path)
        assert player.start([PlannedTap(0, uid, "gate-in") for uid in UIDS[:5]])
        wait_for(lambda: not player.progress.is_playing, what="the morning")
    assert reader.uids == UIDS[:5]
    assert (player.progress.done, player.progress.refused) == (5, 1)


def test_a_morning_can_be_stopped_and_plays_once_at_a_time(tmp_path: Path) -> None:
    with TrayReader(tmp_path, "gate-in") as reader:
        player = MorningPlayer(tmp_path)
        taps = [PlannedTap(0, UIDS[0], "gate-in"), PlannedTap(3600, UIDS[1], "gate-in")]
        assert player.start(taps)
        wait_for(lambda: player.progress.done == 1, what="the first tap")
        assert not player.start(taps)
        player.stop()
        assert not player.progress.is_playing
    assert reader.uids == UIDS[:1]


def test_a_morning_ends_when_no_reader_answers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    player = MorningPlayer(tmp_path)
    player.start([PlannedTap(0, uid, "gate-in") for uid in UIDS])
    wait_for(lambda: not player.progress.is_playing, what="the morning")
    assert player.progress.failed == 5
    assert "do not answer" in caplog.text

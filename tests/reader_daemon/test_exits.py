"""The held exits: who is held when, that doubt lets everybody out, and what outlives a restart."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_daemon import exits as exits_module
from reader_daemon.clocks import Uptime, uptime
from reader_daemon.exits import ExitList, Exits, Heard, Rule, is_clock_off
from schema.messages import ExitPermits, ExitsSnapshot, HeldCards, Permit, Window, utc_now

EIGHT = datetime(2026, 9, 1, 0, 0, tzinfo=UTC)
"""In Shanghai."""
MINUTE = timedelta(minutes=1)
ANNA, BEN, CARA = "04A1B2C3D4E5F6", "04A1B2C3D4E5F7", "5630F009"
VERSION = "0123456789abcdef"


def _window(begin: int, end: int) -> Window:
    """By minutes after eight."""
    return Window(EIGHT + begin * MINUTE, EIGHT + end * MINUTE)


def _permit(uid: str, begin: int, end: int) -> Permit:
    return Permit(uid, EIGHT + begin * MINUTE, EIGHT + end * MINUTE)


MORNING, AFTERNOON = _window(0, 240), _window(360, 500)
EXITS = Exits(
    VERSION,
    None,
    [MORNING, AFTERNOON],
    [HeldCards([MORNING], [BEN]), HeldCards([], [CARA])],
    [_permit(ANNA, 60, 90), _permit(ANNA, 370, 600)],
)


@pytest.mark.parametrize(
    ("uid", "minute", "is_held"),
    [
        (ANNA, -1, False),
        (ANNA, 0, True),
        (ANNA, 59, True),
        (ANNA, 60, False),
        (ANNA, 89, False),
        (ANNA, 90, True),
        (ANNA, 239, True),
        (ANNA, 240, False),
        (ANNA, 300, False),
        (ANNA, 360, True),
        (ANNA, 370, False),
        (ANNA, 500, False),
        (BEN, 60, True),
        (BEN, 400, False),
        (CARA, 60, False),
        ("04FFFFFFFFFFFF", 60, True),
        (ANNA, 24 * 60, False),
    ],
)
def test_a_card_is_held_in_its_windows_but_for_its_permits(
    uid: str, minute: int, is_held: bool
) -> None:
    assert Rule(EXITS).holds(uid, EIGHT + minute * MINUTE) is is_held


_minutes = st.integers(-60, 3_000)
_windows = st.lists(
    st.tuples(_minutes, st.integers(1, 600)).map(lambda one: _window(one[0], sum(one))), max_size=4
)
_uids = st.sampled_from([ANNA, BEN, CARA])
_permits = st.lists(
    st.tuples(_uids, _minutes, st.integers(1, 600)).map(
        lambda one: _permit(one[0], one[1], one[1] + one[2])
    ),
    max_size=6,
)
_exits = st.builds(
    Exits,
    version=st.just(VERSION),
    heard=st.none(),
    others=_windows,
    held=st.builds(lambda of_ben: [HeldCards(of_ben, [BEN])], _windows),
    permits=_permits,
)


@given(_exits, _uids, _minutes)
def test_nobody_is_held_outside_windows_nor_within_a_permit(
    exits: Exits, uid: str, minute: int
) -> None:
    at = EIGHT + minute * MINUTE
    windows = exits.held[0].windows if uid == BEN else exits.others
    may = [one for one in exits.permits if one.uid == uid]
    assert Rule(exits).holds(uid, at) is (_covers(windows, at) and not _covers(may, at))


@given(_exits, _uids, st.integers(0, 100_000))
def test_a_list_that_is_older_than_its_days_holds_nobody(
    exits: Exits, uid: str, later: int
) -> None:
    windows = [*exits.others, *exits.held[0].windows]
    last = max((one.until_at for one in windows), default=EIGHT)
    assert not Rule(exits).holds(uid, last + later * MINUTE)


def _covers(stretches: Sequence[Window | Permit], at: datetime) -> bool:
    return any(one.from_at <= at < one.until_at for one in stretches)


@pytest.mark.parametrize(
    ("wall_s", "uptime_s", "boot", "is_off"),
    [
        (0, 0, "a", False),
        (60, 60, "a", False),
        (119, 0, "a", False),
        (121, 0, "a", True),
        (-121, 0, "a", True),
        (3_600, 3_600, "a", False),
        (3_600, 7_200, "a", True),
        (-60, 5, "b", False),
        (-121, 5, "b", True),
        (86_400, 5, "b", False),
    ],
)
def test_a_clock_is_off_when_it_differs_from_the_server_by_over_two_minutes(
    wall_s: float, uptime_s: float, boot: str, is_off: bool
) -> None:
    heard = Heard(EIGHT, EIGHT, Uptime("a", 1_000))
    now = Uptime(boot, 1_000 + uptime_s if boot == "a" else uptime_s)
    assert is_clock_off(heard, EIGHT + timedelta(seconds=wall_s), now) is is_off


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "exits.json"


def _around(now: datetime) -> Window:
    return Window(now - 5 * MINUTE, now + 5 * MINUTE)


def _snapshot(now: datetime, sent_at: datetime | None = None) -> ExitsSnapshot:
    return ExitsSnapshot(VERSION, 0, 1, sent_at or now, [_around(now)], [HeldCards([], [BEN])])


def test_a_reader_without_a_list_holds_nobody(path: Path) -> None:
    assert not ExitList(path).holds(ANNA, utc_now())


def test_a_list_counts_once_all_parts_are_there_in_any_order(path: Path) -> None:
    now, exits = utc_now(), ExitList(path)
    parts = [
        ExitsSnapshot(VERSION, part, 2, now, [_around(now)], [HeldCards([], [uid])])
        for part, uid in enumerate([BEN, CARA])
    ]
    assert not exits.apply(parts[1])
    assert not exits.apply(parts[1])
    assert not exits.holds(ANNA, now)
    assert exits.apply(parts[0])
    assert [exits.holds(uid, now) for uid in (ANNA, BEN, CARA)] == [True, False, False]


def test_permits_take_the_place_of_those_before(path: Path) -> None:
    now, exits = utc_now(), ExitList(path)
    exits.apply(_snapshot(now))
    assert not exits.apply(ExitPermits(now, 0, 1, [Permit(ANNA, now - MINUTE, now + MINUTE)]))
    assert not exits.holds(ANNA, now)
    assert exits.holds(CARA, now)
    exits.apply(ExitPermits(now + MINUTE, 1, 2, [Permit(CARA, now, now + MINUTE)]))
    assert not exits.holds(ANNA, now)
    exits.apply(ExitPermits(now + MINUTE, 0, 2, []))
    assert exits.holds(ANNA, now)
    assert not exits.holds(CARA, now)


def test_the_list_and_its_permits_are_there_after_a_restart(path: Path) -> None:
    now, exits = utc_now(), ExitList(path)
    exits.apply(ExitPermits(now, 0, 1, [Permit(ANNA, now - MINUTE, now + MINUTE)]))
    exits.apply(_snapshot(now))
    again = ExitList(path)
    assert again.exits == exits.exits
    assert [again.holds(uid, now) for uid in (ANNA, BEN, CARA)] == [False, False, True]


def test_a_list_that_says_nobody_ends_every_hold(path: Path) -> None:
    now, exits = utc_now(), ExitList(path)
    exits.apply(_snapshot(now))
    assert exits.apply(ExitsSnapshot("", 0, 1, now, [], []))
    assert not exits.holds(ANNA, now)
    assert ExitList(path).exits.version == ""


@pytest.mark.parametrize("minutes", [-3, 3])
def test_a_clock_that_the_server_shows_to_be_wrong_holds_nobody(path: Path, minutes: int) -> None:
    now, exits = utc_now(), ExitList(path)
    exits.apply(_snapshot(now, sent_at=now + minutes * MINUTE))
    assert not exits.holds(ANNA, now)
    exits.apply(ExitPermits(utc_now(), 0, 1, []))
    assert exits.holds(ANNA, now)


def test_a_clock_that_was_moved_since_holds_nobody(path: Path) -> None:
    now, exits = utc_now(), ExitList(path)
    exits.apply(_snapshot(now))
    assert exits.holds(ANNA, now)
    assert not exits.holds(ANNA, now + 3 * MINUTE)


def test_that_nothing_is_new_is_written_to_disk_once_an_hour(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Exits] = []
    monkeypatch.setattr(exits_module, "write_file", lambda _, exits: written.append(exits))
    now, exits = utc_now(), ExitList(path)
    exits.apply(_snapshot(now))
    for minutes in (1, 30, 59, 61, 62):
        exits.apply(ExitPermits(now + minutes * MINUTE, 0, 1, []))
    assert [one.heard.server_at for one in written if one.heard] == [now, now + 61 * MINUTE]


def test_a_torn_file_leaves_the_version_before_it(path: Path) -> None:
    now, exits = utc_now(), ExitList(path)
    exits.apply(_snapshot(now))
    exits.apply(ExitPermits(now, 0, 1, [Permit(ANNA, now, now + MINUTE)]))
    path.write_bytes(path.read_bytes()[:-5])
    assert ExitList(path).exits.permits == []
    assert ExitList(path).exits.version == VERSION


def test_a_disk_that_takes_nothing_leaves_the_list_in_memory(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    exits = ExitList(folder / "exits.json")
    folder.rmdir()
    exits.apply(_snapshot(utc_now()))
    assert exits.holds(ANNA, utc_now())
    assert exits.failure
    folder.mkdir()
    exits.apply(ExitPermits(utc_now(), 0, 1, []))
    assert exits.failure is None


def test_what_is_kept_is_what_was_said() -> None:
    exits = msgspec.structs.replace(EXITS, heard=Heard(EIGHT, EIGHT, uptime()))
    assert msgspec.json.decode(msgspec.json.encode(exits), type=Exits) == exits

"""A record: proves itself, and knows how far the wall clock was moved since."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_daemon.clocks import Uptime, clock_step_s, uptime
from reader_daemon.record import Kept, find_records, pack, unpack
from schema.messages import Decision, Tap

AT = datetime(2026, 9, 1, 7, 30, tzinfo=UTC)
TAP = Tap(UUID(int=1), 5, 1, "04A1B2C3D4E5F6", AT, Decision.ADMITTED)
KEPT = Kept(TAP, Uptime("boot-a", 1000.0))


def test_a_record_comes_back_whole() -> None:
    assert unpack(pack(KEPT)) == KEPT


@given(st.integers(0, len(pack(KEPT)) * 8 - 1))
def test_one_wrong_bit_anywhere_is_noticed(bit: int) -> None:
    data = bytearray(pack(KEPT))
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ValueError, match="record"):
        unpack(bytes(data))


@given(st.binary(max_size=50), st.binary(max_size=50), st.integers(0, 100))
def test_whole_records_are_found_in_any_rubble(before: bytes, after: bytes, cut: int) -> None:
    whole = pack(KEPT)
    rubble = before + whole[:cut] + whole + after + whole[cut + 1 :]
    assert set(map(pack, find_records(rubble))) == {whole}


@pytest.mark.parametrize(
    ("wall_s", "kernel_s", "step"),
    [(60, 60, 0), (60.05, 60, 0), (3660, 60, 3600), (60 - 3600, 60, -3600)],
)
def test_a_moved_wall_clock_shows_against_the_kernels(
    wall_s: float, kernel_s: float, step: float
) -> None:
    now = Uptime("boot-a", KEPT.kept_at.seconds + kernel_s)
    assert KEPT.as_sent(AT.timestamp() + wall_s, now).clock_step_s == step


def test_after_another_start_of_the_machine_nobody_can_tell() -> None:
    assert KEPT.as_sent(AT.timestamp() + 9e5, Uptime("boot-b", 5.0)) is TAP


def test_the_kernels_clock_goes_on() -> None:
    first, second = uptime(), uptime()
    assert first.os_boot == second.os_boot
    assert clock_step_s(0, first, second.seconds - first.seconds, second) == 0

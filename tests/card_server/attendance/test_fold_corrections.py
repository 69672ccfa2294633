"""What staff say of a day stands over what its taps say: each rule as a line of a table."""

import pytest

from card_server.attendance.facts import Corrected, Standing
from card_server.attendance.fold import judge_day
from schema.tables.attendance import SessionStatus
from schema.tables.leave import LeaveKind
from tests.card_server.attendance.day_text import TWO, facts, sessions_of


def corrected(
    number: int, position: int, status: SessionStatus, minutes: int | None = None
) -> Corrected:
    return Corrected(number, position, status, minutes=minutes)


_S = SessionStatus


@pytest.mark.parametrize(
    ("taps", "corrections", "told"),
    [
        ("", [corrected(1, 1, _S.PRESENT)], "present corrected; absent"),
        ("", [corrected(1, 0, _S.PRESENT)], "present corrected; present corrected"),
        (
            "",
            [corrected(1, 1, _S.ABSENT), corrected(2, 0, _S.PRESENT)],
            "present corrected; present corrected",
        ),
        (
            "",
            [corrected(2, 1, _S.LATE), corrected(1, 0, _S.PRESENT)],
            "late corrected; present corrected",
        ),
        ("in 08:10 out 11:40", [corrected(1, 1, _S.PRESENT)], "present corrected; absent"),
        ("in 07:31 out 11:20", [corrected(1, 1, _S.PRESENT)], "present corrected; absent"),
        ("in 08:10 out 11:40", [corrected(1, 1, _S.LATE)], "late 10 corrected; absent"),
        ("in 08:10 out 11:20", [corrected(1, 1, _S.LEFT_EARLY)], "left_early 10 corrected; absent"),
        ("in 09:00 out 11:40", [corrected(1, 1, _S.ABSENT)], "absent corrected; absent"),
        ("", [corrected(1, 1, _S.LATE, 12)], "late 12 corrected; absent"),
        ("in 08:10 out 11:40", [corrected(1, 1, _S.LATE, 12)], "late 12 corrected; absent"),
        ("in 07:31 out 11:40", [corrected(1, 1, _S.LATE, 12)], "late 12 corrected; absent"),
        (
            "in 08:10 out 11:20",
            [corrected(1, 1, _S.LATE, 12)],
            "late 12 early 10 corrected; absent",
        ),
        ("", [corrected(1, 2, _S.LEFT_EARLY, 30)], "absent; left_early 30 corrected"),
        (
            "in 08:10 out 11:20",
            [corrected(1, 1, _S.LEFT_EARLY, 5)],
            "left_early 5 corrected; absent",
        ),
        ("", [corrected(1, 1, _S.PRESENT, 12)], "present corrected; absent"),
        (
            "",
            [corrected(1, 1, _S.LATE, 12), corrected(2, 1, _S.LATE)],
            "late corrected; absent",
        ),
        ("in 07:31", [corrected(1, 7, _S.ABSENT)], "present; present"),
    ],
)
def test_what_staff_say_stands_over_what_taps_say(
    taps: str, corrections: list[Corrected], told: str
) -> None:
    assert sessions_of(facts(taps, TWO, corrections=corrections)) == told
    assert sessions_of(facts(taps, TWO, corrections=corrections[::-1])) == told


def test_the_tap_of_who_is_late_by_so_many_minutes_says_the_same() -> None:
    late = judge_day(facts("in 08:10", corrections=[corrected(1, 1, _S.LATE, 12)]))
    assert [tap.late_minutes for tap in late.taps] == [12]
    in_time = judge_day(facts("in 07:31", corrections=[corrected(1, 1, _S.LATE, 12)]))
    assert [tap.late_minutes for tap in in_time.taps] == [0]


def test_a_correction_needs_no_waiting_and_says_the_kind_of_leave() -> None:
    sick = Corrected(1, 0, _S.ON_LEAVE, LeaveKind.SICK)
    early = facts("", corrections=[sick], now="06:00", reported=None)
    assert sessions_of(early) == "on_leave (sick) corrected"
    present = [corrected(1, 0, _S.PRESENT)]
    for standing in Standing:
        told = sessions_of(facts("", corrections=present, standing=standing))
        assert told == "present corrected"

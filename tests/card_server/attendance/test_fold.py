"""A student's day: each rule as a line of a table."""

import pytest

from card_server.attendance.facts import DayPlan, Finding, Standing
from card_server.attendance.fold import judge_day
from schema.tables.attendance import SessionStatus
from schema.tables.calendar import DayKind
from tests.card_server.attendance.day_text import (
    AFTERNOON,
    CLOSED,
    DAY,
    EVENING,
    MORNING,
    ONE,
    RETURN,
    THREE,
    TWO,
    at,
    clock_time,
    facts,
    findings_of,
    session,
    sessions_of,
)

BOARDER, EXEMPT = Standing.BOARDER, Standing.EXEMPT


@pytest.mark.parametrize(
    ("taps", "told"),
    [
        ("in 07:31 out 11:40", "present"),
        ("in 08:00:59 out 11:40", "present"),
        ("in 08:01:00 out 11:40", "late 1"),
        ("in 08:10:59 out 11:40", "late 10"),
        ("in 08:30:59 out 11:40", "late 30"),
        ("in 08:31:00 out 11:40", "absent 31"),
        ("in 11:39:59", "absent 210"),
        ("in 11:40", "absent"),
        ("", "absent"),
        ("in 07:31 out 07:50", "absent"),
        ("in 07:31 out 08:00:30", "absent"),
        ("in 07:31 out 07:50 in 08:05", "late 5"),
        ("in 07:31 out 11:29:30", "left_early 1"),
        ("in 07:31 out 11:30:00", "present"),
        ("in 07:31 out 11:00", "left_early 30"),
        ("in 07:31 out 10:59:59", "left_early 31"),
        ("in 08:10 out 11:25", "late 10 early 5"),
        ("in 07:31 out 09:00 in 09:20 out 11:40", "present"),
        ("in 07:31 out 09:00 in 09:20 out 11:25", "left_early 5"),
        ("in 07:31 out 11:25 in 11:35", "present"),
        ("in 07:31 out 11:25 in 11:45", "left_early 5"),
        ("out 11:45", "absent"),
    ],
)
def test_a_session_of_a_day_student(taps: str, told: str) -> None:
    assert sessions_of(facts(taps)) == told


@pytest.mark.parametrize(
    ("taps", "now", "reported", "told"),
    [
        ("", "06:00", "06:00", "not_judged not_due"),
        ("", "08:30:59", "08:30:59", "not_judged not_due"),
        ("", "08:31", "08:30:59", "not_judged gate_dark"),
        ("", "08:31", "08:31", "absent"),
        ("", "12:00", "08:31", "absent"),
        ("", "12:00", None, "not_judged gate_dark"),
        ("", "08:10", "12:00", "not_judged not_due"),
        ("in 09:00", "09:00", "08:30", "not_judged gate_dark"),
        ("in 09:00", "09:00", "08:31", "absent 60"),
        ("in 06:00", "06:10", None, "not_judged not_due"),
        ("in 06:00", "06:30", None, "present"),
        ("in 06:31", "06:29", None, "present"),
        ("in 07:31", "07:31", None, "present"),
        ("in 07:31 out 07:50", "07:50", None, "not_judged not_due"),
        ("in 08:10", "08:10", None, "late 10"),
        ("in 07:31 out 09:00", "09:01", None, "left_early 150"),
    ],
)
def test_as_far_as_a_day_is_known(taps: str, now: str, reported: str | None, told: str) -> None:
    assert sessions_of(facts(taps, now=now, reported=reported)) == told


@pytest.mark.parametrize(
    ("taps", "told"),
    [
        ("in 07:31 out 11:40 in 13:40 out 17:15", "present; present"),
        ("in 07:31 out 17:15", "present; present"),
        ("in 07:31", "present; present"),
        ("in 07:31 out 11:40", "present; absent"),
        ("in 13:40 out 17:15", "absent; present"),
        ("in 07:31 out 13:30", "present; absent"),
        ("in 07:31 out 15:00", "present; left_early 120"),
        ("in 07:31 out 11:20", "left_early 10; absent"),
        ("in 09:00 out 17:15", "absent 60; present"),
    ],
)
def test_sessions_of_a_day_are_judged_each_by_itself(taps: str, told: str) -> None:
    assert sessions_of(facts(taps, TWO)) == told


def test_who_is_inside_before_a_session_begins_is_not_yet_present_in_it() -> None:
    assert sessions_of(facts("in 07:31", TWO, now="10:00")) == "present; not_judged not_due"
    assert sessions_of(facts("in 07:31", TWO, now="13:00")) == "present; present"
    on_leave = facts("in 07:31", TWO, leave="00:00-24:00 sick", now="10:00")
    assert sessions_of(on_leave) == "present (sick); on_leave (sick)"


def test_where_no_entry_is_expected_whoever_is_inside_is_present() -> None:
    study = session(2, "11:40 12:00 12:10 13:00 13:00", expects_entry=False, expects_exit=False)
    plan = DayPlan(DayKind.LESSONS, (MORNING, study))
    assert sessions_of(facts("in 07:31 out 13:05", plan)) == "present; present"
    assert sessions_of(facts("in 07:31 out 11:45", plan)) == "present; absent"
    assert sessions_of(facts("in 07:31 out 11:45 in 12:05", plan)) == "present; late 5"


@pytest.mark.parametrize(
    ("leave", "taps", "told"),
    [
        # All of it.
        ("00:00-24:00 sick", "", "on_leave (sick)"),
        ("08:00-11:30 personal", "", "on_leave (personal)"),
        ("07:00-09:00 sick, 09:00-12:00 personal", "", "on_leave (sick)"),
        ("07:00-10:00 sick, 09:00-12:00 sick", "", "on_leave (sick)"),
        ("00:00-24:00 sick", "in 07:31 out 11:40", "present (sick)"),
        ("00:00-24:00 sick", "in 08:10 out 11:40", "on_leave (sick)"),
        ("00:00-24:00 sick", "in 07:31 out 11:00", "on_leave (sick)"),
        ("00:00-24:00 sick", "in 07:31 out 09:00 in 09:10", "on_leave (sick)"),
        # The begin.
        ("07:00-09:30 sick", "in 09:30:59", "present (sick)"),
        ("07:00-09:30 sick", "in 09:40", "late 10 (sick)"),
        ("07:00-09:30 sick", "in 10:00:59", "late 30 (sick)"),
        ("07:00-09:30 sick", "in 10:01", "absent 31 (sick)"),
        ("07:00-09:30 sick", "", "absent (sick)"),
        ("07:00-09:30 sick", "in 07:31 out 08:30 in 09:50", "present (sick)"),
        ("07:00-09:30 sick", "in 08:10 out 08:30", "left_early 120 (sick)"),
        ("07:00-08:00 sick", "in 08:05", "late 5"),
        # The end.
        ("10:00-12:00 official", "in 07:31 out 10:00", "present (official)"),
        ("10:00-12:00 official", "in 07:31 out 09:55", "left_early 5 (official)"),
        ("10:00-12:00 official", "in 08:10 out 10:00", "late 10 (official)"),
        ("10:00-12:00 official", "", "absent (official)"),
        ("08:10-12:00 official", "in 08:25", "late 10 (official)"),
        # Begin and end.
        ("07:00-09:00 sick, 10:00-12:00 official", "in 08:55 out 10:05", "present (sick)"),
        ("07:00-09:00 sick, 10:00-12:00 official", "in 09:05 out 09:50", "late 5 early 10 (sick)"),
        # The middle.
        ("09:00-10:00 sick", "in 07:31 out 09:05 in 09:55", "present (sick)"),
        ("09:00-10:00 sick", "in 07:31 out 09:05", "left_early 90 (sick)"),
        ("09:00-10:00 sick", "in 07:31 out 08:30", "left_early 180 (sick)"),
        # Another time of the day.
        ("13:00-24:00 sick", "in 08:10", "late 10"),
        ("11:30-24:00 sick", "in 07:31 out 11:00", "left_early 30"),
    ],
)
def test_leave_takes_its_part_of_a_session(leave: str, taps: str, told: str) -> None:
    assert sessions_of(facts(taps, leave=leave)) == told


def test_leave_that_ends_in_mid_session_moves_when_absence_is_judged() -> None:
    leave = "07:00-09:30 sick"
    waits = facts("", leave=leave, now="10:00", reported="10:00")
    assert sessions_of(waits) == "not_judged not_due (sick)"
    assert sessions_of(facts("", leave=leave, now="10:01", reported="10:01")) == "absent (sick)"


def test_who_is_out_on_leave_has_not_left_early_while_it_lasts() -> None:
    away = facts("in 07:31 out 09:05", leave="09:00-10:00 sick", now="09:30")
    assert sessions_of(away) == "present (sick)"
    back_late = facts("in 07:31 out 09:05", leave="09:00-10:00 sick", now="10:00")
    assert sessions_of(back_late) == "left_early 90 (sick)"


def test_half_a_day_of_leave_and_half_a_day_there_have_both_their_due() -> None:
    assert sessions_of(facts("in 13:40", TWO, leave="00:00-12:00 sick")) == (
        "on_leave (sick); present"
    )
    assert sessions_of(facts("in 07:31 out 11:40", TWO, leave="12:00-24:00 personal")) == (
        "present; on_leave (personal)"
    )
    mid_session = facts("in 15:10", TWO, leave="00:00-15:00 sick")
    assert sessions_of(mid_session) == "on_leave (sick); late 10 (sick)"


def test_which_kind_is_told_does_not_hang_on_the_order_of_slips() -> None:
    one = facts("", leave="07:00-09:00 sick, 09:00-12:00 personal")
    other = facts("", leave="09:00-12:00 personal, 07:00-09:00 sick")
    assert judge_day(one) == judge_day(other)


@pytest.mark.parametrize(
    ("taps", "leave", "found"),
    [
        ("in 07:31 out 11:40", "", ""),
        ("in 07:31 in 09:00 out 11:40", "", "missed_exit"),
        ("out 11:40", "", "missed_entry"),
        ("in 07:31 out 11:40 out 11:45", "", "missed_entry"),
        ("in 07:31 in 07:31:40 out 11:40", "", ""),
        ("in 07:31 out 09:00 in 09:20 out 11:40", "", "left_and_back"),
        ("in 07:31 out 09:00 in 09:20 out 11:40", "08:50-09:30 sick", ""),
        ("in 07:31 out 08:55 in 09:20 out 11:40", "08:50-09:20 sick", ""),
        ("in 07:31 out 08:55 in 09:20 out 11:40", "08:50-09:10 sick, 09:10-09:20 sick", ""),
        ("in 07:31 out 08:55 in 09:21 out 11:40", "08:50-09:20 sick", "left_and_back"),
        ("in 07:31 out 08:45 in 09:20 out 11:40", "08:50-09:30 sick", "left_and_back"),
        ("in 07:31 out 11:35 in 11:38 out 11:50", "", ""),
        ("in 07:31 out 07:45 in 07:55 out 11:40", "", ""),
        ("in 07:31 out 11:40 in 12:00 out 12:20", "", ""),
        ("in 09:00 out 11:40", "00:00-24:00 sick", "unexpected"),
        ("in 15:00 out 16:00", "00:00-24:00 sick", ""),
        ("in 09:40 out 11:40", "00:00-09:30 sick", ""),
        ("in? 07:31 out 11:40", "", "clock_suspect"),
        ("in 07:31 in? 09:00 out 11:40", "", "clock_suspect"),
        ("out? 11:40", "", "clock_suspect"),
        ("in? 07:31 in 09:00 out 11:40", "", "clock_suspect"),
        ("in 07:31 out? 09:00 in 09:20 out 11:40", "", "clock_suspect"),
        ("in 07:31 out 09:00 in? 09:20 out 11:40", "", "clock_suspect"),
        ("in 07:31 in 09:00 out 09:30 in 09:40 out 10:00 out 10:30", "",
         "missed_entry missed_exit left_and_back"),
    ],
)  # fmt: skip
def test_what_is_odd_about_a_day(taps: str, leave: str, found: str) -> None:
    assert findings_of(facts(taps, leave=leave)) == found


@pytest.mark.parametrize(
    ("taps", "told"),
    [
        ("in? 07:31 out 11:40", "present"),
        ("in? 08:10 out 11:40", "present"),
        ("in? 10:00 out 11:40", "present"),
        ("in? 11:40", "absent"),
        ("in 07:31 out? 09:00", "present"),
        ("in 07:31 out? 07:40", "present"),
        ("in 07:31 out? 09:00 in 09:20 out 11:00", "left_early 30"),
        ("in 08:10 out? 09:00", "late 10"),
        ("in? 08:10 out 11:00", "left_early 30"),
    ],
)
def test_a_time_that_may_be_wrong_makes_nobody_late_early_or_absent(taps: str, told: str) -> None:
    assert sessions_of(facts(taps)) == told


def test_a_suspect_exit_shows_that_the_student_is_outside_all_the_same() -> None:
    day = judge_day(facts("in 07:31 out? 09:00", TWO))
    assert (day.is_inside, clock_time(day.departed_at)) == (False, "09:00")
    assert day.sessions[1].status is SessionStatus.ABSENT


@pytest.mark.parametrize(
    ("taps", "was_inside", "leave", "told"),
    [
        ("", True, "", "present; present; present"),
        ("out 07:00 in 21:00", True, "", "not_expected; not_expected; not_expected"),
        ("out 12:00 in 18:00", True, "", "present; not_expected; present"),
        ("in 10:00", False, "", "present; present; present"),
        ("", False, "00:00-24:00 sick", "on_leave (sick); on_leave (sick); on_leave (sick)"),
        ("in 18:00", False, "00:00-14:30 sick", "on_leave (sick); on_leave (sick); present"),
        ("out 10:00", True, "10:00-12:00 sick", "present (sick); not_expected; not_expected"),
    ],
)
def test_a_boarder_is_there_or_not_but_never_absent(
    taps: str, was_inside: bool, leave: str, told: str
) -> None:
    known = facts(taps, THREE, was_inside=was_inside, leave=leave, standing=BOARDER)
    assert sessions_of(known) == told


def test_a_boarder_is_not_present_in_a_session_to_come() -> None:
    known = facts("", THREE, was_inside=True, standing=BOARDER, now="10:00")
    assert sessions_of(known) == "present; not_expected; not_expected"


@pytest.mark.parametrize(
    ("taps", "leave", "now", "told"),
    [
        ("in 17:00", "", "21:00", "present"),
        ("in 18:30:30", "", "21:00", "present"),
        ("in 18:40", "", "21:00", "absent"),
        ("", "", "21:00", "absent"),
        ("", "", "15:00", "not_judged not_due"),
        ("", "12:00-24:00 sick", "15:00", "on_leave (sick)"),
    ],
)
def test_boarders_are_judged_on_their_return_and_day_students_are_not(
    taps: str, leave: str, now: str, told: str
) -> None:
    sunday = DayPlan(DayKind.CLOSED, (RETURN,))
    boarder = facts(taps, sunday, leave=leave, now=now, reported=now, standing=BOARDER)
    assert sessions_of(boarder) == told
    for standing in (Standing.DAY, EXEMPT):
        assert not judge_day(facts(taps, sunday, leave=leave, standing=standing)).sessions


def test_nothing_is_expected_of_an_exempt_student_whose_taps_are_followed() -> None:
    day = judge_day(facts("in 09:00", TWO, standing=EXEMPT))
    assert [result.status for result in day.sessions] == [SessionStatus.NOT_EXPECTED] * 2
    assert (day.is_inside, clock_time(day.arrived_at)) == (True, "09:00")


@pytest.mark.parametrize(
    ("standing", "taps", "found"),
    [
        (Standing.DAY, "in 09:00 out 10:00", (Finding.UNEXPECTED,)),
        (Standing.DAY, "", ()),
        (Standing.DAY, "in? 09:00 out? 10:00", (Finding.CLOCK_SUSPECT,)),
        (BOARDER, "in 09:00 out 10:00", ()),
        (EXEMPT, "in 09:00 out 10:00", ()),
    ],
)
def test_who_comes_on_a_closed_day_was_not_expected(
    standing: Standing, taps: str, found: tuple[Finding, ...]
) -> None:
    day = judge_day(facts(taps, CLOSED, standing=standing))
    assert (day.sessions, day.findings) == ((), found)


def test_a_day_of_lessons_whose_hours_nobody_has_settled_expects_nothing_and_finds_nothing() -> (
    None
):
    day = judge_day(facts("in 09:00 out 10:00", DayPlan(DayKind.LESSONS)))
    assert (day.sessions, day.findings) == ((), ())


def test_half_days_and_exams_are_judged_by_the_plan_of_the_day() -> None:
    half = DayPlan(DayKind.LESSONS, (MORNING,))
    assert sessions_of(facts("in 07:31 out 11:40", half)) == "present"
    exam = DayPlan(DayKind.EXAM, (session(1, "07:00 07:45 08:00 10:30 10:30"),))
    # One grade has its exam: the same taps are in time for the others.
    assert sessions_of(facts("in 07:50 out 10:30", exam)) == "late 5"
    assert sessions_of(facts("in 07:50 out 10:30", ONE)) == "left_early 60"


@pytest.mark.parametrize(
    ("taps", "standing", "now", "is_inside", "closed", "since"),
    [
        ("in 07:31", Standing.DAY, "21:59", True, "never", "07:31"),
        ("in 07:31", Standing.DAY, "22:00", False, "22:00", "22:00"),
        ("in 07:31", EXEMPT, "22:00", False, "22:00", "22:00"),
        ("in 07:31", BOARDER, "23:59", True, "never", "07:31"),
        ("in 07:31", Standing.EXEMPT_BOARDER, "23:59", True, "never", "07:31"),
        ("in 07:31 out 17:15", Standing.DAY, "23:00", False, "never", "17:15"),
        ("in 07:31 out 22:30", Standing.DAY, "23:00", False, "never", "22:30"),
        ("in 07:31 tap 22:30", Standing.DAY, "23:00", False, "never", "22:30"),
        ("in 22:30", Standing.DAY, "23:00", True, "never", "22:30"),
        ("in 22:30", Standing.DAY, "24:00", False, "00:00", "00:00"),
        ("", Standing.DAY, "23:00", False, "never", "never"),
    ],
)
def test_the_school_closes_upon_who_forgot_the_exit(
    taps: str, standing: Standing, now: str, is_inside: bool, closed: str, since: str
) -> None:
    day = judge_day(facts(taps, standing=standing, now=now))
    assert (day.is_inside, clock_time(day.closed_at)) == (is_inside, closed)
    assert clock_time(day.since_at) == since
    assert (Finding.FORGOTTEN_EXIT in day.findings) is (closed != "never")
    if closed != "never":
        assert (day.departed_at, day.since_reader_id) == (None, 1)


def test_a_card_that_is_replaced_on_the_day_changes_nothing() -> None:
    # Passings are a student's: which card was held stands nowhere in them.
    day = judge_day(facts("in 07:31 out 11:40 in 13:40 out 17:15", TWO))
    assert [tap.effect.value for tap in day.taps] == ["arrival", "departure"] * 2
    assert (clock_time(day.arrived_at), clock_time(day.departed_at)) == ("07:31", "17:15")


def test_a_tap_half_a_minute_after_midnight_belongs_to_the_new_day() -> None:
    home = judge_day(facts("out 00:00:30", was_inside=True, standing=BOARDER))
    assert (home.is_inside, clock_time(home.departed_at), home.findings) == (False, "00:00", ())
    in_at_night = facts("tap 00:00:30", now="12:00")
    assert sessions_of(in_at_night) == "present"
    assert judge_day(in_at_night).arrived_at == at("00:00:30", DAY)


def test_a_guards_word_counts_as_a_tap_and_is_none() -> None:
    day = judge_day(facts("hand-in 08:10 out 11:40"))
    assert [result.late_minutes for result in day.sessions] == [10]
    assert len(day.taps) == 1
    last = judge_day(facts("hand-in 08:10"))
    assert (last.since_reader_id, clock_time(last.since_at)) == (0, "08:10")


def test_evening_study_after_a_break_on_campus() -> None:
    plan = DayPlan(DayKind.LESSONS, (AFTERNOON, EVENING))
    assert sessions_of(facts("in 13:30 out 20:45", plan)) == "present; present"
    assert sessions_of(facts("in 13:30 out 17:20 in 19:05 out 20:45", plan)) == "present; late 5"

"""Sessions for day students or for boarders alone: nothing is expected in them of the others."""

import pytest
from msgspec.structs import replace

from card_server.attendance.facts import ALL_DAY, Corrected, DayPlan, Standing
from card_server.attendance.fold import judge_day
from schema.tables.attendance import SessionStatus
from schema.tables.calendar import DayKind, ForWhom
from schema.tables.readers import Direction
from tests.card_server.attendance.day_text import (
    AFTERNOON,
    EVENING,
    MORNING,
    THREE,
    facts,
    findings_of,
    sessions_of,
)

BOARDER, EXEMPT = Standing.BOARDER, Standing.EXEMPT
_FOR_BOARDERS = DayPlan(
    DayKind.LESSONS, (MORNING, AFTERNOON, replace(EVENING, for_whom=ForWhom.BOARDERS))
)
_FOR_DAY_STUDENTS = DayPlan(
    DayKind.LESSONS, (MORNING, AFTERNOON, replace(EVENING, for_whom=ForWhom.DAY_STUDENTS))
)


@pytest.mark.parametrize(
    ("standing", "plan", "taps", "told"),
    [
        (Standing.DAY, THREE, "in 07:31 out 17:00", "present; present; absent"),
        (Standing.DAY, _FOR_BOARDERS, "in 07:31 out 17:00", "present; present; not_expected"),
        (Standing.DAY, _FOR_BOARDERS, "in 07:31 out 19:30", "present; present; not_expected"),
        (Standing.DAY, _FOR_BOARDERS, "in 19:10 out 20:00", "absent; absent; not_expected"),
        (Standing.DAY, _FOR_BOARDERS, "", "absent; absent; not_expected"),
        (Standing.DAY, _FOR_DAY_STUDENTS, "in 07:31 out 17:00", "present; present; absent"),
        (Standing.DAY, _FOR_DAY_STUDENTS, "in 19:10", "absent; absent; late 10"),
        (BOARDER, _FOR_BOARDERS, "in 07:31", "present; present; present"),
        (BOARDER, _FOR_BOARDERS, "in 07:31 out 17:30", "present; present; not_expected"),
        (BOARDER, _FOR_DAY_STUDENTS, "in 07:31", "present; present; not_expected"),
        (EXEMPT, _FOR_BOARDERS, "", "not_expected; not_expected; not_expected"),
    ],
)
def test_of_whom_a_session_is_not_nothing_is_expected_in_it(
    standing: Standing, plan: DayPlan, taps: str, told: str
) -> None:
    assert sessions_of(facts(taps, plan, standing=standing)) == told


@pytest.mark.parametrize(
    ("standing", "told"), [(Standing.DAY, "not_expected"), (BOARDER, "on_leave (sick)")]
)
def test_leave_over_the_evening_is_leave_of_boarders_alone(standing: Standing, told: str) -> None:
    known = facts("in 07:31 out 17:30", _FOR_BOARDERS, leave="18:00-24:00 sick", standing=standing)
    assert sessions_of(known).rsplit("; ", 1)[1] == told


def test_out_and_in_again_in_an_evening_for_boarders_is_no_finding_of_a_day_student() -> None:
    taps = "in 07:31 out 19:30 in 19:40 out 19:50"
    assert findings_of(facts(taps, THREE)) == "left_and_back"
    assert findings_of(facts(taps, _FOR_BOARDERS)) == ""


@pytest.mark.parametrize(
    ("position", "told"),
    [
        (ALL_DAY, "absent corrected; absent corrected; not_expected"),
        (3, "present; present; absent corrected"),
    ],
)
def test_what_staff_say_of_the_whole_day_leaves_sessions_of_others_alone(
    position: int, told: str
) -> None:
    said = [Corrected(1, position, SessionStatus.ABSENT)]
    known = facts("in 07:31 out 17:00", _FOR_BOARDERS, corrections=said)
    assert sessions_of(known) == told


@pytest.mark.parametrize(
    ("standing", "plan", "ways"),
    [
        (Standing.DAY, _FOR_BOARDERS, [Direction.OUT, Direction.IN]),
        (Standing.DAY, THREE, [Direction.IN, Direction.OUT]),
    ],
)
def test_who_has_no_evening_study_goes_out_before_it(
    standing: Standing, plan: DayPlan, ways: list[Direction]
) -> None:
    """At a gate without a direction, having come in unseen; the afternoon goes over into it."""
    stays = replace(plan.sessions[1], expects_exit=False)
    plan = replace(plan, sessions=(plan.sessions[0], stays, plan.sessions[2]))
    day = judge_day(facts("tap 17:05 tap 17:40", plan, standing=standing))
    assert [tap.direction for tap in day.taps] == ways

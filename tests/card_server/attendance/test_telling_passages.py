"""Who is let in or out by hand: guardians hear of it as of a tap, once, and while it is news."""

import pytest
from sqlalchemy import Engine

from card_server.attendance.noting_passages import AtGate, PassageWish, record_passage, take_back
from card_server.attendance.refold import refold
from card_server.audit.writing import Actor
from card_server.storage.database import open_sessions
from schema.tables.attendance import HandPassage
from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from schema.tables.people import Guardianship
from schema.tables.readers import Direction
from tests.card_server.attendance.judged_school import MONDAY, ZONE, JudgedSchool, at
from tests.card_server.attendance.test_notices import (
    ABSENCE,
    ARRIVAL,
    ARRIVED,
    DEPARTURE,
    LATE,
    QUEUED,
    SUPPRESSED,
    hand_over,
    judge,
    messages,
    slots,
    states,
    want,
)

IN, OUT = Direction.IN, Direction.OUT


@pytest.fixture
def school(engine: Engine) -> JudgedSchool:
    made = JudgedSchool(open_sessions(engine), boarders=[3])
    made.tick(at(MONDAY, "00:01"))
    return made


def guard(school: JudgedSchool, clock: str) -> AtGate:
    actor = Actor("staff", 3, "门卫", "")
    return AtGate(actor, 3, school.school_id, ZONE, at(MONDAY, clock))


def note(
    school: JudgedSchool, clock: str, noted: str = "", way: Direction = IN, student: int = 1
) -> int:
    """The guard writes down who passed then, at once or later; which passage that is."""
    wish = PassageWish(way, at(MONDAY, clock), "忘带卡")
    with school.sessions.begin() as session:
        return record_passage(session, guard(school, noted or clock), student, wish).id


def take_back_at(school: JudgedSchool, clock: str, passage: int) -> None:
    with school.sessions.begin() as session:
        take_back(session, guard(school, clock), passage)


def test_who_is_let_in_is_told_as_by_a_tap_with_the_guards_hour(school: JudgedSchool) -> None:
    note(school, "07:50", "07:52")
    [arrival] = messages(school)
    assert (arrival.kind, arrival.state, slots(arrival)["time"]) == (ARRIVAL, QUEUED, "07:50")
    assert (arrival.about_at, arrival.expires_at) == (at(MONDAY, "07:50"), at(MONDAY, "08:20"))


def test_who_is_let_in_late_is_told_as_late_with_the_minutes(school: JudgedSchool) -> None:
    note(school, "08:10")
    [late] = messages(school)
    assert (late.kind, slots(late)["minutes"]) == (LATE, "10")


def test_who_is_let_out_is_told_as_gone(school: JudgedSchool) -> None:
    note(school, "07:50")
    note(school, "09:30", way=OUT)
    assert [one.kind for one in messages(school)] == [ARRIVAL, DEPARTURE]


@pytest.mark.parametrize(
    ("wanted", "told"), [([ARRIVAL], [ARRIVAL]), ([DEPARTURE, ABSENCE], []), ([LATE], [LATE])]
)
def test_only_who_wants_it_is_told(
    school: JudgedSchool, wanted: list[MessageKind], told: list[MessageKind]
) -> None:
    want(school, wanted)
    note(school, "08:10")
    assert [one.kind for one in messages(school)] == told


def test_what_is_noted_half_an_hour_later_is_stale(school: JudgedSchool) -> None:
    note(school, "07:50", "08:25")
    assert states(school) == [(ARRIVAL, SUPPRESSED, Suppression.STALE)]


def test_who_was_told_of_an_absence_is_told_of_the_arrival_once(school: JudgedSchool) -> None:
    judge(school)
    hand_over(school)
    note(school, "08:41")
    absence, arrived = messages(school)
    assert (absence.kind, absence.state) == (ABSENCE, MessageState.ACCEPTED)
    assert (arrived.kind, arrived.state, slots(arrived)["time"]) == (ARRIVED, QUEUED, "08:41")
    note(school, "09:10", way=OUT)
    note(school, "09:40")
    assert [one.kind for one in messages(school)] == [ABSENCE, ARRIVED, DEPARTURE, ARRIVAL]


def test_a_false_alarm_is_ended_however_late_the_guard_says_so(school: JudgedSchool) -> None:
    judge(school)
    hand_over(school)
    note(school, "07:50", "09:30")
    arrived = messages(school)[-1]
    assert (arrived.kind, arrived.state, slots(arrived)["time"]) == (ARRIVED, QUEUED, "07:50")


def test_an_absence_that_waits_is_withdrawn_and_the_arrival_is_told(school: JudgedSchool) -> None:
    judge(school)
    note(school, "08:41")
    assert states(school) == [
        (ABSENCE, SUPPRESSED, Suppression.WITHDRAWN),
        (LATE, QUEUED, None),
    ]


def test_each_guardian_hears_what_is_owed_to_this_one(school: JudgedSchool) -> None:
    with school.sessions.begin() as session:
        session.add(Guardianship(student_id=1, guardian_id=2, relation="父亲", wanted="arrival"))
    judge(school)
    hand_over(school)
    note(school, "08:41")
    told = {one.guardian_id: one.kind for one in messages(school) if one.kind is not ABSENCE}
    assert told == {1: ARRIVED, 2: ARRIVAL}


def test_a_tap_and_the_guards_word_of_it_are_told_once(school: JudgedSchool) -> None:
    school.record([school.pass_gate(1, MONDAY, "07:50:10")])
    note(school, "07:50:40", "07:51")
    note(school, "07:55", student=2)
    school.record([school.pass_gate(2, MONDAY, "07:55:30")])
    assert [one.kind for one in messages(school, 1)] == [ARRIVAL]
    assert [one.kind for one in messages(school, 2)] == [ARRIVAL]


def test_a_word_that_makes_a_told_tap_its_double_is_not_told_again(school: JudgedSchool) -> None:
    school.record([school.pass_gate(1, MONDAY, "07:50:10")])
    hand_over(school)
    note(school, "07:50", "07:51")
    assert [(one.kind, one.state) for one in messages(school)] == [(ARRIVAL, MessageState.ACCEPTED)]


def test_what_is_taken_back_before_it_went_out_is_not_told(school: JudgedSchool) -> None:
    wrong = note(school, "07:50")
    take_back_at(school, "07:51", wrong)
    assert states(school) == [(ARRIVAL, SUPPRESSED, Suppression.WITHDRAWN)]
    note(school, "07:50", "07:52", student=2)
    assert states(school, 2) == [(ARRIVAL, QUEUED, None)]


def test_what_went_out_stays_when_the_passage_is_taken_back(school: JudgedSchool) -> None:
    wrong = note(school, "07:50")
    hand_over(school)
    take_back_at(school, "07:51", wrong)
    assert states(school) == [(ARRIVAL, MessageState.ACCEPTED, None)]


def test_who_has_not_come_after_all_is_told_as_absent_once(school: JudgedSchool) -> None:
    wrong = note(school, "07:50")
    hand_over(school)
    judge(school)
    take_back_at(school, "08:50", wrong)
    assert states(school) == [(ARRIVAL, MessageState.ACCEPTED, None), (ABSENCE, QUEUED, None)]
    judge(school, "09:00")
    assert len(messages(school)) == 2
    note(school, "07:55", "09:05")
    assert [one.kind for one in messages(school) if one.state is QUEUED] == []


def test_before_the_deadline_nobody_is_absent_for_it(school: JudgedSchool) -> None:
    wrong = note(school, "07:50")
    hand_over(school)
    take_back_at(school, "07:51", wrong)
    school.report(at(MONDAY, "08:40"), "gate-in", "gate")
    school.report(at(MONDAY, "08:00"), "gate-out")
    school.tick(at(MONDAY, "08:45"))
    again = note(school, "08:01", "08:46")
    take_back_at(school, "08:46", again)
    assert ABSENCE not in [one.kind for one in messages(school)]


@pytest.mark.parametrize("is_sent", [True, False])
def test_an_absence_that_was_said_to_be_over_is_told_again(
    school: JudgedSchool, *, is_sent: bool
) -> None:
    judge(school)
    hand_over(school)
    wrong = note(school, "08:41")
    if is_sent:
        hand_over(school)
    take_back_at(school, "08:50", wrong)
    told = [one.kind for one in messages(school) if one.state is not SUPPRESSED]
    assert told == ([ABSENCE, ARRIVED, ABSENCE] if is_sent else [ABSENCE])


def test_who_has_been_seen_otherwise_is_not_absent_without_the_guards_word(
    school: JudgedSchool,
) -> None:
    wrong = note(school, "07:50")
    school.record([school.pass_gate(1, MONDAY, "08:20")])
    judge(school)
    take_back_at(school, "08:50", wrong)
    assert ABSENCE not in [one.kind for one in messages(school)]


def test_judging_the_day_anew_tells_nothing_again_and_says_the_same(school: JudgedSchool) -> None:
    note(school, "07:50")
    before = school.values(Message), school.day(1)
    assert len(school.rows(HandPassage)) == 1
    with school.sessions.begin() as session:
        refold(session, school.school_id, 1, MONDAY, MONDAY, at(MONDAY, "07:58"))
    after = school.day(1)
    assert school.values(Message) == before[0]
    assert before[1]
    assert after
    assert (after.sessions, after.arrived_at) == (before[1].sessions, before[1].arrived_at)

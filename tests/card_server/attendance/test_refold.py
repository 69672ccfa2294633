"""Days judged anew: leave, corrections, passages by hand, exemptions; and whoever asks."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select

from card_server.attendance.refold import refold
from card_server.staff.scope import Grant, narrow
from card_server.storage.database import open_sessions
from schema.tables.attendance import (
    Attendance,
    Correction,
    Exemption,
    HandPassage,
    HomeroomDay,
    Presence,
    SessionStatus,
)
from schema.tables.leave import LeaveKind, LeaveSlip, LeaveState
from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from schema.tables.people import Boarding
from schema.tables.readers import Direction
from schema.tables.staff import Role, Scope
from schema.tables.taps import Effect, Tap
from tests.card_server.attendance.judged_school import MONDAY, JudgedSchool, at

TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
def school(engine: Engine) -> JudgedSchool:
    """Monday at 08:35: student 1 is in time, the others are absent."""
    made = JudgedSchool(open_sessions(engine))
    made.tick(at(MONDAY, "00:01"))
    made.record([made.pass_gate(1, MONDAY, "07:31")])
    made.report(at(MONDAY, "08:35"))
    made.tick(at(MONDAY, "08:35"))
    return made


def add(school: JudgedSchool, row: Any, clock: str = "08:40") -> None:
    """Add a row and judge its student's Monday anew, in one transaction."""
    with school.sessions.begin() as session:
        session.add(row)
        refold(session, school.school_id, row.student_id, MONDAY, MONDAY, at(MONDAY, clock))


def leave(school: JudgedSchool, student: int, begin: str, end: str) -> LeaveSlip:
    return LeaveSlip(
        school_id=school.school_id,
        student_id=student,
        kind=LeaveKind.SICK,
        from_at=at(MONDAY, begin),
        until_at=at(MONDAY, end),
        needs_school=False,
        reason_sealed=b"",
        state=LeaveState.APPROVED,
        asked_by="a",
        asked_at=at(MONDAY, "07:00"),
    )


def correction(school: JudgedSchool, student: int) -> Correction:
    return Correction(
        school_id=school.school_id,
        student_id=student,
        day=MONDAY,
        position=1,
        status=SessionStatus.PRESENT,
        reason="忘带卡",
        made_by="a",
        made_at=at(MONDAY, "08:40"),
    )


def by_hand(school: JudgedSchool, student: int, clock: str, way: Direction) -> HandPassage:
    return HandPassage(
        school_id=school.school_id,
        student_id=student,
        at=at(MONDAY, clock),
        direction=way,
        reason="忘带卡",
        made_by="a",
        made_at=at(MONDAY, clock),
    )


def test_leave_turns_absence_into_leave_and_the_counts_follow(school: JudgedSchool) -> None:
    assert school.count().absent == 2
    add(school, leave(school, 2, "00:00", "23:59"))
    assert school.statuses(2)[0] == "on_leave"
    assert (school.count().absent, school.count().on_leave) == (1, 1)


def test_leave_that_is_withdrawn_gives_the_absence_back(school: JudgedSchool) -> None:
    before = school.values(Attendance)
    add(school, leave(school, 2, "00:00", "23:59"))
    with school.sessions.begin() as session:
        session.execute(delete(LeaveSlip))
        refold(session, school.school_id, [2], MONDAY, MONDAY, at(MONDAY, "08:40"))
    assert school.values(Attendance) == before
    assert (school.count().absent, school.count().on_leave) == (2, 0)


def test_a_correction_stands_and_survives_a_tap(school: JudgedSchool) -> None:
    add(school, correction(school, 2))
    assert school.statuses(2)[0] == "present"
    school.record([school.pass_gate(2, MONDAY, "08:50")])
    assert school.statuses(2)[0] == "present"
    assert school.count().absent == 1


def test_a_passage_by_hand_brings_the_student_in_and_its_end_out_again(
    school: JudgedSchool,
) -> None:
    add(school, by_hand(school, 2, "07:50", Direction.IN))
    assert school.statuses(2)[0] == "present"
    inside = {row.student_id for row in school.rows(Presence) if row.is_inside}
    assert (inside, school.count().inside, school.count().absent) == ({1, 2}, 2, 1)
    with school.sessions.begin() as session:
        session.scalars(select(HandPassage)).one().ended_at = at(MONDAY, "08:45")
        refold(session, school.school_id, 2, MONDAY, MONDAY, at(MONDAY, "08:45"))
    assert school.statuses(2)[0] == "absent"
    inside = {row.student_id for row in school.rows(Presence) if row.is_inside}
    assert (inside, school.count().inside, school.count().absent) == ({1}, 1, 2)


def test_a_tap_right_after_a_passage_by_hand_is_a_double_and_its_message_withdrawn(
    school: JudgedSchool,
) -> None:
    add(school, by_hand(school, 1, "07:30:30", Direction.IN))
    assert [tap.effect for tap in school.rows(Tap)] == [Effect.DOUBLE]
    [message] = [one for one in school.rows(Message) if one.kind is not MessageKind.ABSENCE]
    assert (message.state, message.suppression) == (
        MessageState.SUPPRESSED,
        Suppression.DUPLICATE,
    )


def test_an_exempt_student_is_not_expected(school: JudgedSchool) -> None:
    add(
        school,
        Exemption(school_id=school.school_id, student_id=2, from_on=MONDAY, reason="集训"),
    )
    assert school.statuses(2)[0] == "not_expected"


def test_days_to_come_are_left_alone(school: JudgedSchool) -> None:
    with school.sessions.begin() as session:
        now = at(MONDAY, "08:40")
        refold(session, school.school_id, 2, TUESDAY, TUESDAY + timedelta(days=5), now)
    assert {row.day for row in school.rows(Attendance)} == {MONDAY}


def test_who_may_see_little_judges_by_all_that_is_known(school: JudgedSchool) -> None:
    """A guard sees no corrections; the guard's word must not undo them."""
    add(school, correction(school, 2))
    guard = Grant(Role.GATE_GUARD, Scope.GATE, school.school_id, place="校门")
    with school.sessions() as session:
        narrow(session, school.school_id, [guard])
        assert session.scalars(select(Correction)).all() == []
        session.add(by_hand(school, 2, "09:00", Direction.OUT))
        refold(session, school.school_id, 2, MONDAY, MONDAY, at(MONDAY, "09:00"))
        session.commit()
    assert school.statuses(2)[0] == "present"


def test_it_belongs_to_the_callers_transaction(school: JudgedSchool) -> None:
    before = school.values(Attendance), school.values(HomeroomDay)
    with school.sessions() as session:
        session.add(correction(school, 2))
        refold(session, school.school_id, 2, MONDAY, MONDAY, at(MONDAY, "08:40"))
        session.rollback()
    assert (school.values(Attendance), school.values(HomeroomDay)) == before


def test_a_boarders_sunday_that_comes_late_makes_the_days_after_it(school: JudgedSchool) -> None:
    sunday = MONDAY - timedelta(days=1)
    with school.sessions.begin() as session:
        session.add(Boarding(student_id=3, school_id=school.school_id, from_on=sunday))
        refold(session, school.school_id, 3, MONDAY, MONDAY, at(MONDAY, "08:40"))
    assert school.statuses(3)[0] == "not_expected"
    school.record([school.pass_gate(3, sunday, "18:00", received_at=at(MONDAY, "09:00"))])
    assert school.statuses(3)[0] == "present"
    assert {row.student_id for row in school.rows(Presence) if row.is_inside} == {1, 3}

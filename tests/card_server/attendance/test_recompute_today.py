"""A closure that is entered at nine: the morning is judged anew, no family gets a message."""

from datetime import datetime

import pytest
from sqlalchemy import Engine, select, update

from card_server.attendance.recompute import Recomputing
from card_server.attendance.recomputed import Recomputed
from card_server.audit.writing import SYSTEM
from card_server.calendar.entries import read_settings, say
from card_server.storage.database import open_sessions
from schema.tables.messages import Message, MessageState, Suppression
from schema.tables.people import Guardianship
from tests.card_server.attendance.changed_school import CLOSED
from tests.card_server.attendance.judged_school import MONDAY, JudgedSchool, at

NINE = at(MONDAY, "09:00")


@pytest.fixture
def school(engine: Engine) -> JudgedSchool:
    """At nine on Monday: student 1 came in time, student 2 late, student 3 did not."""
    made = JudgedSchool(open_sessions(engine))
    with made.sessions.begin() as session:
        session.execute(update(Guardianship).values(wanted="absence"))
    made.tick(at(MONDAY, "00:01"))
    made.record([made.pass_gate(1, MONDAY, "07:40"), made.pass_gate(2, MONDAY, "08:10")])
    made.report(at(MONDAY, "08:31"))
    made.tick(at(MONDAY, "08:32"))
    with made.sessions.begin() as session:
        assert say(session, SYSTEM, made.school_id, read_settings(CLOSED), NINE).stays == [MONDAY]
    return made


def recompute(school: JudgedSchool, now: datetime) -> Recomputed:
    doing = Recomputing(school.sessions, school.school, MONDAY, MONDAY, now, by_new_calendar=True)
    trial = doing.try_out(lambda _done, _total: None)
    done = doing.do(lambda _done, _total: None)
    assert (trial.changed, trial.by_status) == (done.changed, done.by_status)
    return done


def messages(school: JudgedSchool) -> list[tuple[int, MessageState, Suppression | None]]:
    with school.sessions() as session:
        found = session.scalars(select(Message).order_by(Message.id))
        return [(one.student_id, one.state, one.suppression) for one in found]


def test_the_morning_is_no_session_any_more_and_what_waits_is_taken_back(
    school: JudgedSchool,
) -> None:
    assert [school.statuses(one)[0] for one in (1, 2, 3)] == ["present", "late", "absent"]
    assert messages(school) == [(3, MessageState.QUEUED, None)]
    assert recompute(school, NINE).changed == 3
    assert [school.statuses(one) for one in (1, 2, 3)] == [[], [], []]
    [(student, state, why)] = messages(school)
    assert (student, state) == (3, MessageState.SUPPRESSED)
    assert why is not None
    assert (school.count().absent, school.count().late) == (0, 0)


def test_who_was_told_is_told_nothing_more_and_nobody_is_absent_in_the_afternoon(
    school: JudgedSchool,
) -> None:
    with school.sessions.begin() as session:
        session.execute(update(Message).values(state=MessageState.DELIVERED))
    recompute(school, NINE)
    school.report(at(MONDAY, "14:40"))
    school.tick(at(MONDAY, "14:41"))
    assert messages(school) == [(3, MessageState.DELIVERED, None)]
    assert school.statuses(3) == []


def test_who_taps_afterwards_is_judged_in_the_same_way(school: JudgedSchool) -> None:
    recompute(school, NINE)
    school.record([school.pass_gate(3, MONDAY, "09:30")])
    assert school.statuses(3) == []
    assert recompute(school, at(MONDAY, "09:31")).changed == 0

"""A day is judged without a gate when the school says so, and mended when the gate is back."""

import pytest
from sqlalchemy import Engine, select

from card_server.attendance.dark_gates import judge_without
from card_server.attendance.plans import CLOSING
from card_server.audit.writing import Actor
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.reports.waiting import WaitingReport, read_waiting
from card_server.storage.database import open_sessions
from schema.tables.attendance import Deadline
from schema.tables.audit import AuditEntry
from schema.tables.dark_gates import GateLeftOut
from tests.card_server.attendance.judged_school import MONDAY, JudgedSchool, at

HEAD = Actor("staff", 1, "校长", "")


@pytest.fixture
def school(engine: Engine) -> JudgedSchool:
    """One gate is dark since 08:10, two go on."""
    school = JudgedSchool(open_sessions(engine))
    school.tick(at(MONDAY, "00:01"))
    school.record([school.pass_gate(1, MONDAY, "07:31")])
    school.report(at(MONDAY, "08:45"), "gate-in", "gate")
    school.report(at(MONDAY, "08:10"), "gate-out")
    school.tick(at(MONDAY, "08:45"))
    return school


def _leave_out(
    school: JudgedSchool, code: str = "gate-out", reason: str = "网络中断", clock: str = "08:46"
) -> None:
    reader_id = school.campus.readers[code]
    with school.sessions.begin() as session:
        judge_without(session, HEAD, school.school_id, MONDAY, reader_id, reason, at(MONDAY, clock))


def _waiting(school: JudgedSchool, clock: str = "08:46") -> WaitingReport:
    with school.sessions() as session:
        return read_waiting(session, school.school_id, at(MONDAY, clock))


def test_what_waits_names_the_gate_and_since_when_it_is_dark(school: JudgedSchool) -> None:
    found = _waiting(school)
    [gate] = found.gates
    assert (gate.reader_id, gate.dark_since) == (
        school.campus.readers["gate-out"],
        at(MONDAY, "08:10"),
    )
    assert (gate.days, gate.left_out) == ([MONDAY], [])
    [waiting] = found.sessions
    assert (waiting.name, waiting.due_at) == ("上午", at(MONDAY, "08:31"))
    assert (len(waiting.homerooms), waiting.gates) == (1, [gate])
    assert school.day(3) is None


def test_without_the_gate_the_day_is_judged_and_later_sessions_too(school: JudgedSchool) -> None:
    _leave_out(school)
    [gate] = _waiting(school).gates
    assert [(one.day, one.said_by) for one in gate.left_out] == [(MONDAY, "校长")]
    school.tick(at(MONDAY, "08:47"))
    assert [school.statuses(one)[0] for one in (1, 2, 3)] == ["present", "absent", "absent"]
    assert _waiting(school).sessions == []
    school.report(at(MONDAY, "14:40"), "gate-in", "gate")
    school.tick(at(MONDAY, "14:40"))
    assert school.statuses(3) == ["absent", "absent"]


def test_it_still_waits_for_the_other_gates(school: JudgedSchool) -> None:
    school.report(at(MONDAY, "08:20"), "gate")
    _leave_out(school)
    school.tick(at(MONDAY, "08:47"))
    assert school.day(3) is None
    assert len(_waiting(school).sessions[0].gates) == 2
    school.report(at(MONDAY, "08:50"), "gate")
    school.tick(at(MONDAY, "08:50"))
    assert school.statuses(3)[0] == "absent"


def test_the_gates_own_taps_mend_the_day_when_they_come(school: JudgedSchool) -> None:
    _leave_out(school)
    school.tick(at(MONDAY, "08:47"))
    late = school.pass_gate(3, MONDAY, "07:50", "gate", received_at=at(MONDAY, "09:30"))
    school.record([late])
    assert school.statuses(3)[0] == "present"


def test_only_that_day_is_judged_without_it(school: JudgedSchool) -> None:
    _leave_out(school)
    tuesday = MONDAY.replace(day=8)
    school.tick(at(tuesday, "00:01"))
    school.report(at(tuesday, "08:45"), "gate-in", "gate")
    school.tick(at(tuesday, "08:45"))
    assert school.day(3, tuesday) is None
    waiting = [one for one in school.rows(Deadline) if one.day == tuesday and one.position == 1]
    assert [one.judged_at for one in waiting] == [None]


def test_one_gate_must_be_left_to_judge_by(school: JudgedSchool) -> None:
    _leave_out(school)
    _leave_out(school, "gate")
    with pytest.raises(AppError, match="everybody would be absent") as caught:
        _leave_out(school, "gate-in")
    assert caught.value.code is Code.CONFLICT
    with pytest.raises(AppError, match="already"):
        _leave_out(school)


def test_it_needs_a_reason_and_a_gate_of_the_school(school: JudgedSchool) -> None:
    with pytest.raises(FieldsError):
        _leave_out(school, reason="  ")
    with school.sessions() as session, pytest.raises(AppError) as caught:
        judge_without(session, HEAD, school.school_id, MONDAY, 999, "停电", at(MONDAY, "09:00"))
    assert caught.value.code is Code.NOT_FOUND
    reader, future = school.campus.readers["gate-out"], MONDAY.replace(day=20)
    with school.sessions() as session, pytest.raises(FieldsError):
        judge_without(session, HEAD, school.school_id, future, reader, "停电", at(MONDAY, "09:00"))
    assert school.rows(GateLeftOut) == []


def test_who_said_so_is_noted(school: JudgedSchool) -> None:
    _leave_out(school)
    with school.sessions() as session:
        noted = session.execute(select(AuditEntry.action, AuditEntry.subject)).all()
    reader_id = school.campus.readers["gate-out"]
    assert ("attendance.gate_left_out", f"reader:{reader_id}") in [tuple(one) for one in noted]


def test_the_hour_of_closing_waits_for_nobody_and_is_not_listed(school: JudgedSchool) -> None:
    assert CLOSING in {one.position for one in school.rows(Deadline)}
    found = _waiting(school, "23:00")
    assert {one.position for one in found.sessions} == {1}

"""A gate that is retired is waited for no more; what it still sends is kept and judged."""

import pytest
from sqlalchemy import Engine, select

from card_server.attendance.dark_gates import judge_without
from card_server.attendance.deadlines import NO_GATE
from card_server.audit.writing import Actor
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.register.retiring import bring_back, retire_reader
from card_server.reports.reader_report import ReaderReport, count_still_used, read_readers
from card_server.storage.database import open_sessions
from schema.tables.attendance import Deadline
from schema.tables.audit import AuditDetail, AuditEntry
from tests.card_server.attendance.judged_school import MONDAY, READERS, JudgedSchool, at

HEAD = Actor("staff", 1, "校长", "")
TUESDAY = MONDAY.replace(day=8)


@pytest.fixture
def school(engine: Engine) -> JudgedSchool:
    """One gate is dark since 08:10, two go on; the morning waits."""
    school = JudgedSchool(open_sessions(engine))
    school.tick(at(MONDAY, "00:01"))
    school.record([school.pass_gate(1, MONDAY, "07:31")])
    school.report(at(MONDAY, "08:45"), "gate-in", "gate")
    school.report(at(MONDAY, "08:10"), "gate-out")
    school.tick(at(MONDAY, "08:45"))
    return school


def _retire(school: JudgedSchool, code: str = "gate-out", reason: str = "已拆除") -> None:
    reader_id = school.campus.readers[code]
    with school.sessions.begin() as session:
        retire_reader(session, HEAD, school.school_id, reader_id, reason, at(MONDAY, "08:46"))


def _bring_back(school: JudgedSchool, code: str = "gate-out", reason: str = "修好了") -> None:
    with school.sessions.begin() as session:
        bring_back(session, HEAD, school.school_id, school.campus.readers[code], reason)


def _reports(school: JudgedSchool, clock: str) -> dict[str, ReaderReport]:
    with school.sessions() as session:
        found = read_readers(session, school.school_id, 2, at(MONDAY, clock))
    return {one.code: one for one in found}


def _still_used(school: JudgedSchool, clock: str) -> int:
    with school.sessions() as session:
        return session.scalar(count_still_used(school.school_id, at(MONDAY, clock))) or 0


def test_what_waited_for_it_alone_is_judged_at_the_next_turn(school: JudgedSchool) -> None:
    assert school.day(3) is None
    _retire(school)
    school.tick(at(MONDAY, "08:47"))
    assert [school.statuses(one)[0] for one in (1, 2, 3)] == ["present", "absent", "absent"]
    assert {one.waiting_for for one in school.rows(Deadline)} == {""}


def test_later_days_do_not_wait_for_it_either(school: JudgedSchool) -> None:
    _retire(school)
    school.tick(at(TUESDAY, "00:01"))
    school.report(at(TUESDAY, "08:45"), "gate-in", "gate")
    school.tick(at(TUESDAY, "08:45"))
    assert school.statuses(3, TUESDAY)[0] == "absent"


def test_it_still_waits_for_the_gates_in_use(school: JudgedSchool) -> None:
    school.report(at(MONDAY, "08:20"), "gate")
    _retire(school)
    school.tick(at(MONDAY, "08:47"))
    assert school.day(3) is None
    [waiting] = [one for one in school.rows(Deadline) if one.position == 1]
    assert waiting.waiting_for == str(school.campus.readers["gate"])


def test_brought_back_it_is_waited_for_until_it_reports(school: JudgedSchool) -> None:
    _retire(school)
    _bring_back(school)
    school.tick(at(MONDAY, "08:48"))
    assert school.day(3) is None
    school.report(at(MONDAY, "08:49"), "gate-out")
    school.tick(at(MONDAY, "08:50"))
    assert school.statuses(3)[0] == "absent"


def test_with_every_gate_retired_nobody_is_absent(school: JudgedSchool) -> None:
    for code in READERS:
        _retire(school, code)
    school.tick(at(MONDAY, "23:30"))
    waiting = [one for one in school.rows(Deadline) if one.position in (1, 2)]
    assert {(one.judged_at, one.waiting_for) for one in waiting} == {(None, NO_GATE)}
    assert school.count().absent == 0


def test_a_tap_that_it_sends_later_is_kept_and_mends_the_day(school: JudgedSchool) -> None:
    _retire(school)
    school.tick(at(MONDAY, "08:47"))
    assert school.statuses(3)[0] == "absent"
    kept = school.pass_gate(
        3, MONDAY, "07:50", "gate", boot=1, seq=1, received_at=at(MONDAY, "09:30")
    )
    _retire(school, "gate")
    school.record([kept])
    assert school.statuses(3)[0] == "present"
    assert _still_used(school, "09:30") == 0, "the card was held to it before"


def test_a_card_held_to_it_afterwards_counts_and_is_told(school: JudgedSchool) -> None:
    _retire(school, "gate-in")
    assert _still_used(school, "08:50") == 0
    fresh = school.pass_gate(2, MONDAY, "09:05", boot=1, seq=1)
    suspect = school.pass_gate(3, MONDAY, "09:06", boot=1, seq=2, clock_suspect=True)
    school.record([fresh, suspect])
    day = school.day(2)
    assert day is not None
    assert day.arrived_at == at(MONDAY, "09:05")
    one = _reports(school, "09:10")["gate-in"]
    assert (one.used_at, one.is_still_used, one.is_silent) == (at(MONDAY, "09:05"), True, False)
    assert _still_used(school, "09:10") == 1
    with school.sessions() as session:
        wanted = count_still_used(school.school_id, at(TUESDAY, "09:06"))
        assert session.scalar(wanted) == 0, "nobody has used it for a day"
    _bring_back(school, "gate-in")
    assert _still_used(school, "09:10") == 0
    assert _reports(school, "09:10")["gate-in"].used_at is None


def test_nothing_is_said_of_how_it_is(school: JudgedSchool) -> None:
    before = _reports(school, "09:00")["gate-out"]
    assert (before.is_silent, before.has_old_cards) == (True, True)
    _retire(school)
    after = _reports(school, "09:00")["gate-out"]
    assert (after.is_silent, after.has_old_cards) == (False, False)
    assert after.retired_at == at(MONDAY, "08:46")
    reader = school.campus.readers["gate-out"]
    with school.sessions() as session, pytest.raises(AppError) as caught:
        judge_without(session, HEAD, school.school_id, MONDAY, reader, "停电", at(MONDAY, "09:00"))
    assert caught.value.code is Code.NOT_FOUND


def test_the_last_gate_in_use_is_not_left_out_for_a_day(school: JudgedSchool) -> None:
    _retire(school, "gate-in")
    _retire(school)
    reader = school.campus.readers["gate"]
    with school.sessions() as session, pytest.raises(AppError, match="everybody would be absent"):
        judge_without(session, HEAD, school.school_id, MONDAY, reader, "停电", at(MONDAY, "09:00"))


def test_it_needs_a_reason_a_reader_and_the_other_state(school: JudgedSchool) -> None:
    with pytest.raises(FieldsError):
        _retire(school, reason=" ")
    with pytest.raises(AppError, match="in use already"):
        _bring_back(school)
    _retire(school)
    with pytest.raises(FieldsError):
        _bring_back(school, reason="")
    with pytest.raises(AppError, match="retired already") as caught:
        _retire(school)
    assert caught.value.code is Code.CONFLICT
    with school.sessions() as session, pytest.raises(AppError) as missing:
        bring_back(session, HEAD, school.school_id + 1, school.campus.readers["gate-out"], "x")
    assert missing.value.code is Code.NOT_FOUND


def test_who_said_so_and_why_is_noted(school: JudgedSchool) -> None:
    _retire(school)
    _bring_back(school)
    with school.sessions() as session:
        noted = session.execute(
            select(AuditEntry.action, AuditDetail.body)
            .join(
                AuditDetail,
                (AuditDetail.school_id == AuditEntry.school_id)
                & (AuditDetail.seq == AuditEntry.seq),
            )
            .order_by(AuditEntry.seq)
        ).all()
    assert [action for action, _body in noted] == ["reader.retired", "reader.brought_back"]

"""A homeroom's list of this minute: by what is judged, and by what is expected before that."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from card_server.attendance.facts import Waiting
from card_server.audit.writing import SYSTEM
from card_server.calendar.changing_rules import change_rules
from card_server.calendar.rules import Rules
from card_server.reports.homeroom_now import HomeroomNow, read_homeroom_now
from card_server.staff.sessions import describe_school
from card_server.storage.database import open_sessions
from schema.tables.attendance import SessionStatus
from schema.tables.calendar import ForWhom
from schema.tables.leave import LeaveKind, LeaveSlip, LeaveState
from schema.tables.school import Homeroom, School
from tests.card_server.attendance.judged_school import MONDAY, JudgedSchool, at


@pytest.fixture
def school(engine: Engine) -> JudgedSchool:
    """Student 1 in time, 2 late, 3 not there, 4 boards."""
    school = JudgedSchool(open_sessions(engine), students=4, boarders=[4])
    school.tick(at(MONDAY, "00:01"))
    return school


def _read(school: JudgedSchool, clock: str, day: date = MONDAY) -> HomeroomNow:
    with school.sessions() as session:
        [room] = session.query(Homeroom).filter_by(school_id=school.school_id)
        whose = describe_school(session.get_one(School, school.school_id))
        return read_homeroom_now(session, whose, room.id, at(day, clock))


def _statuses(found: HomeroomNow) -> list[str]:
    return [one.status.value for one in found.pupils]


def _pass(school: JudgedSchool) -> None:
    school.record([school.pass_gate(1, MONDAY, "07:31"), school.pass_gate(2, MONDAY, "08:10")])


def test_before_the_first_session_nobody_is_expected(school: JudgedSchool) -> None:
    found = _read(school, "06:30")
    assert found.session is None
    assert found.next is not None
    assert found.next.name == "上午"
    assert set(_statuses(found)) == {"not_expected"}


def test_before_its_time_nobody_is_absent(school: JudgedSchool) -> None:
    _pass(school)
    found = _read(school, "08:15")
    assert _statuses(found) == ["present", "late", "not_judged", "not_expected"]
    [third] = found.of(SessionStatus.NOT_JUDGED)
    assert (third.waiting, third.is_inside) == (Waiting.NOT_DUE, False)
    assert found.dark_gates == []


def test_once_judged_it_says_who_is_absent_and_whom_to_call(school: JudgedSchool) -> None:
    _pass(school)
    school.report(at(MONDAY, "08:40"))
    school.tick(at(MONDAY, "08:40"))
    found = _read(school, "08:41")
    assert _statuses(found)[:3] == ["present", "late", "absent"]
    assert [one.late_minutes for one in found.of(SessionStatus.LATE)] == [10]
    [absent] = found.of(SessionStatus.ABSENT)
    assert all(len(one.phone_tail) == 4 for one in absent.guardians)


def test_a_gate_in_the_dark_is_named(school: JudgedSchool) -> None:
    _pass(school)
    school.report(at(MONDAY, "08:40"), "gate-in", "gate")
    school.report(at(MONDAY, "08:00"), "gate-out")
    school.tick(at(MONDAY, "08:40"))
    found = _read(school, "08:41")
    assert len(found.dark_gates) == 1
    assert _statuses(found)[2] == "not_judged"
    assert found.pupils[2].waiting is Waiting.GATE_DARK


def test_who_has_leave_now_is_on_leave_though_nothing_is_judged(school: JudgedSchool) -> None:
    def slip(begin: str, end: str) -> LeaveSlip:
        return LeaveSlip(
            school_id=school.school_id,
            student_id=3,
            kind=LeaveKind.SICK,
            from_at=at(MONDAY, begin),
            until_at=at(MONDAY, end),
            needs_school=False,
            reason_sealed=b"",
            state=LeaveState.APPROVED,
            asked_by="家长",
            asked_at=datetime.fromisoformat("2026-09-06T00:00:00+00:00"),
        )

    with school.sessions.begin() as session:
        session.add(slip("08:00", "09:00"))
    [ill] = _read(school, "08:15").of(SessionStatus.ON_LEAVE)
    assert (ill.student_id, ill.leave_kind) == (3, LeaveKind.SICK)
    assert _statuses(_read(school, "07:30"))[2] == "not_judged"


def test_the_session_that_goes_on_counts_not_the_one_before(school: JudgedSchool) -> None:
    _pass(school)
    school.report(at(MONDAY, "08:40"))
    school.tick(at(MONDAY, "08:40"))
    found = _read(school, "13:10")
    assert found.session is not None
    assert found.session.name == "下午"
    assert "absent" not in _statuses(found)


@pytest.mark.parametrize(
    ("for_whom", "expected"),
    [(ForWhom.BOARDERS, "not_expected"), (ForWhom.EVERYBODY, "not_judged")],
)
def test_in_evening_study_for_boarders_no_day_student_is_expected(
    engine: Engine, for_whom: ForWhom, expected: str
) -> None:
    school = JudgedSchool(open_sessions(engine), students=4, boarders=[4])
    school.add_evening(for_whom)
    school.tick(at(MONDAY, "00:01"))
    found = _read(school, "18:40")
    assert found.session is not None
    assert found.session.name == "晚自习"
    assert _statuses(found) == [expected] * 3 + ["not_expected"]


@pytest.mark.parametrize(
    ("clock", "name", "has_evening"),
    [
        ("08:15", "上午", False),
        ("17:30", "下午", False),
        ("18:31", "返校", False),
        ("18:31", "晚自习", True),
        ("21:15", "返校", True),
    ],
)
def test_on_a_school_day_boarders_come_back_beside_lessons(
    engine: Engine, clock: str, name: str, has_evening: bool
) -> None:
    school = JudgedSchool(open_sessions(engine), boarders=[3])
    with school.sessions.begin() as session:
        change_rules(
            session, SYSTEM, school.school_id, Rules(boarders_weekday=1), at(MONDAY, "00:00")
        )
    if has_evening:
        school.add_evening(ForWhom.EVERYBODY)
    school.tick(at(MONDAY, "00:01"))
    found = _read(school, clock)
    assert found.session is not None
    assert found.session.name == name


def test_on_a_sunday_boarders_are_awaited_all_day(engine: Engine) -> None:
    school = JudgedSchool(open_sessions(engine), boarders=[3])
    sunday = MONDAY + timedelta(days=6)
    school.tick(at(sunday, "00:01"))
    found = _read(school, "10:00", sunday)
    assert found.session is not None
    assert found.session.name == "返校"

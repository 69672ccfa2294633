"""Today's board: who is expected, what is judged and why not, what today is."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.facts import DayPlan, SessionResult
from card_server.reports.board import Board, read_board, time_of
from card_server.reports.board_members import late_arrival
from card_server.staff.scope import WHOLE_SCHOOL, Grant, narrow
from card_server.staff.sessions import describe_school
from schema.tables.attendance import Exemption, SessionStatus
from schema.tables.calendar import CalendarEntry, DayKind, EntrySource, ForWhom
from schema.tables.leave import LeaveState
from schema.tables.people import Boarding
from schema.tables.school import Homeroom, School
from schema.tables.staff import Role, Scope
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.odd_things import BACK, LESSONS, add_day, add_deadline, add_plan
from tests.card_server.web.small_school import SmallSchool, add_health

ZONE = ZoneInfo("Asia/Shanghai")
DAY = datetime(2026, 9, 8, tzinfo=ZONE).date()
NOW = datetime.combine(DAY, time(8, 0), ZONE).astimezone(UTC)


def _read(
    sessions: sessionmaker[Session],
    school: SmallSchool,
    homeroom_id: int | None = None,
    grade: int | None = None,
    grant: Grant = WHOLE_SCHOOL,
) -> Board:
    with sessions() as session:
        at = describe_school(session.get_one(School, school.id))
        narrow(session, school.id, [grant])
        return read_board(session, at, time_of(DAY, NOW, ZONE), homeroom_id, grade)


def test_everybody_is_expected_and_nobody_absent_before_a_session_is_judged(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_plan(session, school, DAY)
        add_day(session, school, 0, DAY)
    total = _read(sessions, school).total
    assert (total.expected, total.arrived, total.absent, total.not_yet) == (8, 1, 0, 7)


def test_what_was_judged_is_counted_once(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_plan(session, school, DAY)
        add_day(session, school, 0, DAY, late=1, late_minutes=4)
        add_day(session, school, 1, DAY, absent=1)
        add_day(session, school, 2, DAY, on_leave=2)
        add_day(session, school, 3, DAY, left_early=1)
    total = _read(sessions, school).total
    assert (total.arrived, total.late, total.left_early) == (2, 1, 1)
    assert (total.absent, total.on_leave, total.not_yet) == (1, 1, 4)


_CAME = datetime(2026, 9, 1, 23, 50, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sessions", "expected"),
    [
        ([("late", 8), ("present", 0)], (_CAME, 8)),
        ([("late", 8), ("late", 5)], (_CAME, 8)),
        ([("present", 0), ("late", 5)], (None, 5)),
        ([("left_early", 0), ("late", 5)], (None, 5)),
        ([("absent", 0), ("late", 5)], (_CAME, 5)),
        ([("on_leave", 0), ("late", 5)], (_CAME, 5)),
        ([("absent", 61), ("present", 0)], (_CAME, 61)),
        ([], (_CAME, 13)),
    ],
)
def test_beside_a_late_arrival_stand_the_minutes_of_its_own_session(
    sessions: list[tuple[str, int]], expected: tuple[datetime | None, int]
) -> None:
    results = tuple(
        SessionResult(place, SessionStatus(status), minutes)
        for place, (status, minutes) in enumerate(sessions, 1)
    )
    assert late_arrival(_CAME, 13, results) == expected


def test_the_late_list_reads_the_sessions_of_the_day(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    first = '{"position":1,"status":"late","late_minutes":8}'
    second = '{"position":2,"status":"late","late_minutes":5}'
    with sessions.begin() as session:
        add_plan(session, school, DAY)
        kept = f"[{first},{second}]"
        add_day(session, school, 0, DAY, late=2, late_minutes=13, sessions=kept)
    [late] = _read(sessions, school).late
    assert late.late_minutes == 8
    assert late.arrived_at is not None


def test_boarders_and_exempt_students_are_not_expected_on_a_school_day(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_plan(session, school, DAY)
        _board_and_exempt(session, school)
    total = _read(sessions, school).total
    assert (total.students, total.expected, total.not_yet) == (8, 6, 6)


def test_a_boarder_who_comes_unexpected_is_no_arrival_of_those_who_are_expected(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_plan(session, school, DAY)
        _board_and_exempt(session, school)
        for student in (0, 1, 3):
            add_day(session, school, student, DAY)
    total = _read(sessions, school).total
    assert (total.expected, total.arrived, total.not_yet) == (6, 1, 5)


def test_boarders_alone_are_expected_back_on_a_closed_day(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_plan(session, school, DAY, DayPlan(DayKind.CLOSED, (BACK,), "周日"))
        _board_and_exempt(session, school)
    board = _read(sessions, school, school.homerooms[0])
    assert (board.total.expected, [one.name for one in board.not_yet]) == (1, ["张三"])
    [line] = board.days
    assert (line.kind, line.note, line.has_sessions) == (DayKind.CLOSED, "周日", True)


@pytest.mark.parametrize(
    ("for_whom", "expected", "late_after"),
    [(ForWhom.EVERYBODY, 6, 450), (ForWhom.BOARDERS, 0, None), (ForWhom.DAY_STUDENTS, 6, 450)],
)
def test_a_day_of_sessions_for_boarders_alone_expects_nobody(
    school: SmallSchool,
    sessions: sessionmaker[Session],
    for_whom: ForWhom,
    expected: int,
    late_after: int | None,
) -> None:
    """The dormitory's roll call asks after boarders, whatever sessions they have."""
    kept = tuple(replace(one, for_whom=for_whom) for one in LESSONS.sessions)
    with sessions.begin() as session:
        add_plan(session, school, DAY, DayPlan(DayKind.LESSONS, kept))
        _board_and_exempt(session, school)
    board = _read(sessions, school)
    assert (board.total.expected, board.total.not_yet) == (expected, expected)
    assert board.late_after == late_after


def _board_and_exempt(session: Session, school: SmallSchool) -> None:
    session.add(Boarding(school_id=school.id, student_id=school.students[0], from_on=DAY))
    session.add(Exemption(school_id=school.id, student_id=school.students[1], from_on=DAY))
    over = {"from_on": DAY - timedelta(days=9), "until_on": DAY}
    session.add(Exemption(school_id=school.id, student_id=school.students[2], **over))


def test_an_approved_slip_is_leave_from_its_begin_on(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_plan(session, school, DAY)
        for student, state, begin in (
            (0, LeaveState.APPROVED, NOW - timedelta(hours=1)),
            (1, LeaveState.ASKED, NOW - timedelta(hours=1)),
            (2, LeaveState.APPROVED, NOW + timedelta(hours=4)),
        ):
            slip = make_slip(school, student, begin)
            slip.state, slip.from_at, slip.until_at = state, begin, begin + timedelta(hours=3)
            session.add(slip)
    total = _read(sessions, school).total
    assert (total.on_leave, total.not_yet) == (1, 7)


def test_it_says_when_absence_is_judged_and_which_gate_it_waits_for(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_plan(session, school, DAY)
        add_deadline(session, school, DAY, NOW + timedelta(hours=1))
    [waiting] = {row.waiting for row in _read(sessions, school).rows}
    assert waiting is not None
    assert (waiting.due_at, waiting.gates) == (NOW + timedelta(hours=1), ())
    dark_since = NOW - timedelta(minutes=40)
    with sessions.begin() as session:
        add_health(session, school, 0, dark_since)
        due = NOW - timedelta(minutes=30)
        add_deadline(session, school, DAY, due, str(school.readers[0]))
    teacher = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=school.homerooms[0])
    for grant in (WHOLE_SCHOOL, teacher):
        row = _read(sessions, school, grant=grant).rows[0]
        assert row.waiting is not None
        assert [(one.name, one.since) for one in row.waiting.gates] == [("东门进", dark_since)]


def test_a_make_up_day_says_whose_timetable_it_runs(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_plan(session, school, DAY, DayPlan(DayKind.LESSONS, LESSONS.sessions, "国庆节调休"))
        session.add(
            CalendarEntry(
                school_id=school.id,
                day=DAY,
                kind=DayKind.LESSONS,
                weekday=4,
                note="国庆节调休",
                source=EntrySource.STATE,
                made_by="王老师",
                made_at=NOW,
            )
        )
    [line] = _read(sessions, school).days
    assert (line.note, line.weekday, line.grades) == ("国庆节调休", 4, ())


@pytest.mark.parametrize(("grade", "rooms"), [(1, 2), (2, 1), (9, 3), (None, 3)])
def test_a_grade_shows_its_homerooms(
    school: SmallSchool, sessions: sessionmaker[Session], grade: int | None, rooms: int
) -> None:
    with sessions.begin() as session:
        room = Homeroom(school_id=school.id, grade=2, name="高二(1)班")
        session.add(room)
        session.flush()
        add_plan(session, school, DAY)
        add_plan(session, school, DAY, DayPlan(DayKind.EXAM, LESSONS.sessions), [room.id])
    board = _read(sessions, school, grade=grade)
    assert (len(board.rows), board.all_grades) == (rooms, [1, 2])
    assert len(board.days) == (2 if rooms == 3 else 1)


def test_a_teacher_sees_the_own_homeroom_alone(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_plan(session, school, DAY)
        add_day(session, school, 0, DAY, absent=1)
        add_day(session, school, 1, DAY, absent=1)
    grant = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=school.homerooms[0])
    board = _read(sessions, school, grant=grant)
    assert [row.id for row in board.rows] == [school.homerooms[0]]
    assert (board.total.expected, board.total.absent) == (4, 1)

"""Who is on campus by a teacher's word alone: which word counts, until what, and for whom."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from card_server.reports.marked_list import count_marked, list_marked
from card_server.reports.on_campus import Boards, Wanted, list_unsure, read_counts
from card_server.reports.rolls import read_rolls
from card_server.staff.scope import Grant, narrow
from card_server.storage.database import open_engine, open_sessions
from schema.tables.attendance import SessionStatus
from schema.tables.leave import LeaveState
from schema.tables.people import Boarding, Student, StudentStatus
from schema.tables.staff import Role, Scope
from tests.card_server.web.campus_things import add_mark, add_presence
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.small_school import SmallSchool, make_school

NOW = datetime(2026, 11, 23, 2, 41, tzinfo=UTC)
"""10:41 of the school's day."""
SAID = NOW - timedelta(hours=2)
PRESENT, ABSENT = SessionStatus.PRESENT, SessionStatus.ABSENT


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine = open_engine(database_url)
    with open_sessions(engine)() as session:
        yield session
    engine.dispose()


@pytest.fixture
def school(session: Session) -> SmallSchool:
    return make_school(session)


def _marked(session: Session, school: SmallSchool, wanted: Wanted = Wanted()) -> list[int]:  # noqa: B008
    found = list_marked(session, school.id, wanted, NOW)
    return [school.students.index(one.student_id) for one in found]


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ([(0, PRESENT)], True),
        ([(1, PRESENT)], True),
        ([(2, SessionStatus.LATE)], True),
        ([(0, ABSENT)], False),
        ([(0, SessionStatus.LEFT_EARLY)], False),
        ([(1, PRESENT), (2, PRESENT)], True),
        ([(1, PRESENT), (2, ABSENT)], False),
        ([(2, PRESENT), (1, ABSENT)], True),
        ([(0, PRESENT), (2, ABSENT)], False),
    ],
    ids=str,
)
def test_the_word_about_the_latest_session_decides(
    session: Session, school: SmallSchool, said: list[tuple[int, SessionStatus]], counts: bool
) -> None:
    for position, status in said:
        add_mark(session, school, 0, SAID, position=position, status=status)
    assert _marked(session, school) == ([0] if counts else [])
    assert count_marked(session, school.id, NOW) == counts


@pytest.mark.parametrize(
    ("minutes", "is_inside", "is_closed", "counts"),
    [
        (-60, False, False, True),
        (-60, False, True, True),
        (-60, True, False, False),
        (60, True, False, False),
        (60, False, False, False),
        (60, False, True, False),
    ],
)
def test_only_what_was_seen_afterwards_takes_the_word_back(
    session: Session,
    school: SmallSchool,
    minutes: int,
    is_inside: bool,
    is_closed: bool,
    counts: bool,
) -> None:
    add_mark(session, school, 0, SAID)
    add_presence(
        session,
        school,
        0,
        SAID + timedelta(minutes=minutes),
        is_inside=is_inside,
        is_closed=is_closed,
    )
    assert _marked(session, school) == ([0] if counts else [])
    unsure = list_unsure(session, school.id, Wanted(), NOW)
    assert len(unsure) == (is_closed and not counts), "nobody stands on two lists"
    found = read_counts(session, school.id, NOW)
    assert (found.inside, found.unsure) == (int(is_inside), len(unsure))


def test_a_word_of_another_day_or_taken_back_or_of_who_left_the_school_is_none(
    session: Session, school: SmallSchool
) -> None:
    add_mark(session, school, 0, NOW - timedelta(days=1))
    add_mark(session, school, 1, SAID, ended_at=NOW)
    add_mark(session, school, 2, SAID)
    session.get_one(Student, school.students[2]).status = StudentStatus.TRANSFERRED
    session.flush()
    assert _marked(session, school) == []


def test_the_list_is_filtered(session: Session, school: SmallSchool) -> None:
    for student in range(4):
        add_mark(session, school, student, SAID)
    session.add(Boarding(school_id=school.id, student_id=school.students[1], from_on=NOW.date()))
    slip = make_slip(school, 2, NOW - timedelta(hours=1))
    slip.state = LeaveState.APPROVED
    session.add(slip)
    session.flush()
    assert _marked(session, school) == [0, 2, 1, 3]
    assert _marked(session, school, Wanted(homeroom_id=school.homerooms[1])) == [1, 3]
    assert _marked(session, school, Wanted(boards=Boards.BOARDER)) == [1]
    assert _marked(session, school, Wanted(is_on_leave=True)) == [2]
    assert _marked(session, school, Wanted(words="张")) == [0]
    assert _marked(session, school, Wanted(reader_id=0)) == []


@pytest.mark.parametrize(
    ("role", "scope", "seen"),
    [
        (Role.HOMEROOM_TEACHER, Scope.HOMEROOM, [0, 2]),
        (Role.GATE_GUARD, Scope.GATE, [0, 2, 1, 3]),
    ],
)
def test_a_teacher_sees_the_own_and_a_guard_everybody(
    session: Session, school: SmallSchool, role: Role, scope: Scope, seen: list[int]
) -> None:
    for student in range(4):
        add_mark(session, school, student, SAID)
    room = school.homerooms[0] if scope is Scope.HOMEROOM else None
    place = "校门" if scope is Scope.GATE else None
    narrow(session, school.id, [Grant(role, scope, homeroom_id=room, place=place)])
    assert _marked(session, school) == seen


def test_on_paper_they_stand_below_the_others_and_are_not_counted(
    session: Session, school: SmallSchool
) -> None:
    add_presence(session, school, 0, SAID)
    add_mark(session, school, 1, SAID)
    add_mark(session, school, 2, SAID)
    rolls = read_rolls(session, school.id, NOW)
    assert [(len(one.lines), one.inside, [line.name for line in one.marked]) for one in rolls] == [
        (1, 1, ["王小明"]),
        (0, 0, ["李四"]),
    ]
    [only] = read_rolls(session, school.id, NOW, homeroom_id=school.homerooms[1])
    assert [line.since_at for line in only.marked] == [SAID]

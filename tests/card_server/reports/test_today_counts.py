"""Today and the tray count whom *On campus* names, and miss nobody who stayed over night."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.correcting import Doing, Mark, correct
from card_server.attendance.facts import ALL_DAY
from card_server.audit.writing import SYSTEM
from card_server.reports.board import read_board, read_counts, time_of
from card_server.reports.on_campus import Part
from card_server.reports.on_campus import read_counts as read_on_campus
from card_server.reports.today_list import TodayWanted, list_today, read_today
from card_server.school_time import DISTRICT_ZONE, day_of
from card_server.staff.sessions import describe_school
from schema.tables.attendance import SessionStatus
from schema.tables.people import Student, StudentStatus
from schema.tables.school import Homeroom, School
from tests.card_server.attendance.judged_school import MONDAY, ZONE, JudgedSchool, at
from tests.card_server.web.campus_things import add_presence
from tests.card_server.web.small_school import SmallSchool, add_tap


def test_who_stayed_over_night_is_inside_and_not_missing(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    now = datetime.now(UTC)
    with sessions.begin() as session:
        add_tap(session, school, 0, at=now)
        add_presence(session, school, 1, now - timedelta(days=2))
    with sessions() as session:
        counts = read_counts(session, school.id, day_of(now, DISTRICT_ZONE))
    assert (counts.arrived, counts.inside, counts.not_yet) == (1, 2, len(school.students) - 2)


@pytest.mark.parametrize(
    ("status", "inside"),
    [
        (StudentStatus.ENROLLED, 1),
        (StudentStatus.SUSPENDED, 1),
        (StudentStatus.TRANSFERRED, 0),
        (StudentStatus.GRADUATED, 0),
    ],
)
def test_who_is_inside_is_the_same_everywhere(
    sessions: sessionmaker[Session], school: SmallSchool, status: StudentStatus, inside: int
) -> None:
    now = datetime.now(UTC)
    day = day_of(now, DISTRICT_ZONE)
    with sessions.begin() as session:
        add_presence(session, school, 0, now)
        session.get_one(Student, school.students[0]).status = status
    with sessions() as session:
        at = describe_school(session.get_one(School, school.id))
        board = read_board(session, at, time_of(day, now, DISTRICT_ZONE))
        named = read_on_campus(session, school.id, now)
        tray = read_counts(session, school.id, day)
    assert (board.total.inside, tray.inside, named.inside) == (inside,) * 3
    assert tray.not_yet == len(school.students) - 1
    enrolled = len(school.students) - (status is not StudentStatus.ENROLLED)
    assert board.total.students == tray.students == enrolled


def test_who_is_inside_and_of_a_homeroom_whose_year_is_over_is_counted_too(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    now = datetime.now(UTC)
    with sessions.begin() as session:
        add_presence(session, school, 0, now)
        student = session.get_one(Student, school.students[0])
        student.status = StudentStatus.SUSPENDED
        session.get_one(Homeroom, student.homeroom_id).is_past = True
        room = student.homeroom_id
    with sessions() as session:
        at = describe_school(session.get_one(School, school.id))
        board = read_board(session, at, time_of(day_of(now, DISTRICT_ZONE), now, DISTRICT_ZONE))
    assert [(row.id, row.counts.inside) for row in board.rows if row.counts.inside] == [(room, 1)]
    assert board.total.inside == 1


@pytest.mark.parametrize("status", [SessionStatus.PRESENT, SessionStatus.NOT_EXPECTED])
def test_whom_staff_judged_without_a_tap_nobody_waits_for(
    sessions: sessionmaker[Session], status: SessionStatus
) -> None:
    school = JudgedSchool(sessions)
    now = at(MONDAY, "09:00")
    school.tick(at(MONDAY, "00:01"))
    with sessions.begin() as session:
        doing = Doing(SYSTEM, school.school_id, ZONE, now)
        correct(session, doing, 1, MONDAY, Mark(ALL_DAY, status, None, "没带卡"))
    with sessions() as session:
        in_use = describe_school(session.get_one(School, school.school_id))
        time = time_of(MONDAY, now, ZONE)
        board = read_board(session, in_use, time)
        named = list_today(session, read_today(session, in_use, time), TodayWanted(), Part())
    assert (board.total.expected, board.total.not_yet) == (3, 2)
    assert [one.id for one in named] == [2, 3]


def test_nobody_waits_for_whom_the_registers_file_does_not_name_any_more(
    sessions: sessionmaker[Session],
) -> None:
    school = JudgedSchool(sessions)
    now = at(MONDAY, "09:00")
    with sessions.begin() as session:
        session.get_one(Student, 3).gone_at = at(MONDAY, "06:00")
    school.tick(at(MONDAY, "00:01"))
    school.report(now)
    school.tick(now)
    with sessions() as session:
        in_use = describe_school(session.get_one(School, school.school_id))
        time = time_of(MONDAY, now, ZONE)
        board = read_board(session, in_use, time)
        named = list_today(session, read_today(session, in_use, time), TodayWanted(), Part())
    assert (board.total.expected, board.total.absent, board.total.not_yet) == (2, 2, 0)
    assert [one.id for one in named] == [1, 2]

"""What is changed in the register or the calendar is judged in the same transaction."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from card_server.attendance.correcting import Doing, Mark, correct, end_correction
from card_server.attendance.exempting import ExemptTime, exempt
from card_server.attendance.facts import DayPlan, SessionPlan
from card_server.attendance.follow_calendar import Settled, follow
from card_server.attendance.refold import refold
from card_server.audit.writing import SYSTEM
from card_server.calendar.changing_rules import change_rules
from card_server.calendar.entries import EntrySettings, say, take_back
from card_server.calendar.rules import Rules
from card_server.calendar.sessions import SessionHours, change_hours
from card_server.calendar.timetables import TimetableSettings, add_timetable
from card_server.people.boarding import set_boarding
from card_server.people.stays import move_student
from card_server.people.student_status import StatusChange, change_status
from card_server.register.terms import find_term, remove_term
from card_server.storage.database import open_sessions
from schema.tables.attendance import (
    Attendance,
    Deadline,
    HomeroomDay,
    Presence,
    SessionStatus,
)
from schema.tables.calendar import DayKind, DayPart, ForWhom
from schema.tables.people import StudentStatus
from schema.tables.school import Homeroom
from tests.card_server.attendance.judged_school import MONDAY, ZONE, JudgedSchool, at

_LATER = (
    SessionHours("上午", DayPart.MORNING, 480, 540, 570, 710, 720),
    SessionHours("下午", DayPart.AFTERNOON, 780, 840, 870, 1010, 1020),
)
"""The first lesson at 09:00 and not at 08:00."""


@pytest.fixture
def school(engine: Engine) -> JudgedSchool:
    """Monday at 08:20: student 1 is in time, student 2 late, nothing is due."""
    made = JudgedSchool(open_sessions(engine))
    made.tick(at(MONDAY, "00:01"))
    made.record([made.pass_gate(1, MONDAY, "07:31"), made.pass_gate(2, MONDAY, "08:15")])
    return made


def change(school: JudgedSchool, what: Callable[[Session], object]) -> None:
    """All in one transaction, as a page does it."""
    with school.sessions.begin() as session:
        what(session)


def judge_morning(school: JudgedSchool) -> None:
    """08:35, and every gate has reported."""
    school.report(at(MONDAY, "08:35"))
    school.tick(at(MONDAY, "08:35"))


def judge_afternoon(school: JudgedSchool, clock: str = "14:35") -> None:
    school.report(at(MONDAY, clock))
    school.tick(at(MONDAY, clock))


def later_hours(school: JudgedSchool, clock: str) -> Callable[[Session], object]:
    """The timetable of the school is another one from now on."""
    moment = at(MONDAY, clock)
    return lambda session: change_hours(session, SYSTEM, school.school_id, 1, [1], _LATER, moment)


def closed(clock: str, school: JudgedSchool) -> Callable[[Session], object]:
    wanted = EntrySettings(MONDAY, MONDAY, DayKind.CLOSED, note="暴雪停课")
    return lambda session: say(session, SYSTEM, school.school_id, wanted, at(MONDAY, clock))


def second_room(school: JudgedSchool, moment: datetime) -> int:
    """A homeroom with hours of its own: who comes at 08:15 is in time there."""
    with school.sessions.begin() as session:
        room = Homeroom(school_id=school.school_id, grade=8, name="八(1)班", school_year=2026)
        session.add(room)
        session.flush()
        wanted = TimetableSettings("八年级", date(2026, 9, 1), homerooms=(room.id,))
        row = add_timetable(session, SYSTEM, school.school_id, wanted, moment)
        change_hours(session, SYSTEM, school.school_id, row.id, [1], _LATER, moment)
        return room.id


def test_a_move_is_judged_by_the_hours_of_the_new_homeroom(school: JudgedSchool) -> None:
    now = at(MONDAY, "08:20")
    room = second_room(school, now)
    assert school.statuses(2) == ["late", "not_judged"]
    args = (SYSTEM, school.school_id, 2, room, MONDAY, now, ZONE)
    change(school, lambda session: move_student(session, *args))
    assert school.statuses(2) == ["present", "not_judged"]
    counts = {
        row.homeroom_id: (row.arrived, row.late, row.inside) for row in school.rows(HomeroomDay)
    }
    assert counts.pop(room) == (1, 0, 1)
    assert list(counts.values()) == [(1, 0, 1)]


def board(
    school: JudgedSchool, student: int, day: date = MONDAY, *, is_boarding: bool = True
) -> None:
    """From that day on the student boards, or boards no more."""
    args = (SYSTEM, school.school_id, student, is_boarding, day, at(day, "08:40"), ZONE)
    change(school, lambda session: set_boarding(session, *args))


def test_who_begins_to_board_is_absent_no_more_and_who_ends_is_again(school: JudgedSchool) -> None:
    judge_morning(school)
    assert school.statuses(3)[0] == "absent"
    board(school, 3)
    assert (school.statuses(3)[0], school.count().absent) == ("not_expected", 0)
    board(school, 3, is_boarding=False)
    assert (school.statuses(3)[0], school.count().absent) == ("absent", 1)


def test_who_boards_no_more_has_no_evening_study_of_boarders(engine: Engine) -> None:
    school = JudgedSchool(open_sessions(engine), boarders=[1])
    school.add_evening(ForWhom.BOARDERS)
    school.tick(at(MONDAY, "00:01"))
    school.record([school.pass_gate(1, MONDAY, "07:31")])
    for clock in ("08:31", "14:31", "19:01"):
        school.report(at(MONDAY, clock))
        school.tick(at(MONDAY, clock))
    assert school.statuses(1) == ["present", "present", "present"]
    args = (SYSTEM, school.school_id, 1, False, MONDAY, at(MONDAY, "19:30"), ZONE)
    change(school, lambda session: set_boarding(session, *args))
    assert school.statuses(1) == ["present", "present", "not_expected"]


def test_an_exempt_boarder_is_on_campus_over_night(school: JudgedSchool) -> None:
    board(school, 1)
    wanted = ExemptTime(MONDAY, None, "走训")
    args = (SYSTEM, school.school_id, 1, wanted, at(MONDAY, "09:00"), ZONE)
    change(school, lambda session: exempt(session, *args))
    judge_afternoon(school, "23:00")
    school.tick(at(MONDAY + timedelta(days=1), "06:00"))
    [place] = [row for row in school.rows(Presence) if row.student_id == 1]
    assert place.is_inside
    assert set(school.statuses(1)) == {"not_expected"}


def test_who_boards_no_more_is_out_at_night_even_if_no_clock_ran(school: JudgedSchool) -> None:
    tuesday, wednesday = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
    board(school, 1)
    board(school, 1, tuesday, is_boarding=False)
    tap = school.pass_gate(1, wednesday, "21:55", "gate")
    school.record([tap])
    row = school.day(1, wednesday)
    assert row
    assert (row.arrived_at, row.departed_at) == (tap.occurred_at, None)


def test_a_coming_day_of_boarding_counts_when_it_comes(school: JudgedSchool) -> None:
    """Said on Monday: student 1 boards from Tuesday until Thursday. No job has to run for it."""
    tuesday, wednesday, thursday = (MONDAY + timedelta(days=n) for n in (1, 2, 3))
    for is_boarding, on in ((True, tuesday), (False, thursday)):
        args = (SYSTEM, school.school_id, 1, is_boarding, on, at(MONDAY, "08:40"), ZONE)
        with school.sessions.begin() as session:
            set_boarding(session, *args)
    judge_afternoon(school, "23:00")
    assert not is_inside(school, 1), "on Monday the school closes upon a day student"
    for day in (tuesday, wednesday):
        school.tick(at(day, "00:01"))
        if day == tuesday:
            school.record([school.pass_gate(1, day, "21:00")])
        school.report(at(day, "23:59"))
        school.tick(at(day, "23:59"))
        assert is_inside(school, 1), day
    assert school.statuses(1, tuesday) == ["not_expected", "not_expected"]
    assert school.day(1, thursday) is None
    school.tick(at(thursday, "00:11"))
    school.report(at(thursday, "14:35"))
    school.tick(at(thursday, "14:35"))
    assert school.statuses(1, thursday) == ["present", "present"], "there since Tuesday"
    school.report(at(thursday, "22:01"))
    school.tick(at(thursday, "22:01"))
    assert not is_inside(school, 1), "on Thursday the student goes home"


def is_inside(school: JudgedSchool, student: int) -> bool:
    [place] = [row for row in school.rows(Presence) if row.student_id == student]
    return bool(place.is_inside)


def become(school: JudgedSchool, status: StudentStatus, on: date, now: datetime) -> None:
    args = (SYSTEM, school.school_id, 3, StatusChange(status, on), now, ZONE)
    change(school, lambda session: change_status(session, *args))


@pytest.mark.parametrize("status", [StudentStatus.SUSPENDED, StudentStatus.TRANSFERRED])
def test_who_left_is_not_absent_since_and_stays_so_after_the_return(
    school: JudgedSchool, status: StudentStatus
) -> None:
    judge_morning(school)
    before = school.statuses(3)
    become(school, status, MONDAY, at(MONDAY, "08:40"))
    assert (school.statuses(3), school.count().absent) == (["not_expected"] * 2, 0)
    judge_afternoon(school)
    assert school.statuses(3) == ["not_expected"] * 2
    become(
        school,
        StudentStatus.ENROLLED,
        MONDAY + timedelta(days=1),
        at(MONDAY, "23:59") + timedelta(hours=9),
    )
    assert before[0] == "absent"
    assert school.statuses(3) == ["not_expected"] * 2


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("clock", ["06:00", "08:40"])
def test_what_staff_say_of_a_day_of_suspension_makes_nobody_absent(
    school: JudgedSchool, position: int, clock: str
) -> None:
    judge_morning(school)
    become(school, StudentStatus.SUSPENDED, MONDAY, at(MONDAY, clock))
    judge_afternoon(school)
    over = at(MONDAY + timedelta(days=1), "09:00")
    become(school, StudentStatus.ENROLLED, MONDAY + timedelta(days=1), over)
    doing = Doing(SYSTEM, school.school_id, ZONE, over, is_school=True)
    with school.sessions.begin() as session:
        mark = Mark(position, SessionStatus.PRESENT, None, "还书包")
        correction_id = correct(session, doing, 3, MONDAY, mark).id
    afternoon = "not_expected" if position else "present"
    assert school.statuses(3) == ["present", afternoon]
    change(school, lambda session: refold(session, school.school_id, 3, MONDAY, MONDAY, over))
    assert school.statuses(3) == ["present", afternoon]
    change(school, lambda session: end_correction(session, doing, correction_id))
    assert school.statuses(3) == ["not_expected"] * 2


def test_a_tap_that_comes_in_late_makes_nobody_absent_who_left(school: JudgedSchool) -> None:
    received = at(MONDAY, "15:00")
    late = [
        school.pass_gate(3, MONDAY, "07:50", received_at=received),
        school.pass_gate(3, MONDAY, "08:31", "gate-out", received_at=received),
    ]
    judge_morning(school)
    become(school, StudentStatus.SUSPENDED, MONDAY, at(MONDAY, "08:40"))
    judge_afternoon(school)
    school.record(late)
    row = school.day(3)
    assert row is not None
    assert row.arrived_at == at(MONDAY, "07:50")
    assert (school.statuses(3), school.count().absent) == (["not_expected"] * 2, 0)
    before = school.statuses(3)
    change(
        school,
        lambda session: refold(session, school.school_id, 3, MONDAY, MONDAY, at(MONDAY, "15:01")),
    )
    assert school.statuses(3) == before


def test_who_boarded_and_left_is_not_absent_since_when_an_older_day_is_judged(
    engine: Engine,
) -> None:
    school = JudgedSchool(open_sessions(engine), boarders=[3])
    tuesday = MONDAY + timedelta(days=1)
    now = at(tuesday, "15:00")
    for day, clock in (
        (MONDAY, "00:01"),
        (MONDAY, "15:00"),
        (tuesday, "00:01"),
        (tuesday, "15:00"),
    ):
        school.report(at(day, clock))
        school.tick(at(day, clock))
    become(school, StudentStatus.SUSPENDED, tuesday, now)
    assert school.statuses(3, tuesday) == ["not_expected"] * 2
    change(school, lambda session: refold(session, school.school_id, 3, MONDAY, MONDAY, now))
    assert school.statuses(3, tuesday) == ["not_expected"] * 2


@pytest.mark.parametrize("until", [1, 5])
def test_who_boarded_until_leaving_is_not_inside_for_ever(engine: Engine, until: int) -> None:
    school = JudgedSchool(open_sessions(engine), boarders=[3])
    school.tick(at(MONDAY, "00:01"))
    school.record([school.pass_gate(3, MONDAY, "17:00")])
    last = MONDAY + timedelta(days=until)
    school.tick(at(last, "00:01"))
    become(school, StudentStatus.SUSPENDED, last, at(last, "20:00"))
    school.tick(at(last, "23:00"))
    school.tick(at(last + timedelta(days=1), "00:10"))
    [there] = [row for row in school.rows(Presence) if row.student_id == 3]
    assert (there.is_inside, there.is_closed, there.since_at) == (False, True, at(last, "22:00"))


def test_who_comes_back_is_expected_from_that_day(school: JudgedSchool) -> None:
    become(school, StudentStatus.SUSPENDED, MONDAY, at(MONDAY, "08:21"))
    judge_morning(school)
    assert school.statuses(3) == []
    become(school, StudentStatus.ENROLLED, MONDAY, at(MONDAY, "08:40"))
    assert school.statuses(3)[0] == "absent"


def test_a_timetable_that_changes_in_the_morning_counts_for_who_is_here(
    school: JudgedSchool,
) -> None:
    assert (school.statuses(2)[0], school.count().late) == ("late", 1)
    change(school, later_hours(school, "08:20"))
    assert (school.statuses(2)[0], school.count().late) == ("present", 0)
    due = {row.position: row.due_at for row in school.rows(Deadline)}
    assert due[1] == at(MONDAY, "09:31")


def test_what_is_judged_stays_and_the_rest_of_the_day_follows(school: JudgedSchool) -> None:
    judge_morning(school)
    change(school, closed("11:00", school))
    assert [school.statuses(one) for one in (1, 2, 3)] == [["present"], ["late"], ["absent"]]
    assert {row.position for row in school.rows(Deadline)} == {0, 1}
    judge_afternoon(school)
    assert school.statuses(3) == ["absent"]


def test_what_was_said_of_today_can_be_taken_back(school: JudgedSchool) -> None:
    change(school, closed("08:20", school))
    assert school.statuses(2) == []
    with school.sessions.begin() as session:
        take_back(session, SYSTEM, school.school_id, 1, at(MONDAY, "08:25"))
    assert school.statuses(2) == ["late", "not_judged"]
    judge_morning(school)
    assert school.statuses(3)[0] == "absent"


def test_a_day_whose_hour_of_closing_has_come_stays_as_it_was(school: JudgedSchool) -> None:
    school.tick(at(MONDAY, "22:01"))
    before = school.values(Attendance)
    change(school, later_hours(school, "22:02"))
    assert school.values(Attendance) == before


def test_the_hour_of_closing_and_the_term_count_for_today(school: JudgedSchool) -> None:
    now = at(MONDAY, "08:30")
    rules = Rules(closes=20 * 60)
    change(school, lambda s: change_rules(s, SYSTEM, school.school_id, rules, now))
    due = {row.position: row.due_at for row in school.rows(Deadline)}
    assert due[0] == at(MONDAY, "20:00")
    with school.sessions.begin() as session:
        find_term(session, school.school_id, 1)
        remove_term(session, SYSTEM, school.school_id, 1, now)
    assert school.statuses(2) == []


def test_who_is_judged_and_never_came_has_no_place(school: JudgedSchool) -> None:
    judge_morning(school)
    assert school.statuses(3)[0] == "absent"
    assert {row.student_id for row in school.rows(Presence)} == {1, 2}


def _session(position: int, late_after: int) -> SessionPlan:
    times = (late_after - 60, late_after, late_after + 30, late_after + 180, late_after + 200)
    return SessionPlan(position, "", DayPart.MORNING, *times)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ([(1, 540), (2, 840)], [(1, 480), (2, 840)]),
        ([(1, 420), (2, 540), (3, 840)], [(1, 480), (3, 840)]),
        ([(1, 840)], [(1, 480), (2, 840)]),
        ([(1, 840), (90, 1110)], [(1, 480), (2, 840), (90, 1110)]),
        ([], [(1, 480)]),
    ],
)
def test_a_session_that_is_judged_takes_the_place_of_those_at_its_time(
    wanted: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    kept = DayPlan(DayKind.LESSONS, (_session(1, 480), _session(2, 800)))
    now = DayPlan(DayKind.LESSONS, tuple(_session(*one) for one in wanted))
    found = follow(kept, now, Settled({1}))
    assert [(one.position, one.late_after) for one in found.sessions] == expected
    assert follow(kept, now, Settled(set())) == now
    assert follow(kept, now, Settled(set(), is_closed=True)) == kept

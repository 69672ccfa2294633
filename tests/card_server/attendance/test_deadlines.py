"""Absence when its time has come and every gate has reported; the hour of closing; days begun."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, update

from card_server.attendance.begin_days import begin_days
from card_server.attendance.deadlines import NO_GATE, judge_due
from card_server.storage.database import open_engine, open_sessions
from schema.tables.attendance import DayPlanRow, Deadline, HomeroomDay, Presence
from schema.tables.calendar import ForWhom
from schema.tables.messages import Message, MessageKind
from schema.tables.people import Student, StudentStatus
from tests.card_server.attendance.judged_school import MONDAY, JudgedSchool, at


@pytest.fixture
def school(engine: Engine) -> JudgedSchool:
    return JudgedSchool(open_sessions(engine))


def begin(school: JudgedSchool, day: date = MONDAY) -> None:
    school.tick(at(day, "00:01"))


def test_who_has_not_come_is_absent_once_all_gates_have_reported(school: JudgedSchool) -> None:
    begin(school)
    school.record([school.pass_gate(1, MONDAY, "07:31"), school.pass_gate(2, MONDAY, "08:10")])
    school.report(at(MONDAY, "08:31"))
    school.tick(at(MONDAY, "08:31"))
    assert school.statuses(1)[0] == "present"
    assert school.statuses(2)[0] == "late"
    assert school.statuses(3)[0] == "absent"
    count = school.count()
    assert (count.arrived, count.late, count.absent, count.inside) == (2, 1, 1, 2)


@pytest.mark.parametrize(
    ("for_whom", "told", "absent"),
    [
        (ForWhom.BOARDERS, ["not_expected", "not_expected", "present"], 0),
        (ForWhom.EVERYBODY, ["absent", "absent", "present"], 2),
        (ForWhom.DAY_STUDENTS, ["absent", "absent", "not_expected"], 2),
    ],
)
def test_who_goes_home_in_the_afternoon_misses_no_evening_study_for_boarders(
    engine: Engine, for_whom: ForWhom, told: list[str], absent: int
) -> None:
    school = JudgedSchool(open_sessions(engine), boarders=[3])
    school.add_evening(for_whom)
    begin(school)
    came = [school.pass_gate(one, MONDAY, "07:31") for one in (1, 2, 3)]
    school.record([*came, *(school.pass_gate(one, MONDAY, "17:00", "gate-out") for one in (1, 2))])
    for clock in ("08:31", "14:31", "19:01"):
        school.report(at(MONDAY, clock))
        school.tick(at(MONDAY, clock))
    assert [school.statuses(one) for one in (1, 2, 3)] == [
        ["present", "present", one] for one in told
    ]
    assert (school.count().absent, school.count().left_early) == (absent, 0)
    assert len([one for one in school.rows(Message) if one.kind is MessageKind.ABSENCE]) == absent


def test_a_dark_gate_keeps_no_day_of_which_nothing_is_judged(engine: Engine) -> None:
    school = JudgedSchool(open_sessions(engine))
    school.add_evening(ForWhom.BOARDERS)
    begin(school)
    school.tick(at(MONDAY, "23:00"))
    assert school.day(1) is None


def test_a_gate_in_the_dark_delays_and_is_named(school: JudgedSchool) -> None:
    begin(school)
    school.report(at(MONDAY, "08:40"), "gate-in", "gate")
    school.report(at(MONDAY, "08:30"), "gate-out")
    school.tick(at(MONDAY, "08:45"))
    assert school.day(3) is None
    [waiting] = [one for one in school.rows(Deadline) if one.position == 1]
    assert (waiting.judged_at, waiting.waiting_for) == (
        None,
        str(school.campus.readers["gate-out"]),
    )
    school.report(None, "gate-out")
    school.tick(at(MONDAY, "08:50"))
    assert school.day(3) is None
    school.record([school.pass_gate(3, MONDAY, "07:50", received_at=at(MONDAY, "08:55"))])
    school.report(at(MONDAY, "08:55"), "gate-out")
    school.tick(at(MONDAY, "08:55"))
    assert [school.statuses(one)[0] for one in (1, 2, 3)] == ["absent", "absent", "present"]
    [judged] = [one for one in school.rows(Deadline) if one.position == 1]
    assert (judged.judged_at, judged.waiting_for) == (at(MONDAY, "08:55"), "")


def test_a_gate_that_was_never_heard_of_is_not_waited_for(school: JudgedSchool) -> None:
    begin(school)
    school.report(at(MONDAY, "08:40"), "gate-in")
    school.tick(at(MONDAY, "08:45"))
    assert school.statuses(3)[0] == "absent"


def test_without_any_gate_that_was_heard_of_nobody_is_absent(school: JudgedSchool) -> None:
    begin(school)
    school.tick(at(MONDAY, "23:00"))
    assert school.day(3) is None
    assert {one.waiting_for for one in school.rows(Deadline)} == {NO_GATE}
    assert {one.judged_at for one in school.rows(Deadline)} == {None}


def test_nothing_is_judged_before_its_time(school: JudgedSchool) -> None:
    begin(school)
    school.report(at(MONDAY, "12:00"))
    school.tick(at(MONDAY, "08:30"))
    assert school.day(3) is None


def test_a_tap_that_comes_after_the_judgement_mends_it(school: JudgedSchool) -> None:
    begin(school)
    school.report(at(MONDAY, "08:31"))
    school.tick(at(MONDAY, "08:31"))
    school.record([school.pass_gate(1, MONDAY, "07:59", received_at=at(MONDAY, "09:30"))])
    assert school.statuses(1)[0] == "present"
    assert school.count().absent == 2


def test_what_was_judged_stays_when_a_gate_goes_dark(school: JudgedSchool) -> None:
    begin(school)
    school.report(at(MONDAY, "08:31"))
    school.tick(at(MONDAY, "08:31"))
    school.report(None)
    school.record([school.pass_gate(1, MONDAY, "09:00", "gate-out")])
    assert school.statuses(1)[0] == "absent"


def test_a_day_without_any_tap_is_judged_and_a_closed_one_has_no_absence(
    school: JudgedSchool,
) -> None:
    sunday = MONDAY - timedelta(days=1)
    begin(school, sunday)
    begin(school)
    school.report(at(MONDAY, "23:00"))
    school.tick(at(MONDAY, "23:00"))
    assert [school.statuses(one) for one in (1, 2, 3)] == [["absent", "absent"]] * 3
    assert school.day(1, sunday) is None
    assert (school.count().absent, school.count().arrived) == (3, 0)


def test_days_of_an_outage_follow_and_a_new_school_begins_today(school: JudgedSchool) -> None:
    begin(school)
    assert {row.day for row in school.rows(DayPlanRow)} == {MONDAY}
    begin(school, MONDAY + timedelta(days=3))
    assert {row.day - MONDAY for row in school.rows(DayPlanRow)} == {
        timedelta(days=n) for n in range(4)
    }


def test_a_boarder_is_not_absent_from_lessons(engine: Engine) -> None:
    school = JudgedSchool(open_sessions(engine), boarders=[3])
    begin(school)
    school.report(at(MONDAY, "08:31"))
    school.tick(at(MONDAY, "08:31"))
    assert school.statuses(3)[0] == "not_expected"


def test_who_is_not_of_the_school_on_that_day_is_not_absent(school: JudgedSchool) -> None:
    with school.sessions.begin() as session:
        session.execute(
            update(Student)
            .where(Student.id == 1)
            .values(status=StudentStatus.TRANSFERRED, status_since=MONDAY)
        )
        session.execute(
            update(Student).where(Student.id == 2).values(status_since=MONDAY + timedelta(days=1))
        )
    begin(school)
    school.report(at(MONDAY, "08:31"))
    school.tick(at(MONDAY, "08:31"))
    assert school.day(1) is None
    assert school.day(2) is None
    assert school.statuses(3)[0] == "absent"


def test_the_school_closes_at_its_hour_and_a_later_exit_mends_it(school: JudgedSchool) -> None:
    begin(school)
    school.record([school.pass_gate(1, MONDAY, "07:31"), school.pass_gate(2, MONDAY, "07:31")])
    school.record([school.pass_gate(2, MONDAY, "17:00", "gate-out")])
    school.tick(at(MONDAY, "21:59"))
    assert school.count().inside == 1
    school.tick(at(MONDAY, "22:00"))
    where = {row.student_id: row for row in school.rows(Presence)}
    assert (where[1].is_inside, where[1].is_closed) == (False, True)
    assert where[1].since_at == at(MONDAY, "22:00")
    assert where[2].is_closed is False
    assert school.count().inside == 0
    row = school.day(1)
    assert row is not None
    assert row.findings == "forgotten_exit"
    school.record([school.pass_gate(1, MONDAY, "22:10", "gate-out")])
    where = {row.student_id: row for row in school.rows(Presence)}
    assert (where[1].is_closed, where[1].since_at) == (False, at(MONDAY, "22:10"))
    row = school.day(1)
    assert row is not None
    assert row.findings == ""


def test_closing_waits_for_no_gate_but_what_it_judges_does(school: JudgedSchool) -> None:
    begin(school)
    school.record([school.pass_gate(1, MONDAY, "07:31")])
    school.report(at(MONDAY, "07:40"))
    school.tick(at(MONDAY, "22:00"))
    assert {row.is_closed for row in school.rows(Presence) if row.student_id == 1} == {True}
    assert school.day(3) is None
    school.report(at(MONDAY, "23:00"))
    school.tick(at(MONDAY, "23:00"))
    assert school.statuses(3) == ["absent", "absent"]
    assert all(one.judged_at for one in school.rows(Deadline))


def test_boarders_stay_and_who_comes_after_closing_is_out_at_midnight(engine: Engine) -> None:
    school = JudgedSchool(open_sessions(engine), boarders=[2])
    begin(school)
    school.record([school.pass_gate(1, MONDAY, "22:30"), school.pass_gate(2, MONDAY, "22:30")])
    school.tick(at(MONDAY, "23:00"))
    assert {row.student_id for row in school.rows(Presence) if row.is_inside} == {1, 2}
    tuesday = MONDAY + timedelta(days=1)
    school.tick(at(tuesday, "00:10"))
    where = {row.student_id: row for row in school.rows(Presence)}
    assert (where[1].is_inside, where[1].since_at) == (False, at(tuesday, "00:00"))
    assert where[2].is_inside
    assert sum(row.inside for row in school.rows(HomeroomDay)) == 1


def test_two_clock_processes_at_once_judge_everybody_once(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    school = JudgedSchool(open_sessions(engine), students=120)
    now = at(MONDAY, "23:00")
    school.record([school.pass_gate(one, MONDAY, "07:31") for one in range(1, 41)])
    school.report(now)

    def work(_: int) -> None:
        for task in (begin_days, judge_due):
            with school.sessions() as session:
                task(session, now)
                session.commit()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    counts = [row for row in school.rows(HomeroomDay) if row.day == MONDAY]
    assert sum(row.arrived for row in counts) == 40
    assert sum(row.absent for row in counts) == 80
    assert all(one.judged_at for one in school.rows(Deadline))
    engine.dispose()


def test_a_live_tap_after_an_outage_does_not_hide_the_days_before_it(
    school: JudgedSchool,
) -> None:
    begin(school)
    wednesday = MONDAY + timedelta(days=2)
    school.record([school.pass_gate(1, wednesday, "07:40")])
    school.tick(at(wednesday, "07:41"))
    tuesday = MONDAY + timedelta(days=1)
    assert {row.day for row in school.rows(DayPlanRow)} == {MONDAY, tuesday, wednesday}


def test_a_tap_of_an_older_day_does_not_make_a_new_school_judge_that_day(
    school: JudgedSchool,
) -> None:
    wednesday = MONDAY + timedelta(days=2)
    late = school.pass_gate(1, MONDAY, "07:40", received_at=at(wednesday, "07:00"))
    school.record([late])
    school.tick(at(wednesday, "07:41"))
    assert {row.day for row in school.rows(DayPlanRow)} == {MONDAY, wednesday}

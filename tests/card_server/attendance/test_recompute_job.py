"""Days are judged anew in two steps: what a try-out shows is applied, just that or nothing."""

import json
import threading
from collections.abc import Callable, Mapping
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance import recompute
from card_server.attendance.day_book import Rewritten
from card_server.attendance.recompute_asking import apply_trial, ask_trial, find_recomputation
from card_server.attendance.recompute_job import StatusChange, Trial
from card_server.attendance.recompute_reach import Reach, read_reach
from card_server.attendance.recomputed import Recomputed
from card_server.attendance.rows import DayRow
from card_server.audit.writing import SYSTEM
from card_server.calendar.entries import take_back
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.jobs.queue import cancel
from card_server.jobs.report import find_job
from card_server.staff.sessions import describe_school
from schema.messages import utc_now
from schema.tables.attendance import Attendance, DayPlanRow, Deadline, SessionStatus
from schema.tables.audit import AuditEntry
from schema.tables.calendar import CalendarEntry
from schema.tables.jobs import Job, JobState
from schema.tables.messages import Message
from schema.tables.metadata import Table
from schema.tables.school import School
from schema.tables.staff import StaffGrant
from tests.card_server.attendance.changed_school import (
    GRADE,
    add_head,
    ask_to_apply,
    asker_of,
    found_by,
    make_changed_school,
    room_of,
)
from tests.card_server.attendance.judged_school import MONDAY, JudgedSchool
from tests.card_server.jobs.desk import do_next, read

TUESDAY = MONDAY + timedelta(days=1)
DAY = Reach(MONDAY, TUESDAY)
ABSENT, LATE, PRESENT = SessionStatus.ABSENT, SessionStatus.LATE, SessionStatus.PRESENT
_OF_JOBS = {"job", "job_piece", "audit_entry", "audit_detail", "audit_head"}


@pytest.fixture
def school(sessions: sessionmaker[Session]) -> JudgedSchool:
    made = make_changed_school(sessions)
    add_head(sessions, made.school_id)
    return made


def try_out(school: JudgedSchool, engine: Engine, reach: Reach = DAY) -> int:
    """The id of a try-out that has ended."""
    with school.sessions.begin() as session:
        in_use = describe_school(session.get_one(School, school.school_id))
        job_id = ask_trial(session, asker_of(session, school), in_use, reach, utc_now())
    assert do_next(engine)
    assert read(school.sessions, job_id).state is JobState.DONE
    return job_id


def everything(school: JudgedSchool) -> dict[str, list[str]]:
    """Every row of every table, but for jobs and the audit log."""
    with school.sessions() as session:
        return {
            table.name: sorted(str(row) for row in session.execute(table.select()))
            for table in Table.metadata.sorted_tables
            if table.name not in _OF_JOBS
        }


def statuses(school: JudgedSchool) -> list[list[str]]:
    return [school.statuses(student) for student in (1, 2, 3)]


def noted(school: JudgedSchool) -> list[str]:
    return [row.action for row in school.rows(AuditEntry) if row.action.startswith("attendance.")]


def message_of(school: JudgedSchool, job_id: int) -> str:
    job = read(school.sessions, job_id)
    return str(job.message % json.loads(job.message_values))


def test_a_try_out_shows_the_difference_and_changes_nothing(
    school: JudgedSchool, engine: Engine
) -> None:
    before = everything(school)
    assert statuses(school)[1] == ["absent", "absent"]
    trial_id = try_out(school, engine)
    assert everything(school) == before
    assert noted(school) == []
    trial = found_by(school, trial_id)
    assert (trial.students, trial.changed_days, trial.changed_students) == (3, 3, 3)
    assert (trial.differing, trial.same_status, trial.is_nothing) == (2, 0, False)
    assert set(trial.statuses) == {
        StatusChange(ABSENT, None, 4),
        StatusChange(LATE, None, 1),
        StatusChange(PRESENT, None, 1),
    }
    assert dict(trial.homerooms) == {room_of(school, 1): 2, room_of(school, 3): 1}
    [first] = [one for one in trial.days if one.student_id == 1]
    assert (first.day, [one.name for one in first.sessions]) == (MONDAY, ["上午", "下午"])
    assert "3 days of 3 students would change" in message_of(school, trial_id)


def test_what_was_seen_is_applied_noted_and_told_to_nobody(
    school: JudgedSchool, engine: Engine
) -> None:
    told = [row.id for row in school.rows(Message)]
    trial_id = try_out(school, engine)
    job_id = ask_to_apply(school, trial_id)
    assert do_next(engine)
    assert read(school.sessions, job_id).state is JobState.DONE
    assert message_of(school, job_id) == "Judged anew: 3 days of 3 students have changed."
    assert statuses(school) == [[], [], []]
    assert noted(school) == ["attendance.recompute_begun", "attendance.recomputed"]
    assert [row.id for row in school.rows(Message)] == told
    again = found_by(school, try_out(school, engine))
    assert (again.changed_days, again.differing, again.is_nothing) == (0, 0, True)


def test_what_is_applied_already_is_not_applied_again(school: JudgedSchool, engine: Engine) -> None:
    trial_id = try_out(school, engine)
    for state in (JobState.DONE, JobState.FAILED):
        job_id = ask_to_apply(school, trial_id)
        assert do_next(engine)
        assert read(school.sessions, job_id).state is state
    assert noted(school).count("attendance.recomputed") == 1


def _open_again(school: JudgedSchool) -> None:
    with school.sessions.begin() as session:
        [entry] = session.scalars(select(CalendarEntry)).all()
        take_back(session, SYSTEM, school.school_id, entry.id, utc_now())


def _come_late(school: JudgedSchool) -> None:
    school.record([school.pass_gate(2, MONDAY, "07:50")])


@pytest.mark.parametrize("change", [_open_again, _come_late])
def test_what_is_another_by_then_is_refused_and_nothing_changes(
    school: JudgedSchool, engine: Engine, change: Callable[[JudgedSchool], None]
) -> None:
    trial_id = try_out(school, engine)
    change(school)
    before = everything(school)
    job_id = ask_to_apply(school, trial_id)
    assert do_next(engine)
    assert read(school.sessions, job_id).state is JobState.FAILED
    assert "not what they were when you looked" in message_of(school, job_id)
    assert everything(school) == before
    assert noted(school) == []


def test_today_goes_on_while_somebody_looks(school: JudgedSchool) -> None:
    """Only days that are over tell one difference from another."""
    found = {}
    for today in (MONDAY, TUESDAY):
        for student in (1, 2):
            result = Recomputed(today)
            result.note(_changed(school, student))
            found[today, student] = result.seen
    assert found[MONDAY, 1] == found[MONDAY, 2]
    assert found[TUESDAY, 1] != found[TUESDAY, 2]


def _changed(school: JudgedSchool, student: int) -> Rewritten:
    [row] = [
        DayRow(**values)
        for values in school.values(Attendance)
        if (values["student_id"], values["day"]) == (student, MONDAY)
    ]
    return Rewritten(None, row)


@pytest.mark.parametrize("is_grade", [True, False])
def test_one_grade_or_homeroom_alone(school: JudgedSchool, engine: Engine, is_grade: bool) -> None:
    room = room_of(school, 3)
    reach = DAY._replace(grade=GRADE) if is_grade else DAY._replace(homeroom_id=room)
    others = _days_of_others(school, room)
    trial_id = try_out(school, engine, reach)
    trial = found_by(school, trial_id)
    assert ([one.student_id for one in trial.days], trial.students) == ([3], 1)
    job_id = ask_to_apply(school, trial_id)
    assert do_next(engine)
    assert read(school.sessions, job_id).state is JobState.DONE
    assert statuses(school) == [["late", "present"], ["absent", "absent"], []]
    assert _days_of_others(school, room) == others
    rest = found_by(school, try_out(school, engine))
    assert [one.student_id for one in rest.days] == [1, 2]


def _days_of_others(school: JudgedSchool, room: int) -> list[object]:
    return [
        row
        for table in (DayPlanRow, Deadline)
        for row in school.values(table)
        if row["homeroom_id"] != room
    ]


class _StopsOnceBegun(threading.Event):
    """The server is stopped as soon as the first days have changed."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        super().__init__()
        self._sessions = sessions

    def is_set(self) -> bool:
        with self._sessions() as session:
            begun = Job.parameters.contains('"begun"')
            return session.scalar(select(Job.id).where(begun).limit(1)) is not None


def test_a_server_that_is_stopped_half_way_goes_on_afterwards(
    school: JudgedSchool, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recompute, "_STUDENT_DAYS", 1)
    job_id = ask_to_apply(school, try_out(school, engine))
    assert do_next(engine, _StopsOnceBegun(school.sessions))
    assert read(school.sessions, job_id).state is JobState.QUEUED
    assert sorted(map(len, statuses(school))) == [0, 2, 2]
    with school.sessions.begin() as session:
        job = find_job(session, school.school_id, job_id, None)
        with pytest.raises(AppError, match="goes on to its end"):
            cancel(session, job, asker_of(session, school).actor, utc_now())
    _open_again(school)
    assert do_next(engine)
    assert read(school.sessions, job_id).state is JobState.DONE
    assert statuses(school) == [[], [], []]
    assert noted(school) == ["attendance.recompute_begun", "attendance.recomputed"]


def test_it_may_be_cancelled_while_it_waits_and_not_half_way(
    school: JudgedSchool, engine: Engine
) -> None:
    trial_id = try_out(school, engine)
    with school.sessions() as session:
        actor = asker_of(session, school).actor
    for state, ends in ((JobState.RUNNING, False), (JobState.QUEUED, True)):
        job_id = ask_to_apply(school, trial_id)
        with school.sessions.begin() as session:
            session.execute(update(Job).where(Job.id == job_id).values(state=state))
        with school.sessions.begin() as session:
            job = find_job(session, school.school_id, job_id, None)
            if ends:
                cancel(session, job, actor, utc_now())
            else:
                with pytest.raises(AppError, match="goes on to its end"):
                    cancel(session, job, actor, utc_now())
        found = read(school.sessions, job_id).state
        assert found is (JobState.CANCELLED if ends else JobState.RUNNING)
        with school.sessions.begin() as session:
            session.execute(update(Job).where(Job.id == job_id).values(state=JobState.QUEUED))


def test_who_lost_the_right_meanwhile_changes_nothing(school: JudgedSchool, engine: Engine) -> None:
    job_id = ask_to_apply(school, try_out(school, engine))
    with school.sessions.begin() as session:
        session.delete(session.scalars(select(StaffGrant)).one())
    before = everything(school)
    assert do_next(engine)
    assert read(school.sessions, job_id).state is JobState.FAILED
    assert everything(school) == before


def test_only_what_a_try_out_found_is_applied(school: JudgedSchool, engine: Engine) -> None:
    trial_id = try_out(school, engine)
    trial = found_by(school, trial_id)
    nothing = Trial(trial.seen, 3, 0, 0, 0, 0, (), (), ())
    with school.sessions() as session:
        job = find_recomputation(session, school.school_id, trial_id)
        for found, seen in ((None, trial.seen), (trial, "another"), (nothing, trial.seen)):
            with pytest.raises(AppError) as refused:
                apply_trial(session, asker_of(session, school), job, found, seen, utc_now())
            assert refused.value.code is Code.CONFLICT


TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"first": "", "last": "2026-09-02"}, "first"),
        ({"first": "2026-09-01", "last": "gestern"}, "last"),
        ({"first": "1999-12-31", "last": "2000-01-01"}, "first"),
        ({"first": "2026-09-02", "last": "2026-09-01"}, "last"),
        ({"first": "2026-11-20", "last": "2026-11-21"}, "last"),
        ({"first": "2025-11-19", "last": "2026-11-20"}, "last"),
        ({"first": "2026-09-01", "last": "2026-09-01", "whom": "gate:1"}, "whom"),
        ({"first": "2026-09-01", "last": "2026-09-01", "whom": "grade:x"}, "whom"),
    ],
)
def test_a_time_that_cannot_be_is_refused(typed: Mapping[str, str], field: str) -> None:
    with pytest.raises(FieldsError) as refused:
        read_reach(typed, TODAY)
    assert [*refused.value.fields] == [field]


def test_a_year_until_today_can_be_chosen_and_who_is_meant() -> None:
    year = {"first": "2025-11-20", "last": "2026-11-20"}
    first = date(2025, 11, 20)
    assert read_reach(year, TODAY) == Reach(first, TODAY)
    assert read_reach({**year, "whom": "grade:8"}, TODAY) == Reach(first, TODAY, 8)
    assert read_reach({**year, "whom": "homeroom:12"}, TODAY) == Reach(first, TODAY, None, 12)


def test_a_grade_that_is_not_there_is_refused(school: JudgedSchool) -> None:
    with school.sessions.begin() as session:
        in_use = describe_school(session.get_one(School, school.school_id))
        asker, reach = asker_of(session, school), DAY._replace(grade=3)
        with pytest.raises(AppError) as refused:
            ask_trial(session, asker, in_use, reach, utc_now())
    assert refused.value.code is Code.NOT_FOUND

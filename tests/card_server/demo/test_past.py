"""The demo's past: four weeks as a school has them, judged, and nobody told of them."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.plans import read_school
from card_server.attendance.recompute import Recomputing
from card_server.audit.details import seal_details
from card_server.demo.past import add_past
from card_server.demo.school import create_school
from card_server.reports.tray_cards import read_uids_to_come
from card_server.storage.database import open_engine, open_sessions
from card_server.storage.sealing import Seal
from schema.tables.attendance import Attendance, Deadline, Presence
from schema.tables.leave import LeaveSlip, LeaveState
from schema.tables.messages import Message
from schema.tables.people import Boarding
from schema.tables.school import School

NOW = datetime(2026, 11, 17, 6, 0, tzinfo=UTC)
"""A Tuesday afternoon."""
TODAY = date(2026, 11, 17)
SEAL = Seal(b"k" * 32)

Past = tuple[sessionmaker[Session], int]


@pytest.fixture(scope="module")
def past(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    """The school, made at that moment, and its id; nothing here changes it."""
    path = tmp_path_factory.mktemp("past") / "campus.db"
    shutil.copy(sqlite_template, path)
    engine = seal_details(open_engine(f"sqlite:///{path}"), bytes(32))
    sessions = open_sessions(engine)
    with sessions.begin() as session:
        school = create_school(session, SEAL, NOW)
    add_past(sessions, school, SEAL, NOW)
    yield sessions, school.id
    engine.dispose()


def test_most_come_in_time_and_everything_happens_to_some(past: Past) -> None:
    sessions, _ = past
    row = Attendance.__table__.c
    kinds = (row.present, row.late, row.left_early, row.absent, row.on_leave)
    with sessions() as session:
        counted = session.execute(
            select(row.day, *(func.sum(one) for one in kinds)).group_by(row.day)
        ).all()
        open_days = session.scalar(select(func.sum(row.not_judged)))
        forgotten = select(func.count()).where(row.findings.contains("forgotten_exit"))
        missed = session.scalar(forgotten) or 0
    lessons = [one for one in counted if one.day.isoweekday() <= 5]
    assert len(lessons) == 20
    assert {one.day.isoweekday() for one in counted} == {1, 2, 3, 4, 5, 7}
    assert max(one.day for one in counted) == TODAY - timedelta(days=1)
    assert all(one[1] > 1_100 for one in lessons)
    present, late, early, absent, leave = (sum(one[n] for one in lessons) for n in range(1, 6))
    assert present > 20 * (late + absent + leave)
    assert late > 100
    assert leave > absent > early > 10
    assert missed > 20
    assert open_days == 0


def test_boarders_alone_are_inside_in_the_middle_of_a_week(past: Past) -> None:
    sessions, school_id = past
    with sessions() as session:
        inside = select(Presence.student_id).where(Presence.is_inside.is_(True))
        found = set(session.scalars(inside))
        assert found == set(session.scalars(select(Boarding.student_id)))
        assert len(read_uids_to_come(session, school_id, TODAY)) == 600 - len(found)


def test_nobody_is_told_and_no_day_waits(past: Past) -> None:
    sessions, _ = past
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 0
        waiting = select(func.count()).where(Deadline.judged_at.is_(None))
        assert session.scalar(waiting) == 0


def test_leave_of_the_past_is_approved_and_some_is_asked_for(past: Past) -> None:
    sessions, _ = past
    with sessions() as session:
        asked = session.scalars(select(LeaveSlip).where(LeaveSlip.state == LeaveState.ASKED)).all()
        assert sorted(one.needs_school for one in asked) == [False, False, True]
        assert all(one.from_at > NOW and one.guardian_id for one in asked)
        others = session.scalars(select(LeaveSlip).where(LeaveSlip.state != LeaveState.ASKED)).all()
        assert {one.state for one in others} == {LeaveState.APPROVED}
        assert all(one.until_at <= NOW for one in others)


def test_judging_it_once_more_changes_nothing(past: Past) -> None:
    sessions, school_id = past
    with sessions() as session:
        school = read_school(session, school_id)
    first = TODAY - timedelta(days=28)
    doing = Recomputing(sessions, school, first, TODAY - timedelta(days=1), NOW)
    assert doing.try_out(lambda _done, _of: None).changed == 0


def test_a_school_year_that_begins_today_has_no_past(sqlite_url: str) -> None:
    engine = seal_details(open_engine(sqlite_url), bytes(32))
    sessions = open_sessions(engine)
    now = datetime(2026, 9, 1, 1, tzinfo=UTC)
    with sessions.begin() as session:
        school: School = create_school(session, SEAL, now)
    add_past(sessions, school, SEAL, now)
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Attendance)) == 0
    engine.dispose()

"""Erasing a student: nothing that names them is left anywhere, and the rest is as it was."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.details import seal_details
from card_server.audit.verifying import snapshot, verify_chain
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.people.boarding import set_boarding
from card_server.people.notes import add_note
from card_server.personal.erasure import Erasing, erase_student
from card_server.storage.database import open_engine, open_sessions
from schema.tables.attendance import Attendance, HomeroomDay
from schema.tables.audit import AuditDetail, AuditEntry
from schema.tables.cards import CardBinding
from schema.tables.jobs import JobState
from schema.tables.messages import Message, MessageState
from schema.tables.people import Guardian, Guardianship, Student
from schema.tables.registration import Registration
from schema.tables.school import School
from schema.tables.taps import Tap
from tests.card_server.people.people_school import ZONE
from tests.card_server.personal.canary import (
    ADMIN,
    FATHER,
    MOTHER,
    NAME,
    NUMBER,
    SECRETS,
    SHARED,
    add_canary,
    find_secrets,
    leave,
    rename_father,
)
from tests.card_server.web.small_school import SmallSchool, add_job, add_message, add_tap


@pytest.fixture
def school(sessions: sessionmaker[Session]) -> SmallSchool:
    with sessions.begin() as session:
        made = add_canary(session)
    with sessions.begin() as session:
        leave(session, made)
        rename_father(session, made)
    return made


def _erasing(school: SmallSchool, **changes: str) -> Erasing:
    values = {"typed_number": NUMBER, "reason": "依书面申请", **changes}
    now = datetime.now(UTC) + timedelta(minutes=2)
    return Erasing(ADMIN, school.id, school.students[0], now=now, **values)


def _erase(sessions: sessionmaker[Session], school: SmallSchool, **changes: str) -> None:
    with sessions.begin() as session:
        erase_student(session, _erasing(school, **changes))


def _counts(session: Session) -> list[object]:
    tables = (Tap, Message, Attendance, HomeroomDay, Registration, Student)
    return [session.scalar(select(func.count()).select_from(table)) for table in tables]


def test_nothing_that_names_the_student_is_left_anywhere(
    engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    before = find_secrets(engine)
    assert {secret for _, _, secret in before} == set(SECRETS)
    tables = {table for table, _, _ in before}
    assert {"student", "guardian", "message", "audit_detail", "job_piece", "card_history"} <= tables
    _erase(sessions, school)
    assert find_secrets(engine) == set()


def test_the_file_of_sqlite_holds_nothing_of_it_either(
    sqlite_url: str,
) -> None:
    engine = seal_details(open_engine(sqlite_url), bytes(32))
    sessions = open_sessions(engine)
    with sessions.begin() as session:
        made = add_canary(session)
    with sessions.begin() as session:
        leave(session, made)
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    _empty_journal(path)
    assert NAME.encode() in path.read_bytes()
    _erase(sessions, made)
    _empty_journal(path)
    engine.dispose()
    assert NAME.encode() not in path.read_bytes()


def _empty_journal(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _send(sessions: sessionmaker[Session], state: MessageState, **values: object) -> None:
    """All messages are under way, or unclear, with the number that they went to."""
    sent = {"to_sealed": b"a number", "to_hash": b"its hash", "look_up_at": datetime.now(UTC)}
    with sessions.begin() as session:
        session.execute(update(Message).values(state=state, **sent | values))


@pytest.mark.parametrize("state", [MessageState.UNKNOWN, MessageState.SENDING])
def test_nobody_is_asked_any_more_about_the_students_messages(
    sessions: sessionmaker[Session], school: SmallSchool, state: MessageState
) -> None:
    _send(sessions, state)
    _erase(sessions, school)
    with sessions() as session:
        found = session.scalars(select(Message)).all()
    assert {(one.to_sealed, one.to_hash) for one in found} == {(None, None)}
    if state is MessageState.UNKNOWN:
        assert {(one.state, one.look_up_at) for one in found} == {(MessageState.UNDELIVERED, None)}


def test_the_number_of_a_guardian_goes_from_messages_about_a_child_of_before_too(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        before = session.scalars(select(Guardian.id).where(Guardian.name == MOTHER)).one()
        session.execute(update(Message).values(student_id=school.students[1], guardian_id=before))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    _send(sessions, MessageState.UNKNOWN, look_up_at=tomorrow)
    _erase(sessions, school)
    with sessions() as session:
        found = session.scalars(select(Message)).all()
    assert {(one.to_sealed, one.to_hash, one.state) for one in found} == {
        (None, None, MessageState.UNKNOWN)
    }
    assert all(one.look_up_at and one.look_up_at < tomorrow for one in found)


def test_what_counts_are_made_of_stays_without_a_person(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions() as session:
        before = _counts(session)
        room = session.scalars(select(HomeroomDay.arrived)).all()
    _erase(sessions, school)
    with sessions() as session:
        assert _counts(session) == before
        assert session.scalars(select(HomeroomDay.arrived)).all() == room
        assert session.scalars(select(Tap.student_id)).all() == [None]
        messages = session.scalars(select(Message)).all()
        assert {(one.student_id, one.guardian_id, one.body) for one in messages} == {(0, 0, "")}
        assert MessageState.QUEUED not in {one.state for one in messages}
        row = session.get_one(Student, school.students[0])
        assert (row.name, row.identity_hash, row.born_on) == ("", None, None)
        assert row.erased_at is not None


def test_a_siblings_father_and_his_own_entries_of_the_log_stay(
    engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    _erase(sessions, school)
    with sessions() as session:
        father = session.scalars(select(Guardian).where(Guardian.name == FATHER)).one()
        links = session.scalars(
            select(Guardianship.student_id).where(Guardianship.guardian_id == father.id)
        )
        assert links.all() == [school.students[2]]
        kept = session.scalars(
            select(AuditEntry.action)
            .join(AuditDetail, AuditDetail.seq == AuditEntry.seq)
            .where(AuditEntry.subject == f"guardian:{father.id}")
        ).all()
    assert "guardian.changed" in kept
    assert any(table == "guardian" for table, _, _ in find_secrets(engine, (FATHER, SHARED)))


def test_the_log_still_verifies_and_says_who_erased(
    engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    _erase(sessions, school)
    with snapshot(engine) as connection:
        report = verify_chain(connection, school.id)
    assert report.faults == []
    with sessions() as session:
        last = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "student.erased")
        ).one()
        assert last.subject == f"student:{school.students[0]}"
        assert session.get(AuditDetail, (school.id, last.seq)) is not None


def test_the_readers_and_the_ingest_learn_of_it(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions() as session:
        before = session.get_one(School, school.id).register_version
    _erase(sessions, school)
    with sessions() as session:
        assert session.get_one(School, school.id).register_version > before
        mine = CardBinding.student_id == school.students[0]
        assert session.scalars(select(CardBinding).where(mine)).all() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"typed_number": "20260001"}, "number"),
        ({"reason": ""}, "reason"),
        ({"reason": f"{NAME}的家长申请"}, "reason"),
        ({"reason": f"{NUMBER} 申请"}, "reason"),
    ],
)
def test_another_number_and_a_reason_that_names_somebody_are_refused(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    changes: dict[str, str],
    field: str,
) -> None:
    with pytest.raises(FieldsError) as refused:
        _erase(sessions, school, **changes)
    assert list(refused.value.fields) == [field]
    assert find_secrets(engine)


def test_the_number_may_be_typed_in_full_width(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in NUMBER)
    _erase(sessions, school, typed_number=f" {wide} ")
    with sessions() as session:
        assert session.get_one(Student, school.students[0]).erased_at is not None


def test_who_has_not_left_is_not_erased(
    engine: Engine, sessions: sessionmaker[Session], database_url: str
) -> None:
    with sessions.begin() as session:
        made = add_canary(session)
    with pytest.raises(AppError) as refused:
        _erase(sessions, made)
    assert refused.value.code is Code.CONFLICT
    assert find_secrets(engine)


@pytest.mark.parametrize("way", ["note", "boarding", "again"])
def test_nothing_can_be_written_about_an_erased_student(
    sessions: sessionmaker[Session], school: SmallSchool, way: str
) -> None:
    _erase(sessions, school)
    student, now = school.students[0], datetime.now(UTC)
    changes: dict[str, Callable[[Session], object]] = {
        "note": lambda session: add_note(session, ADMIN, school.id, student, "back", now),
        "boarding": lambda session: set_boarding(
            session, ADMIN, school.id, student, True, now.date(), now, ZONE
        ),
        "again": lambda session: erase_student(session, _erasing(school)),
    }
    with sessions() as session, pytest.raises(AppError, match="erased for good") as refused:
        changes[way](session)
    assert refused.value.code is Code.CONFLICT


def test_it_waits_for_files_that_are_being_made(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        add_job(session, school, state=JobState.RUNNING)
    with pytest.raises(AppError) as refused:
        _erase(sessions, school)
    assert refused.value.code is Code.CONFLICT


def test_it_is_one_transaction_that_can_be_rolled_back_whole(
    engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    before = find_secrets(engine)
    with sessions() as session:
        erase_student(session, _erasing(school))
        session.rollback()
    assert find_secrets(engine) == before


def test_the_others_of_the_school_keep_all_they_have(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        add_tap(session, school, 1)
        add_message(session, school, 1)
    _erase(sessions, school)
    with sessions() as session:
        other = school.students[1]
        assert session.get_one(Student, other).name == "李四"
        own = select(func.count()).select_from(Tap).where(Tap.student_id == other)
        assert session.scalar(own) == 1
        told = session.scalars(select(Message.body).where(Message.student_id == other)).one()
        assert told


def test_a_second_time_is_refused(sessions: sessionmaker[Session], school: SmallSchool) -> None:
    _erase(sessions, school)
    with pytest.raises(AppError) as refused:
        _erase(sessions, school)
    assert refused.value.code is Code.CONFLICT

"""Noting: in the caller's transaction, without gaps or forks, and nobody named in the chain."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.chain import GENESIS, digest_of
from card_server.audit.details import open_text, read_detail, seal_details
from card_server.audit.faults import Report
from card_server.audit.verifying import snapshot, verify_chain
from card_server.audit.writing import SYSTEM, Actor, at_command_line, erase_details, note
from card_server.staff.scope import WHOLE_SCHOOL, narrow
from card_server.storage.database import open_engine, open_sessions
from schema.tables.audit import DISTRICT, AuditDetail, AuditEntry, AuditHead
from tests.card_server.audit.conftest import DATA_KEY

WANG = Actor("staff", 12, "金丝雀老师", "10.1.2.3")
_WRITERS, _NOTES = 8, 12


def verify(engine: Engine, chain: int) -> Report:
    with snapshot(engine) as connection:
        return verify_chain(connection, chain)


def subjects(sessions: sessionmaker[Session], chain: int) -> list[str]:
    wanted = select(AuditEntry.subject).where(AuditEntry.school_id == chain)
    with sessions() as session:
        return list(session.scalars(wanted.order_by(AuditEntry.seq)))


def test_what_is_noted_can_be_read_again(engine: Engine, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        note(
            session,
            1,
            WANG,
            "student.changed",
            "student:5",
            reason="改名",
            details={"before": "金丝雀", "after": "王五"},
        )
    with sessions() as session:
        entry, detail = (
            session.scalars(select(AuditEntry)).one(),
            session.get_one(AuditDetail, (1, 1)),
        )
        words = (entry.actor_kind, entry.actor_id, entry.action, entry.subject)
        kept = open_text(session.connection(), detail.body)
    assert words == ("staff", 12, "student.changed", "student:5")
    assert entry.previous == GENESIS
    assert kept is not None
    assert entry.digest == digest_of(kept)
    read = read_detail(kept)
    assert (read.name, read.address, read.reason) == ("金丝雀老师", "10.1.2.3", "改名")
    assert read.details == {"before": "金丝雀", "after": "王五"}


def test_each_school_and_the_district_have_a_chain(
    engine: Engine, sessions: sessionmaker[Session]
) -> None:
    for school_id in (1, None, 2, 1):
        with sessions.begin() as session:
            note(session, school_id, WANG, "staff.log_in", f"staff:{school_id}")
    assert [len(subjects(sessions, chain)) for chain in (DISTRICT, 1, 2)] == [1, 2, 1]
    assert all(verify(engine, chain).is_whole for chain in (DISTRICT, 1, 2))


def test_what_is_rolled_back_was_never_noted(
    engine: Engine, sessions: sessionmaker[Session]
) -> None:
    with sessions() as session:
        note(session, 1, WANG, "staff.log_in", "staff:1")
        session.rollback()
        note(session, 1, WANG, "staff.log_in", "staff:2")
        session.commit()
    assert subjects(sessions, 1) == ["staff:2"]
    assert verify(engine, 1).is_whole


def test_a_savepoint_takes_only_its_own_notes_back(
    engine: Engine, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        note(session, 1, WANG, "import.row", "row:1")
        for number in (2, 3, 4):
            point = session.begin_nested()
            with session.begin_nested():
                note(session, 1, WANG, "import.row", f"row:{number}")
            point.rollback() if number == 3 else point.commit()
        note(session, 1, WANG, "import.row", "row:5")
    assert subjects(sessions, 1) == ["row:1", "row:2", "row:4", "row:5"]
    assert verify(engine, 1).is_whole


def test_a_session_that_is_limited_to_a_school_can_note_for_the_district(
    engine: Engine, sessions: sessionmaker[Session]
) -> None:
    for _ in range(2):
        with sessions.begin() as session:
            narrow(session, 1, [WHOLE_SCHOOL])
            note(session, None, WANG, "school.made", "school:1")
    assert verify(engine, DISTRICT).entries == 2


def test_a_session_that_only_reads_notes_nothing(engine: Engine) -> None:
    reading = open_sessions(engine.execution_options(read_only=True))
    with reading() as session, pytest.raises(RuntimeError, match="only reads"):
        note(session, 1, WANG, "staff.log_in", "staff:1")


@pytest.mark.parametrize(
    ("action", "subject"),
    [
        ("张三", "student:5"),
        ("Student", "student:5"),
        ("student", "student:5"),
        ("student.seen", "张三"),
        ("student.seen", "zhang san"),
        ("student.seen", ""),
    ],
)
def test_nobodys_words_come_into_the_chain(
    sessions: sessionmaker[Session], action: str, subject: str
) -> None:
    with sessions() as session, pytest.raises(ValueError, match="is "):
        note(session, 1, WANG, action, subject)


def test_writers_at_once_neither_lose_nor_fork_nor_wait_in_a_circle(
    engine: Engine, sessions: sessionmaker[Session], database_url: str
) -> None:
    start = threading.Barrier(_WRITERS)

    def write(writer: int) -> None:
        own = open_engine(database_url)
        start.wait(30)
        for number in range(_NOTES):
            with open_sessions(own).begin() as session:
                chains = (1, None) if writer % 2 else (None, 1)
                for chain in chains:
                    note(session, chain, WANG, "test.written", f"note:{writer}-{number}")
        own.dispose()

    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(write, range(_WRITERS)))
    expected = {f"note:{writer}-{n}" for writer in range(_WRITERS) for n in range(_NOTES)}
    for chain in (DISTRICT, 1):
        report = verify(engine, chain)
        assert report.is_whole
        assert report.entries == _WRITERS * _NOTES
        assert {*subjects(sessions, chain)} == expected


def test_the_canary_is_nowhere_but_sealed(
    engine: Engine, sessions: sessionmaker[Session], capfd: pytest.CaptureFixture[str]
) -> None:
    details = {"name": "金丝雀", "phone": "13800001111"}
    with sessions.begin() as session:
        note(session, 1, WANG, "guardian.seen", "guardian:5", reason="金丝雀", details=details)
    with sessions() as session:
        stored = [
            str(value).encode() if not isinstance(value, bytes) else value
            for table in ("audit_entry", "audit_head", "audit_detail")
            for row in session.execute(text(f"SELECT * FROM {table}"))
            for value in row
        ]
    logged = capfd.readouterr()
    for canary in ("金丝雀", "13800001111", "10.1.2.3", "\\u91d1"):
        assert not [value for value in stored if canary.encode() in value]
        assert canary not in logged.out + logged.err


def test_equal_details_have_different_digests(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        for _ in range(2):
            note(session, 1, WANG, "student.seen", "student:5")
    with sessions() as session:
        assert session.scalar(select(func.count(AuditEntry.digest.distinct()))) == 2


def test_erased_details_leave_the_chain_whole_and_are_noted(
    engine: Engine, sessions: sessionmaker[Session]
) -> None:
    for subject in ("student:5", "student:6", "student:5"):
        with sessions.begin() as session:
            note(session, 1, WANG, "student.seen", subject)
    with sessions.begin() as session:
        note(session, 1, WANG, "student.deleted", "student:5", details={"name": "张三"})
        assert erase_details(session, 1, "student:5", WANG, reason="家长要求") == 3
    with sessions() as session:
        left = session.scalars(select(AuditDetail.seq).order_by(AuditDetail.seq)).all()
    assert left == [2, 5]
    assert subjects(sessions, 1)[-1] == "student:5"
    report = verify(engine, 1)
    assert (report.is_whole, report.erased) == (True, 3)


def test_the_head_is_the_last_entry(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        note(session, 1, SYSTEM, "test.first", "test:1")
        note(session, 1, at_command_line(), "test.second", "test:2")
    with sessions() as session:
        head = session.get_one(AuditHead, 1)
        last = session.get_one(AuditEntry, (1, 2))
        assert (head.seq, head.hash) == (2, last.hash)
        assert (last.actor_kind, last.actor_id) == ("command", None)


@pytest.mark.parametrize("make", [lambda key: key, lambda _: b"x" * 32], ids=["right", "wrong"])
def test_only_the_key_opens_a_detail(
    engine: Engine, database_url: str, make: Callable[[bytes], bytes]
) -> None:
    with open_sessions(engine).begin() as session:
        note(session, 1, WANG, "student.seen", "student:5")
    key = make(DATA_KEY)
    other = seal_details(open_engine(database_url), key)
    with open_sessions(other)() as session:
        body = session.get_one(AuditDetail, (1, 1)).body
        assert (open_text(session.connection(), body) is not None) is (key == DATA_KEY)
    other.dispose()

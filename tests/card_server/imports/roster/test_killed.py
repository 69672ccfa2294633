"""A process that is killed at any point of an import leaves all of it or nothing."""

import random
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.imports.roster import staging
from card_server.imports.roster.job import CHECK, IMPORT
from schema.messages import utc_now
from schema.tables.audit import AuditEntry
from schema.tables.jobs import Job
from schema.tables.people import Boarding, Guardian, Guardianship, HomeroomStay, Student
from schema.tables.roster import RosterImport, RosterState
from schema.tables.school import Homeroom, School
from tests.card_server.jobs.desk import SEAL, ask, do_next
from tests.card_server.web.small_school import SmallSchool

_TABLES = (Student, Guardian, Guardianship, HomeroomStay, Boarding, Homeroom)
_HEADER = "学号,姓名,性别,班级,是否住校,母亲姓名,母亲电话,学籍状态"
_FEW, _MANY = 4, 50


def test_a_killed_import_is_all_or_nothing(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    database_url: str,
) -> None:
    _try_points(engine, sessions, school, database_url, _FEW)


@pytest.mark.faults
def test_an_import_killed_at_fifty_points_is_all_or_nothing(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    database_url: str,
) -> None:
    _try_points(engine, sessions, school, database_url, _MANY)


def _try_points(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    url: str,
    many: int,
) -> None:
    """Each point on a roster of its own, which changes everything there is to change."""
    dice = random.Random(20261122)
    statements = 0
    killed = 0
    outcomes = set()
    for turn in range(many + 1):
        import_id = _stage(engine, sessions, school, turn)
        before = _state(sessions, school)
        ask(sessions, school, IMPORT, {"import": import_id, "yes": 1})
        point = -1 if turn == 0 else dice.randrange(statements)
        process = _work(url, point)
        if turn == 0:
            statements = int(process.stdout)
            assert process.returncode == 0
        else:
            # A job that happened to need fewer statements ended well before the point.
            assert process.returncode in (-signal.SIGKILL, 0), process.stderr
            killed += process.returncode != 0
        after = _state(sessions, school)
        with sessions() as session:
            is_done = session.get_one(RosterImport, import_id).state is RosterState.DONE
        assert is_done == (after != before), f"half an import at statement {point}"
        outcomes.add(is_done)
        _end_leases(sessions)
        while do_next(engine):
            pass
        _check_whole(sessions, school, import_id, turn)
    assert killed > many // 2
    assert outcomes == {True, False}


def _stage(engine: Engine, sessions: sessionmaker[Session], school: SmallSchool, turn: int) -> int:
    """A file that adds, changes, moves and suspends; compared with the school and waiting."""
    rows = [_HEADER]
    for number in range(30 + turn):
        room = f"高一({(number + turn) % 2 + 1})班"
        status = "休学" if number == turn else "在读"
        boards = "是" if (number + turn) % 3 else "否"
        phone = f"138{turn:04}{number:04}"
        rows.append(f"2027{number:04},生{turn},女,{room},{boards},母{number},{phone},{status}")
    with sessions.begin() as session:
        body = "\n".join(rows).encode()
        import_id = staging.stage(session, school.id, "王老师", "a.csv", body, utc_now(), SEAL)
    ask(sessions, school, CHECK, {"import": import_id})
    assert do_next(engine)
    return import_id


def _state(sessions: sessionmaker[Session], school: SmallSchool) -> tuple[object, ...]:
    """Enough of the school to tell any part of an import: counts, names, version, log."""
    with sessions() as session:
        counts = [session.scalar(select(func.count()).select_from(table)) for table in _TABLES]
        names = session.scalars(select(Student.name).order_by(Student.id)).all()
        tails = session.scalars(select(Guardian.phone_tail).order_by(Guardian.id)).all()
        log = select(func.count()).where(AuditEntry.action == "roster.imported")
        version = session.get_one(School, school.id).register_version
        return (*counts, *names, *tails, session.scalar(log), version)


def _work(url: str, point: int) -> "subprocess.CompletedProcess[str]":
    command = (sys.executable, "-m", "tests.card_server.imports.roster.dying_worker")
    return subprocess.run(
        [*command, url, str(point)], capture_output=True, text=True, timeout=60, check=False
    )


def _end_leases(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        session.execute(update(Job).values(lease_until=utc_now() - timedelta(minutes=5)))


def _check_whole(
    sessions: sessionmaker[Session], school: SmallSchool, import_id: int, turn: int
) -> None:
    """The next process has imported it, once."""
    with sessions() as session:
        assert session.get_one(RosterImport, import_id).state is RosterState.DONE
        wanted = select(func.count()).where(Student.name == f"生{turn}")
        assert session.scalar(wanted) == 30 + turn
        log = select(func.count()).where(AuditEntry.action == "roster.imported")
        assert session.scalar(log) == turn + 1

"""Fixtures for the tests of staff: a session on an empty database, a school, its administrator."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff import accounts
from card_server.staff.log_in import Door
from card_server.staff.scope import WHOLE_SCHOOL
from card_server.storage.database import open_sessions
from card_server.storage.sealing import Seal
from schema.tables.school import School

LOGIN = "admin"
PASSWORD = "correct horse battery"


@pytest.fixture
def door(engine: Engine, sessions: sessionmaker[Session]) -> Door:
    reading = open_sessions(engine.execution_options(read_only=True))
    return Door(reading, sessions, Seal(bytes(32)), failures_per_address=20)


@pytest.fixture
def admin_id(sessions: sessionmaker[Session]) -> int:
    """`admin`, with a chosen password, in a school."""
    with sessions.begin() as session:
        school = School(code="no1", name="第一中学", signature="一中")
        session.add(school)
        session.flush()
        return accounts.create_staff_with_password(
            session, school.id, LOGIN, "王老师", PASSWORD, WHOLE_SCHOOL
        ).id

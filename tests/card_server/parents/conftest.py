"""Fixtures for the tests of the parents' rules: a small school on each kind of database."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.details import seal_details
from card_server.storage.database import open_engine, open_sessions
from tests.card_server.web.small_school import SmallSchool, make_school


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A migrated, empty database, once on each kind."""
    engine = open_engine(database_url)
    seal_details(engine, bytes(32))
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    return open_sessions(engine)


@pytest.fixture
def school(sessions: sessionmaker[Session]) -> SmallSchool:
    with sessions.begin() as session:
        return make_school(session)

"""Fixtures for the tests of imports: a school in a database of each kind."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from card_server.storage.database import open_engine, open_sessions
from tests.card_server.people.people_school import PeopleSchool, make_people_school


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    return open_sessions(engine)


@pytest.fixture
def campus(sessions: sessionmaker[Session]) -> PeopleSchool:
    with sessions.begin() as session:
        return make_people_school(session)

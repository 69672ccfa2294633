"""Fixtures for the tests of people: a session on each kind of database, and a school in it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from card_server.storage.database import open_engine
from tests.card_server.people.people_school import PeopleSchool, make_people_school


@pytest.fixture
def people_engine(database_url: str) -> Iterator[Engine]:
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def people(people_engine: Engine) -> Iterator[Session]:
    """A transaction that is rolled back at the end."""
    with Session(people_engine) as opened:
        yield opened


@pytest.fixture
def campus(people: Session) -> PeopleSchool:
    return make_people_school(people)

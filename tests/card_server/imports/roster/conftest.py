"""Fixtures for the tests of imports: a school in a database of each kind."""

import pytest
from sqlalchemy.orm import Session, sessionmaker

from tests.card_server.people.people_school import PeopleSchool, make_people_school


@pytest.fixture
def campus(sessions: sessionmaker[Session]) -> PeopleSchool:
    with sessions.begin() as session:
        return make_people_school(session)

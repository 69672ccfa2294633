"""A small school, for whoever asks for one."""

import pytest
from sqlalchemy.orm import Session, sessionmaker

from tests.card_server.web.small_school import SmallSchool, make_school


@pytest.fixture
def school(sessions: sessionmaker[Session]) -> SmallSchool:
    with sessions.begin() as session:
        return make_school(session)

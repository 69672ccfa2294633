"""Fixtures for the tests of personal data: a school in a database whose audit log is sealed."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from card_server.audit.details import seal_details
from card_server.storage.database import open_engine


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = seal_details(open_engine(database_url), bytes(32))
    yield engine
    engine.dispose()

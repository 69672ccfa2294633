"""Fixtures for the tests of the audit log: a database whose details are sealed."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from card_server.audit.details import seal_details
from card_server.storage.database import open_engine

DATA_KEY = b"k" * 32


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = seal_details(open_engine(database_url), DATA_KEY)
    yield engine
    engine.dispose()

"""Fixtures for the tests of the parents' rules: a small school on each kind of database."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from card_server.audit.details import seal_details
from card_server.storage.database import open_engine


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A migrated, empty database, once on each kind."""
    engine = open_engine(database_url)
    seal_details(engine, bytes(32))
    yield engine
    engine.dispose()

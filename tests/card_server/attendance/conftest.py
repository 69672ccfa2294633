"""What the tests of attendance share."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from card_server.storage.database import open_engine


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Each test's own database, migrated and empty."""
    opened = open_engine(database_url)
    yield opened
    opened.dispose()

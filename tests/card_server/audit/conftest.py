"""Fixtures for the tests of the audit log: a database whose details are sealed."""

import pytest
from sqlalchemy import Engine

from card_server.audit.details import seal_details

DATA_KEY = b"k" * 32


@pytest.fixture
def engine(engine: Engine) -> Engine:
    return seal_details(engine, DATA_KEY)

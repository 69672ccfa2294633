"""Fixtures for the tests of the parents' rules: a database whose audit log is sealed."""

import pytest
from sqlalchemy import Engine

from card_server.audit.details import seal_details


@pytest.fixture
def engine(engine: Engine) -> Engine:
    return seal_details(engine, bytes(32))

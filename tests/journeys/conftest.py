"""Journeys through browsers and processes: each on SQLite, and by `make faults` on PostgreSQL."""

import pytest


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.faults)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database; what differs between the two has its own tests on both."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url

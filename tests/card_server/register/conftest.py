"""Fixtures for the tests of the school: those of its people."""

from tests.card_server.people.conftest import campus, people, people_engine

__all__ = ["campus", "people", "people_engine"]

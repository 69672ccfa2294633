"""Fixtures for the tests of exports: those of jobs."""

from tests.card_server.jobs.conftest import engine, school, sessions

__all__ = ["engine", "school", "sessions"]

"""The database and the school that reports are tested with."""

from tests.card_server.web.conftest import engine, school, sessions

__all__ = ["engine", "school", "sessions"]

"""Databases at older revisions, for the tests of a migration that changes what is in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from card_server.storage.database import open_engine


@contextmanager
def opened_at(url: str, revision: str) -> Iterator[sa.Connection]:
    """A new database, migrated so far, in one transaction."""
    engine = open_engine(url)
    with engine.begin() as connection:
        upgrade(connection, revision)
        yield connection
    engine.dispose()


def upgrade(connection: sa.Connection, revision: str) -> None:
    """Bring it up to a revision."""
    command.upgrade(_config(connection), revision)


def downgrade(connection: sa.Connection, revision: str) -> None:
    """Bring it back to a revision."""
    command.downgrade(_config(connection), revision)


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("schema") / "migrations"))
    config.attributes["connection"] = connection
    return config

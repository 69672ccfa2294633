"""Bringing a database to the tables of this release, all or nothing."""

from importlib.resources import files

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from schema.tables.metadata import Table

_LOCK = 0x63617264
"""PostgreSQL advisory lock: two machines that start at once do not both migrate."""


def migrate(engine: Engine) -> str:
    """Upgrade to the newest revision in one transaction; its name."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        command.upgrade(_config(connection), "head")
    return newest_revision()


def newest_revision() -> str:
    """The revision that this release needs."""
    return ScriptDirectory.from_config(_config(None)).get_heads()[0]


def current_revision(engine: Engine) -> str | None:
    """The revision that the database is at; None for an empty one."""
    with engine.connect().execution_options(read_only=True) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def differences(engine: Engine) -> list[object]:
    """What tells the migrated database from the tables in the code; empty when they agree."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Table.metadata))


def new_revision(engine: Engine, message: str, revision: str) -> None:
    """Write the next migration file from what the tables have become; for developers."""
    with engine.begin() as connection:
        command.revision(_config(connection), message, autogenerate=True, rev_id=revision)


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("schema") / "migrations"))
    config.attributes["connection"] = connection
    return config

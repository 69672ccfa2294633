"""The migrations make the tables that the code has, on both databases."""

from pathlib import Path

from card_server.storage.database import open_engine
from card_server.storage.migrate import current_revision, differences, migrate, newest_revision
from tests.harness.postgres import Postgres


def test_a_migrated_database_is_the_tables_of_the_code(database_url: str) -> None:
    engine = open_engine(database_url)
    assert differences(engine) == []
    assert current_revision(engine) == newest_revision()


def test_migrating_again_changes_nothing(tmp_path: Path, postgres: Postgres) -> None:
    for url in (f"sqlite:///{tmp_path}/new.db", postgres.create_database()):
        engine = open_engine(url)
        assert current_revision(engine) is None
        assert migrate(engine) == migrate(engine) == newest_revision()
        engine.dispose()

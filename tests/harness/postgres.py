"""A private PostgreSQL cluster on a free loopback port."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

import psycopg

from tests.harness.ports import free_port
from tests.harness.processes import Process
from tests.harness.waiting import wait_for

_UNPRIVILEGED = "nobody"
_EMPTY = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
SET session_replication_role = replica;  -- neither keys nor triggers: order does not matter
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences
        WHERE schemaname = 'public' AND last_value IS NOT NULL
    LOOP
        PERFORM setval(name::regclass, 1, false);
    END LOOP;
END $$
"""


class Postgres:
    """Started on entry, removed on exit; as root it runs as nobody: PostgreSQL refuses root."""

    def __init__(self, *, is_durable: bool = True) -> None:
        """Without durability only a power cut would be noticed: processes may still be killed."""
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._data = self._folder / "data"
        arguments = ["-D", str(self._data), "-p", str(self.port), "-k", str(self._folder)]
        if not is_durable:
            arguments += ["-c", "fsync=off", "-c", "full_page_writes=off"]
        self._process = Process(
            [*self._as_owner(), str(_find("postgres")), *arguments, "-h", "127.0.0.1"],
            self._folder / "postgres.log",
            stop_signal=signal.SIGINT,
        )
        self._names = 0

    def url(self, database: str = "postgres") -> str:
        """SQLAlchemy's address of one database."""
        return f"postgresql+psycopg://campus@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str = "template1", name: str = "") -> str:
        """The address of a new database, copied from the template."""
        self._names += 1
        name = name or f"test_{self._names}"
        with self._connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def empty_database(self, url: str) -> None:
        """As after its migration, whatever was in it and whoever is still connected to it."""
        with self._connect(url) as connection:
            connection.execute(_EMPTY)

    def start(self) -> None:
        if not self._data.exists():
            self._create_cluster()
        self._process.start()
        wait_for(self._answers, 30, "postgres")

    def kill(self) -> None:
        """SIGKILL of the postmaster; its children end themselves."""
        self._process.kill()

    def stop(self) -> None:
        """Fast shutdown: connections are cut, everything committed is on disk."""
        self._process.stop(30)

    def _create_cluster(self) -> None:
        if os.geteuid() == 0:
            owner = pwd.getpwnam(_UNPRIVILEGED)
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        command = ["-D", str(self._data), "-U", "campus", "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run(
            [*self._as_owner(), str(_find("initdb")), *command],
            check=True,
            capture_output=True,
            cwd=self._folder,
        )

    def _answers(self) -> bool:
        assert self._process.exit_code is None, self._process.output
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self, url: str = "") -> psycopg.Connection:
        return psycopg.connect((url or self.url()).replace("+psycopg", ""), autocommit=True)

    def _as_owner(self) -> list[str]:
        if os.geteuid() != 0:
            return []
        owner = pwd.getpwnam(_UNPRIVILEGED)
        ids = [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        return [shutil.which("setpriv") or "setpriv", *ids]

    def __enter__(self) -> "Postgres":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder)


def _find(name: str) -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    assert found, "PostgreSQL is not installed: apt-get install postgresql"
    return found[-1]

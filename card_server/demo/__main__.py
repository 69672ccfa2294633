"""`python -m card_server.demo`: the whole system on this machine, until Ctrl-C."""

import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.panel import Panel
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.details import seal_details
from card_server.config import load_settings
from card_server.demo.calendar import open_today
from card_server.demo.folder import DemoFolder
from card_server.demo.past import add_past
from card_server.demo.processes import ChildDiedError, ProcessTree, StoppedError
from card_server.demo.school import CODE, READERS, create_school, find_school
from card_server.errors import EXIT_CODE, AppError
from card_server.staff.accounts import create_staff, renew_one_time_password
from card_server.staff.scope import WHOLE_SCHOOL
from card_server.storage.database import open_engine, open_sessions
from card_server.storage.migrate import migrate
from card_server.storage.sealing import Seal
from schema.messages import ReaderState
from schema.tables.readers import ReaderHealth
from schema.tables.school import School
from schema.tables.staff import Staff

FOLDER = Path("var/demo")
LOGIN = "admin"
_START_S = 60.0
_BIN = Path(sys.executable).parent
"""Where this environment's commands are."""


def main() -> int:
    """Start everything, say where it is, stay until it ends; the exit code."""
    console = Console()
    try:
        with DemoFolder(FOLDER) as folder, ProcessTree(folder.logs) as tree:
            console.print("Starting the demo …")
            password = _prepare(folder)
            _start(folder, tree)
            console.print(_welcome(folder, password))
            tree.watch()
    except StoppedError:
        console.print("Everything is stopped. The data stays; `make demo-clean` removes it.")
        return 0
    except AppError as error:
        console.print(error.message, markup=False, highlight=False, soft_wrap=True)
        return EXIT_CODE[error.code]
    except (ChildDiedError, TimeoutError) as error:
        console.print(str(error), markup=False, highlight=False, soft_wrap=True)
        console.print("Everything is stopped. `make demo-clean` and `make demo` begin anew.")
        return 1
    return 0


def _prepare(folder: DemoFolder) -> str | None:
    """Files, database, school and the one-time password; None when staff have their own."""
    folder.write()
    settings = load_settings(folder.server_config)
    engine = seal_details(open_engine(settings.database_url), settings.data_key)
    try:
        migrate(engine)
        sessions = open_sessions(engine)
        _create(sessions, Seal(settings.data_key))
        with sessions.begin() as session:
            school = session.scalars(select(School).where(School.code == CODE)).one()
            local = datetime.now(ZoneInfo(school.zone))
            open_today(session, school, local.date(), local.hour * 60 + local.minute)
            return _one_time_password(session, school)
    finally:
        engine.dispose()


def _create(sessions: sessionmaker[Session], seal: Seal) -> None:
    """The school with its last weeks, unless it was made before."""
    now = datetime.now(UTC)
    with sessions.begin() as session:
        if find_school(session) is not None:
            return
        school = create_school(session, seal, now)
    add_past(sessions, school, seal, now)


def _one_time_password(session: Session, school: School) -> str | None:
    staff = session.scalar(select(Staff).where(Staff.login == LOGIN))
    if staff is None:
        return create_staff(session, school.id, LOGIN, "演示管理员", WHOLE_SCHOOL)
    if staff.password_is_one_time:
        return renew_one_time_password(session, LOGIN)
    return None


def _start(folder: DemoFolder, tree: ProcessTree) -> None:
    """Broker, server, readers; returns when the page answers and every reader has its list."""
    began = datetime.now(UTC)
    broker = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    tree.start("broker", [broker, "-c", str(folder.broker_config)])
    server = {"CARD_SERVER_CONFIG": str(folder.server_config)}
    tree.start("card-server", [str(_BIN / "card-server"), "all"], server)
    for reader in READERS:
        config = {"READER_DAEMON_CONFIG": str(folder.reader_config(reader.code))}
        tree.start(reader.code, [str(_BIN / "reader-daemon"), "run"], config)
    tree.wait_until(lambda: _answers(folder.address), "the page", _START_S)
    engine = open_engine(folder.database_url)
    try:
        tree.wait_until(lambda: _are_ready(engine, began), "the readers", _START_S)
    finally:
        engine.dispose()


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=5) as page:  # noqa: S310  our own http://127.0.0.1
            return bool(page.status == 200)
    except (URLError, OSError):
        return False


def _are_ready(engine: Engine, began: datetime) -> bool:
    """Whether every reader reported since then that it has the school's card list."""
    having = select(ReaderHealth.reader_id).join(School, School.id == ReaderHealth.school_id)
    having = having.where(
        ReaderHealth.seen_at >= began,
        ReaderHealth.state == ReaderState.ONLINE,
        ReaderHealth.cards_version == School.cards_version,
    )
    try:
        with engine.connect().execution_options(read_only=True) as connection:
            return len(connection.execute(having).all()) == len(READERS)
    except SQLAlchemyError:
        return False


def _welcome(folder: DemoFolder, password: str | None) -> Panel:
    secret = (
        f"one-time password  [bold]{password}[/]" if password else "with the password you chose"
    )
    return Panel.fit(
        f"Card tray   [bold link={folder.address}]{folder.address}[/]\n"
        f"Staff       log in as [bold]{LOGIN}[/], {secret}\n"
        "End         Ctrl-C",
        title="Campus card demo",
    )


def _shed_settings() -> None:
    """Settings of a real server in this shell must not reach the demo."""
    for name in list(os.environ):
        if name.startswith(("CARD_SERVER_", "READER_DAEMON_")):
            del os.environ[name]


if __name__ == "__main__":
    _shed_settings()
    sys.exit(main())

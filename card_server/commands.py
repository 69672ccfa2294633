"""The command line: `card-server …`."""

import base64
import os
import sys
import threading
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Annotated, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.config import Settings, load_settings
from card_server.errors import EXIT_CODE, AppError, Code

P = ParamSpec("P")
R = TypeVar("R")
Config = Annotated[
    Path | None, typer.Option(help="The settings file; CARD_SERVER_CONFIG names it too.")
]

app = typer.Typer(
    help="The server of a school's student card.", no_args_is_help=True, add_completion=False
)
_console = Console()


def _says_what_is_wrong(command: Callable[P, R]) -> Callable[P, R]:
    """An AppError becomes its sentence on stderr and its exit code."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except AppError as error:
            sys.stderr.write(f"{error.message}\n")
            raise typer.Exit(EXIT_CODE[error.code]) from error

    return run


@app.command()
@_says_what_is_wrong
def web(config: Config = None) -> None:
    """Serve the pages."""
    _run(load_settings(config), "web")


@app.command()
@_says_what_is_wrong
def ingest(config: Config = None) -> None:
    """Record what readers send."""
    _run(load_settings(config), "ingest")


@app.command()
@_says_what_is_wrong
def notify(config: Config = None) -> None:
    """Send the messages to parents."""
    _run(load_settings(config), "notify")


@app.command()
@_says_what_is_wrong
def clock(config: Config = None) -> None:
    """Do what is due at a time."""
    _run(load_settings(config), "clock")


@app.command(name="all")
@_says_what_is_wrong
def all_parts(config: Config = None) -> None:
    """All four in one process: for a small school on SQLite."""
    _run(load_settings(config), "web", "ingest", "notify", "clock")


@app.command()
@_says_what_is_wrong
def migrate(config: Config = None) -> None:
    """Bring the database to the tables of this release."""
    from card_server.database import open_engine
    from card_server.migrate import migrate as bring_up

    engine = open_engine(load_settings(config).database_url)
    _console.print(f"The database is at revision {bring_up(engine)}.")
    engine.dispose()


@app.command()
@_says_what_is_wrong
def doctor(config: Config = None) -> None:
    """Try every outside part, and say what is wrong and what to do."""
    from card_server.doctor import examine

    table = Table("", "part", "found", "what to do")
    findings = examine(load_settings(config))
    for finding in findings:
        mark = "[green]ok[/]" if finding.is_well else "[red]wrong[/]"
        table.add_row(mark, finding.part, finding.found, finding.what_to_do)
    _console.print(table)
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(EXIT_CODE[Code.UNAVAILABLE])


@app.command()
def new_key() -> None:
    """Print a fresh random key, for data_key or web_secret."""
    sys.stdout.write(base64.b64encode(os.urandom(32)).decode() + "\n")


@app.command()
@_says_what_is_wrong
def add_school(
    code: Annotated[str, typer.Argument(help="Short, in small letters: stands in topics.")],
    name: str,
    signature: Annotated[str, typer.Option(help="What stands in 【】 before each message.")],
    zone: str = "Asia/Shanghai",
    config: Config = None,
) -> None:
    """Make a school."""
    from card_server.schools import add_school as add

    with _session(config) as session:
        add(session, code=code, name=name, signature=signature, zone=zone)
        session.commit()
    _console.print(f"The school {code} is there. Next: card-server create-admin {code} LOGIN")


@app.command()
@_says_what_is_wrong
def create_admin(
    school: str, login: str, name: Annotated[str, typer.Option()] = "", config: Config = None
) -> None:
    """Make a member of staff who may do everything in a school, or renew the password."""
    from card_server.schools import find_school
    from card_server.staff import create_staff, renew_one_time_password
    from schema.tables.school import Role, Staff

    with _session(config) as session:
        found = find_school(session, school)
        if session.scalar(select(Staff.id).where(Staff.login == login)):
            password = renew_one_time_password(session, login)
        else:
            password = create_staff(session, found.id, login, name or login, Role.SCHOOL_ADMIN)
        session.commit()
    _console.print(f"{login} logs in once with [bold]{password}[/] and then chooses a password.")


@app.command()
@_says_what_is_wrong
def add_reader(
    school: str,
    code: Annotated[str, typer.Argument(help="Short, in small letters: stands in topics.")],
    name: str,
    place: str,
    direction: Annotated[str, typer.Option(help="in, out, or empty where both are possible.")] = "",
    config: Config = None,
) -> None:
    """Make a reader at the gate. Its certificate: card-server reader-certificate."""
    from card_server.schools import add_reader as add

    with _session(config) as session:
        add(session, school=school, code=code, name=name, place=place, direction=direction)
        session.commit()
    _console.print(f"The reader {school}/{code} is there.")


def _session(config: Path | None) -> Session:
    from card_server.database import open_engine

    return Session(open_engine(load_settings(config).database_url))


def _run(settings: Settings, *names: str) -> None:
    """Run these parts in this process; each is imported only where it runs."""
    from card_server.logs import set_up_logs
    from card_server.supervise import run_until_stopped

    set_up_logs()
    parts = {name: partial(_run_part, name, settings) for name in names}
    raise typer.Exit(run_until_stopped(parts))


def _run_part(name: str, settings: Settings, stop: threading.Event) -> None:
    if name == "web":
        from card_server.web.serve import serve

        serve(settings, stop)
    elif name == "ingest":
        from card_server.ingest import run as run_ingest

        run_ingest(settings, stop)
    elif name == "notify":
        from card_server.notifier import run as run_notifier

        run_notifier(settings, stop)
    else:
        from card_server.clock import run as run_clock

        run_clock(settings, stop)

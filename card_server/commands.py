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
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from card_server.config import Settings, load_settings
from card_server.errors import EXIT_CODE, AppError, Code
from card_server.finding import Verdict
from card_server.late_commands import LateCommands

P = ParamSpec("P")
R = TypeVar("R")
Config = Annotated[
    Path | None, typer.Option(help="The settings file; CARD_SERVER_CONFIG names it too.")
]

_MARKS = {
    Verdict.WELL: "[green]ok[/]",
    Verdict.DOUBTFUL: "[yellow]look[/]",
    Verdict.WRONG: "[red]wrong[/]",
}

_DATABASE_AWAY = (
    "The database does not answer, or has not the tables of this release. Nothing was changed."
    " `card-server doctor` says which; `card-server migrate` makes the tables.\n"
)


def _says_what_is_wrong(command: Callable[P, R]) -> Callable[P, R]:
    """An AppError becomes its sentence on stderr and its exit code."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except AppError as error:
            sys.stderr.write(f"{error.message}\n")
            raise typer.Exit(EXIT_CODE[error.code]) from error
        except (OperationalError, ProgrammingError) as error:
            sys.stderr.write(_DATABASE_AWAY)
            raise typer.Exit(EXIT_CODE[Code.UNAVAILABLE]) from error

    return run


class _Commands(LateCommands):
    late = {
        "audit verify": ("card_server.audit_command", "verify"),
        "import-taps": ("card_server.import_command", "import_log"),
        "import-roster": ("card_server.roster_command", "import_file"),
        "import-photos": ("card_server.roster_command", "import_pictures"),
        "export-roster": ("card_server.roster_command", "export_file"),
        "recompute": ("card_server.recompute_command", "recompute"),
    }
    late_groups = {"audit": "The log of who did what."}
    wrap = staticmethod(_says_what_is_wrong)


app = typer.Typer(
    help="The server of a school's student card.",
    no_args_is_help=True,
    add_completion=False,
    cls=_Commands,
)


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
    from card_server.storage.database import open_engine
    from card_server.storage.migrate import migrate as bring_up

    engine = open_engine(load_settings(config).database_url)
    _say(f"The database is at revision {bring_up(engine)}.")
    engine.dispose()


@app.command()
@_says_what_is_wrong
def doctor(config: Config = None) -> None:
    """Try every outside part, and say what is wrong and what to do."""
    from rich.console import Console
    from rich.table import Table

    from card_server.doctor import examine

    table = Table("", "part", "found", "what to do")
    findings = examine(load_settings(config))
    for finding in findings:
        table.add_row(_MARKS[finding.verdict], finding.part, finding.found, finding.what_to_do)
    Console().print(table)
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
    from card_server.audit.writing import at_command_line
    from card_server.register.schools import add_school as add

    with _session(config) as session:
        add(session, at_command_line(), code=code, name=name, signature=signature, zone=zone)
        session.commit()
    _say(f"The school {code} is there. Next: card-server create-admin {code} LOGIN")


@app.command()
@_says_what_is_wrong
def create_admin(
    names: Annotated[list[str], typer.Argument(metavar="[SCHOOL] LOGIN")],
    name: Annotated[str, typer.Option(help="Who it is; the login when left out.")] = "",
    district: Annotated[
        bool, typer.Option("--district", help="Over all schools; give no school then.")
    ] = False,
    config: Config = None,
) -> None:
    """Make a member of staff who may do everything in a school, or renew the password."""
    from card_server.audit.writing import at_command_line, note
    from card_server.register.schools import find_school
    from card_server.staff.accounts import create_or_renew, find_by_login
    from schema.tables.staff import Role

    *schools, login = names
    if len(schools) != (0 if district else 1):
        raise AppError(Code.INVALID, "Give a school and a login, or --district and a login alone.")
    role = Role.DISTRICT_ADMIN if district else Role.SCHOOL_ADMIN
    with _session(config) as session:
        school_id = find_school(session, schools[0]).id if schools else None
        is_new = find_by_login(session, login) is None
        password = create_or_renew(session, school_id, login, name or login, role)
        staff = find_by_login(session, login)
        if staff is not None:
            action = "staff.made" if is_new else "staff.password_renewed"
            note(session, school_id, at_command_line(), action, f"staff:{staff.id}")
        session.commit()
    _say(f"{login} logs in once with [bold]{password}[/] and then chooses a password.")


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
    from card_server.audit.writing import at_command_line
    from card_server.register import readers
    from card_server.register.schools import find_school

    typed = {"name": name, "place": place, "direction": direction}
    with _session(config) as session:
        found = find_school(session, school)
        settings = readers.read_settings(typed)
        readers.add_reader(session, at_command_line(), found.id, code, settings)
        session.commit()
    _say(f"The reader {school}/{code} is there.")


@app.command()
@_says_what_is_wrong
def broker_config(
    host: Annotated[list[str], typer.Option(help="A name or address that readers use.")],
    authority: Path = Path("/etc/card-server/authority"),
    folder: Path = Path("/etc/mosquitto/campus"),
    data: Path = Path("/var/lib/mosquitto"),
) -> None:
    """Make the certificates and the settings of the broker; again after a revocation."""
    from card_server.broker.settings import set_up_broker

    _say(f"The broker's settings: {set_up_broker(authority, folder, data, host)}")


@app.command()
@_says_what_is_wrong
def reader_certificate(
    school: str, reader: str, authority: Path = Path("/etc/card-server/authority")
) -> None:
    """Make a reader's certificate, to be carried to the reader."""
    from card_server.broker.certificates import issue_reader_certificate

    files = issue_reader_certificate(authority, school, reader)
    _say(f"For the reader: {files.certificate} {files.key}")


@app.command()
@_says_what_is_wrong
def revoke_reader(
    school: str,
    reader: str,
    authority: Path = Path("/etc/card-server/authority"),
    folder: Path = Path("/etc/mosquitto/campus"),
) -> None:
    """Revoke a reader's certificate; restart the broker to cut the reader off."""
    import shutil

    from card_server.broker.certificates import revocation_list
    from card_server.broker.certificates import revoke_reader as revoke

    revoke(authority, school, reader)
    shutil.copyfile(revocation_list(authority), folder / revocation_list(authority).name)
    _say(f"{school}/{reader} is revoked. Now: systemctl restart mosquitto")


def _say(sentence: str) -> None:
    """Say something at the terminal; servers say nothing there, and go without rich."""
    from rich.console import Console

    Console().print(sentence, soft_wrap=True)


def prepare() -> None:
    """Make this process a server's: before any part of one is imported."""
    from card_server.sparing import import_sparingly

    import_sparingly()
    from card_server.logs import set_up_logs

    set_up_logs()


def _session(config: Path | None) -> Session:
    from card_server.audit.details import seal_details
    from card_server.storage.database import open_engine

    settings = load_settings(config)
    return Session(seal_details(open_engine(settings.database_url), settings.data_key))


def _run(settings: Settings, *names: str) -> None:
    """Run these parts in this process; each is imported only where it runs."""
    prepare()
    from card_server.supervise import run_until_stopped

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

"""The command line of a reader: `reader-daemon run` and `reader-daemon check`."""

import sqlite3
from pathlib import Path
from typing import Annotated, Final

import structlog
import typer

from reader_daemon.check import check_parts
from reader_daemon.config import ConfigError, Settings, load_settings
from reader_daemon.daemon import AlreadyRunningError, run_daemon
from reader_daemon.logs import set_up_logs
from reader_daemon.sources.protocol import SourceError

_EX_CONFIG: Final = 78
"""By sysexits.h; a unit need not restart on it."""

_log = structlog.get_logger()

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Config = Annotated[Path | None, typer.Option(help="TOML file; else READER_DAEMON_CONFIG names it.")]


@app.command()
def run(config: Config = None) -> None:
    """Read cards, judge and keep them, send them to the server."""
    settings = _load(config)
    set_up_logs(settings.log_level)
    try:
        code = run_daemon(settings)
    except (AlreadyRunningError, SourceError, ImportError, OSError, sqlite3.Error) as error:
        _log.error("not_started", error=f"{type(error).__name__}: {error}")
        raise typer.Exit(1) from error
    raise typer.Exit(code)


@app.command()
def check(config: Config = None) -> None:
    """Try each part and say what is wrong and what to do."""
    settings = _load(config)
    typer.echo(f"ok    config: {settings.school}/{settings.reader}, source {settings.source}.")
    is_well = True
    for found in check_parts(settings):
        is_well &= found.is_well
        typer.echo(f"{'ok   ' if found.is_well else 'WRONG'} {found.part}: {found.said}")
    raise typer.Exit(0 if is_well else 1)


def _load(config: Path | None) -> Settings:
    try:
        return load_settings(config)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(_EX_CONFIG) from error

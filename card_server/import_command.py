"""`card-server import-taps`: another system's tap log, read by a profile or by options."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from card_server.config import load_settings
from card_server.errors import AppError, Code
from card_server.imports.tap_log import make_profile, read_log
from card_server.imports.taps import ImportReport, import_taps
from card_server.storage.database import open_engine, open_sessions

_console = Console()
Column = Annotated[str | None, typer.Option(help="The column's name in the first line.")]


def import_log(
    file: Annotated[Path, typer.Argument(help="The log: CSV.", exists=True, dir_okay=False)],
    school: Annotated[str, typer.Option(help="The school's code.")],
    profile: Annotated[Path | None, typer.Option(help="How to read it; options win.")] = None,
    time_column: Column = None,
    card_column: Column = None,
    reader_column: Column = None,
    direction_column: Column = None,
    result_column: Column = None,
    notation: Annotated[str | None, typer.Option(help="How card numbers are written.")] = None,
    zone: Annotated[str | None, typer.Option(help="Of the times, like Asia/Shanghai.")] = None,
    time_format: Annotated[str | None, typer.Option(help="By Python's strptime.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Found when only one fits.")] = None,
    delimiter: str | None = None,
    reader: Annotated[list[str] | None, typer.Option(help="NAME-IN-LOG=CODE, repeated.")] = None,
    result: Annotated[list[str] | None, typer.Option(help="WORD-IN-LOG=admitted|…")] = None,
    dry_run: Annotated[bool, typer.Option(help="Only say what would become of it.")] = False,
    config: Annotated[Path | None, typer.Option(help="The settings file.")] = None,
) -> None:
    """Bring another system's tap log along, again and again without doubling; tells nobody."""
    columns = {
        "time": time_column,
        "card": card_column,
        "reader": reader_column,
        "direction": direction_column,
        "result": result_column,
    }
    options = {
        "notation": notation,
        "zone": zone,
        "time_format": time_format,
        "encoding": encoding,
        "delimiter": delimiter,
        "readers": _pairs(reader, "--reader"),
        "results": _pairs(result, "--result"),
    }
    values = _profile_values(profile)
    values["columns"] = values.get("columns", {}) | _given(columns)
    entries = read_log(file, make_profile(values | _given(options)))
    engine = open_engine(load_settings(config).database_url)
    look = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*look, console=Console(stderr=True)) as progress:
        task = progress.add_task("0 rows")
        report = import_taps(
            open_sessions(engine),
            school,
            entries,
            dry_run=dry_run,
            progress=lambda so_far: progress.update(task, description=f"{so_far.rows:,} rows"),
        )
    engine.dispose()
    _print_report(report, dry_run=dry_run)


def _profile_values(profile: Path | None) -> dict[str, Any]:
    if profile is None:
        return {}
    try:
        return tomllib.loads(profile.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AppError(Code.INVALID, f"{profile.name} cannot be read: {error}.") from error


def _pairs(given: list[str] | None, option: str) -> dict[str, str] | None:
    if not given:
        return None
    pairs = [one.rpartition("=") for one in given]
    if any(not name or not value for name, _, value in pairs):
        raise AppError(Code.INVALID, f"{option} is NAME=VALUE.")
    return {name: value for name, _, value in pairs}


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _print_report(report: ImportReport, *, dry_run: bool) -> None:
    table = Table(title="What would become of it" if dry_run else "What became of it")
    table.add_column("rows")
    table.add_column("number", justify="right")
    for what, number in (
        ("read", report.rows),
        ("recorded", report.recorded),
        ("  of these refused by the other system", report.refused),
        ("known from an earlier import", report.known),
        ("repeated in this log", report.repeated),
        ("not stored", report.not_stored),
        ("unreadable", report.unreadable),
    ):
        table.add_row(what, f"{number:,}")
    _console.print(table)
    for title, counts in (
        ("Unknown readers: not stored", report.unknown_readers),
        ("Unknown cards: recorded without a student", report.unknown_cards),
        ("Cards that were nobody's then", report.unheld_cards),
    ):
        if counts:
            _console.print(f"[bold]{title}[/]")
            for name, rows in counts.items():
                _console.print(f"  {name}: {rows:,} rows", markup=False)
    for finding in report.findings:
        where = f"  line {finding.line}, {finding.field}"
        _console.print(f"{where}: {finding.what}", markup=False)

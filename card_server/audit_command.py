"""`card-server audit verify`: whether the audit log is whole, and what was done to it if not."""

import re
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Connection, select

from card_server.audit.details import seal_details
from card_server.audit.faults import Anchor, Fault, FaultKind, Report
from card_server.audit.verifying import find_chains, read_head, snapshot, verify_chain
from card_server.config import load_settings
from card_server.errors import AppError, Code
from card_server.storage.database import open_engine
from schema.tables.audit import DISTRICT
from schema.tables.school import School

_ANCHOR = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")
_LOOK = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
)
_console = Console()


def verify(
    school: Annotated[str | None, typer.Option(help="The code of one school only.")] = None,
    district: Annotated[bool, typer.Option(help="The district's own log only.")] = False,
    anchor: Annotated[
        str | None,
        typer.Option(help="SEQ:HASH that an earlier run printed; needs --school or --district."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="The settings file.")] = None,
) -> None:
    """Check that nothing in the audit log was edited, removed, swapped or cut off."""
    if school and district:
        raise AppError(Code.INVALID, "Choose --school or --district, not both.")
    kept = _read_anchor(anchor) if anchor else None
    if kept and not (school or district):
        raise AppError(Code.INVALID, "An anchor belongs to one log: add --school or --district.")
    settings = load_settings(config)
    engine = seal_details(open_engine(settings.database_url), settings.data_key)
    try:
        with snapshot(engine) as connection:
            reports = _verify_each(connection, _choose(connection, school, district), kept)
    finally:
        engine.dispose()
    for name, report in reports.items():
        _print(name, report)
    if not all(report.is_whole for report in reports.values()):
        raise typer.Exit(1)


def _read_anchor(text: str) -> Anchor:
    match = _ANCHOR.fullmatch(text.strip().lower())
    if match is None:
        raise AppError(Code.INVALID, "An anchor is SEQ:HASH, as `card-server audit verify` prints.")
    return Anchor(int(match[1]), bytes.fromhex(match[2]))


def _choose(connection: Connection, school: str | None, district: bool) -> dict[str, int]:
    """The chains to check, by the names that they are printed with."""
    if district:
        return {"district": DISTRICT}
    codes = {row.id: row.code for row in connection.execute(select(School.id, School.code))}
    if school is None:
        names = {DISTRICT: "district"} | codes
        return {names.get(one, f"former school {one}"): one for one in find_chains(connection)}
    chosen = {code: one for one, code in codes.items() if code == school}
    if not chosen:
        raise AppError(Code.NOT_FOUND, f"There is no school {school}.")
    return chosen


def _verify_each(
    connection: Connection, chains: dict[str, int], anchor: Anchor | None
) -> dict[str, Report]:
    reports = {}
    with Progress(*_LOOK, console=Console(stderr=True), transient=True) as progress:
        for name, chain in chains.items():
            head = read_head(connection, chain)
            task = progress.add_task(name, total=head.seq if head else None)
            advance = partial(progress.advance, task)
            reports[name] = verify_chain(connection, chain, anchor, advance)
    return reports


def _print(name: str, report: Report) -> None:
    entries = f"{report.entries:,} entries"
    if report.is_whole:
        _say(f"{name}: {entries}, whole.")
    else:
        _say(f"{name}: {entries}, NOT WHOLE.")
    for kind in report.counts:
        _say(f"  {kind}: {_list_places(report, kind)}")
    if FaultKind.DETAIL_CHANGED in report.counts:
        _say("  A detail also counts as changed when data_key is not the one that sealed it.")
    if report.erased:
        _say(f"  details erased, as the log itself says: {report.erased:,}")
    if report.plain:
        _say(f"  details that are not sealed: {report.plain:,}")
    if report.end:
        _say(f"  anchor to keep elsewhere: {report.end}")


def _list_places(report: Report, kind: FaultKind) -> str:
    named = [_name_place(fault) for fault in report.faults if fault.kind is kind]
    more = report.counts[kind] - len(named)
    return ", ".join(named) + (f" and {more:,} more" if more else "")


def _name_place(fault: Fault) -> str:
    if fault.first == fault.last:
        return f"entry {fault.first}"
    if fault.kind is FaultKind.SWAPPED:
        return f"entries {fault.first} and {fault.last}"
    return f"entries {fault.first} to {fault.last}"


def _say(line: str) -> None:
    _console.print(line, markup=False, highlight=False, soft_wrap=True)

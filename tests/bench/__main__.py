"""`make bench`: every promise in numbers, measured in one run on this machine.

PostgreSQL and Mosquitto run with their own durability defaults. Arguments choose suites by name.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from schema.messages import MAX_TAPS
from tests.bench.attendance_pages import measure_attendance_pages
from tests.bench.beep import measure_beep
from tests.bench.drain import measure_drain
from tests.bench.latency import measure_latency
from tests.bench.measure import Measure
from tests.bench.pages import measure_pages
from tests.bench.promotion import measure_promotion
from tests.bench.recompute import measure_recompute
from tests.bench.roster import measure_roster
from tests.bench.telling import measure_telling
from tests.harness.postgres import Postgres

_RESULT = Path("bench.json")
_MARKS = {True: "[green]holds[/]", False: "[red]no[/]", None: ""}

Told = Callable[[float], None]
Suite = Callable[[Path, Postgres, Told], list[Measure]]
SUITES: dict[str, Suite] = {
    "drain": lambda folder, postgres, told: measure_drain(folder, postgres, 1, told),
    "backlog": lambda folder, postgres, told: measure_drain(folder, postgres, MAX_TAPS, told),
    "latency": measure_latency,
    "telling": measure_telling,
    "pages": measure_pages,
    "attendance": measure_attendance_pages,
    "roster": measure_roster,
    "recompute": measure_recompute,
    "promotion": measure_promotion,
    "beep": lambda folder, _, told: measure_beep(folder, told),
}


def main(chosen: list[str]) -> int:
    """Run the suites, show the table, write bench.json; 1 when a target is missed."""
    measures: list[Measure] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Postgres() as postgres,
        Progress(console=Console(stderr=True)) as progress,
    ):
        for name in chosen or SUITES:
            task = progress.add_task(name, total=1.0)
            told = partial(_show, progress, task)
            measures += SUITES[name](Path(folder) / name, postgres, told)
            told(1)
    Console().print(_table(measures))
    _RESULT.write_text(json.dumps([_as_json(one) for one in measures], indent=1) + "\n")
    return int(any(one.holds is False for one in measures))


def _show(progress: Progress, task: TaskID, part: float) -> None:
    progress.update(task, completed=part)


def _table(measures: list[Measure]) -> Table:
    table = Table("figure", "", "unit", "target", "", title="bench")
    table.columns[1].justify = "right"
    for one in measures:
        target = "" if one.target is None else f"{one.side} {one.target:,g}"
        table.add_row(
            one.name,
            f"{one.value:,.4g}" if one.value < 1e4 else f"{one.value:,.0f}",
            one.unit,
            target,
            _MARKS[one.holds],
        )
    return table


def _as_json(one: Measure) -> dict[str, object]:
    return {
        "name": one.name.strip(),
        "value": one.value,
        "unit": one.unit,
        "target": one.target,
        "holds": one.holds,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

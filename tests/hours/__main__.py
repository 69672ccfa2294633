"""`make hours`: the tests at other hours than this one, for a school's day has an order.

A test that taps now finds a late student at nine, a closed school on Sunday, and another day
after midnight. Arguments go to pytest: `python -m tests.hours tests/journeys`.
"""

import os
import subprocess
import sys
import tempfile
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from rich.console import Console

_SOURCE: Final = Path(__file__).with_name("clock_shift.c")
_ZONE: Final = ZoneInfo("Asia/Shanghai")


class Hour(NamedTuple):
    """A moment of the week at the tests' schools."""

    name: str
    weekday: int
    """0 is Monday."""
    at: time

    def seconds_from(self, now: datetime) -> int:
        """How long it is to the next such moment."""
        day = now.date() + timedelta(days=(self.weekday - now.weekday()) % 7)
        moment = datetime.combine(day, self.at, _ZONE)
        if moment < now:
            moment += timedelta(days=7)
        return int((moment - now).total_seconds())


HOURS: Final = (
    Hour("Tuesday, just after midnight", 1, time(0, 2)),
    Hour("Wednesday, after lessons began", 2, time(8, 20)),
    Hour("Friday, when lessons end", 4, time(17, 0)),
    Hour("Saturday, before midnight", 5, time(23, 50)),
    Hour("Sunday, at noon", 6, time(12, 0)),
)


def main(arguments: list[str]) -> int:
    """Run pytest at each hour; the number of hours at which something failed."""
    with tempfile.TemporaryDirectory() as folder:
        library = compile_shift(Path(folder))
        return sum(not _passes(library, hour, arguments) for hour in HOURS)


def compile_shift(folder: Path) -> Path:
    """A library that shifts the clock of what loads it by CLOCK_SHIFT_S seconds."""
    library = folder / "clock_shift.so"
    command = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*command, str(_SOURCE), "-o", str(library)], check=True)
    return library


def _passes(library: Path, hour: Hour, arguments: list[str]) -> bool:
    shift_s = hour.seconds_from(datetime.now(_ZONE))
    Console().rule(hour.name)
    shifted = {"LD_PRELOAD": str(library), "CLOCK_SHIFT_S": str(shift_s)}
    command = [sys.executable, "-m", "pytest", "-n", "3", "--dist", "loadfile", *arguments]
    return subprocess.run(command, env=os.environ | shifted, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Another hour for a program: its calendar clock is ahead, its waiting takes as long as ever."""

import os
import subprocess
import sys
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.hours.__main__ import HOURS, compile_shift

_ZONE = ZoneInfo("Asia/Shanghai")
_DAY_S = 24 * 60 * 60
_CLOCKS = "import time; print(time.time(), time.monotonic()); time.sleep(0)"


def test_only_the_calendar_clock_of_a_program_is_ahead(tmp_path: Path) -> None:
    shifted = {"LD_PRELOAD": str(compile_shift(tmp_path)), "CLOCK_SHIFT_S": str(_DAY_S)}

    def read(**env: str) -> list[float]:
        command = [sys.executable, "-c", _CLOCKS]
        said = subprocess.run(
            command, env=os.environ | env, check=True, capture_output=True, text=True
        ).stdout
        return [float(word) for word in said.split()]

    (now, waited), (ahead, waited_ahead) = read(), read(**shifted)
    assert _DAY_S <= ahead - now < _DAY_S + 60
    assert 0 <= waited_ahead - waited < 60


def test_an_hour_of_the_week_comes_within_a_week() -> None:
    for hour in HOURS:
        begin = datetime(2026, 11, 23, 8, 20, tzinfo=_ZONE)
        for moment in (begin + timedelta(hours=passed) for passed in range(7 * 24)):
            found = moment + timedelta(seconds=hour.seconds_from(moment))
            assert (found.weekday(), found.time()) == (hour.weekday, hour.at)
            assert moment <= found <= moment + timedelta(days=7)
    assert len({(hour.weekday, hour.at) for hour in HOURS}) == len(HOURS)
    assert any(hour.at < time(1) for hour in HOURS)

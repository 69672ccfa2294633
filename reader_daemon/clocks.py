"""The two clocks of the machine: the wall's, which people and NTP move, and the kernel's."""

import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

_NOISE_S = 0.1
"""Below this the two clocks agree: reading one after the other takes time itself."""


class Uptime(NamedTuple):
    """A moment by the kernel's clock, which nobody moves and which counts sleep."""

    os_boot: str
    """Which start of the machine; moments of two starts cannot be compared."""
    seconds: float


def uptime() -> Uptime:
    """This moment."""
    return Uptime(_os_boot(), time.clock_gettime(time.CLOCK_BOOTTIME))


def clock_step_s(wall_then: float, then: Uptime, wall_now: float, now: Uptime) -> float:
    """By how many seconds the wall clock was moved forward between two moments.

    0 when the machine was started in between: then nobody can tell.
    """
    if then.os_boot != now.os_boot:
        return 0.0
    step = (wall_now - wall_then) - (now.seconds - then.seconds)
    return round(step, 3) if abs(step) >= _NOISE_S else 0.0


@cache
def _os_boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()

"""Free loopback ports."""

import os
import socket
from collections.abc import Iterator
from itertools import cycle
from random import randrange

_FIRST, _EACH = 12_000, 4_000
"""Below the ports that the kernel gives to connections; each worker of a test run has its own."""
_WORKERS = 5


def _own_ports() -> Iterator[int]:
    """Round and round, from anywhere: another run beside this one begins elsewhere."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first, begin = _FIRST + worker % _WORKERS * _EACH, randrange(_EACH)
    return cycle([first + (begin + n) % _EACH for n in range(_EACH)])


_ports = _own_ports()


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on, and that nobody else is about to take."""
    return next(port for port in _ports if _is_free(port))


def is_open(port: int) -> bool:
    """Whether somebody accepts connections on 127.0.0.1:port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True

"""What libraries load although no server process uses it: left out of their memory."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Final

_UNUSED: Final = {"structlog": ("rich",), "paho.mqtt.client": ("dns",)}
"""By library: what it draws in where it finds it, for coloured logs and for SRV records."""


def import_sparingly() -> None:
    """Import those libraries without what is unused; whoever needs that imports it as ever."""
    for library, unused in _UNUSED.items():
        with _hidden(unused):
            import_module(library)


@contextmanager
def _hidden(names: tuple[str, ...]) -> Iterator[None]:
    """Let an import find that there are no such modules, unless they are loaded already."""
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment] # Python's way to say so
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]

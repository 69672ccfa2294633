"""A process that loads some of the tables can use them: what they refer to is loaded with them."""

import subprocess
import sys
from pathlib import Path

import pytest

_PRINTING = """
import importlib, sys
importlib.import_module(sys.argv[1])
from schema.tables.metadata import Table
tables = Table.metadata.tables
for table in tables.values():
    for key in table.foreign_keys:
        target = key.target_fullname.partition(".")[0]
        if target not in tables:
            print(table.name, "->", target)
"""
_PROCESSES = ("card_server.clock", "card_server.ingest", "card_server.notifier")
_PARTS = ("card_server.jobs.work", "card_server.imports.roster.job", "card_server.imports.taps")


@pytest.mark.parametrize("name", [*_PROCESSES, *_PARTS])
def test_what_is_loaded_refers_to_nothing_that_is_not(name: str) -> None:
    argv = [sys.executable, "-c", _PRINTING, name]
    root = Path(__file__).parents[2]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=root, check=True, timeout=60)
    assert done.stdout == ""

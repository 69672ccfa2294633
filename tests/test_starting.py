"""What a process does not load before somebody needs it: memory, and seconds until it serves."""

import subprocess
import sys

import pytest

_PRINTING = {"fpdf", "fontTools"}
_HEAVY = _PRINTING | {"chinese_calendar", "pypinyin"}
_OF_THE_TERMINAL = {"pygments", "rich"}
_OF_THE_WEB = {"apiflask", "babel", "flask", "xlsxwriter", "PIL", "phonenumbers"}
_NOT_NEEDED = {
    "web.app": _HEAVY,
    "clock": _HEAVY,
    "notifier": _HEAVY | _OF_THE_WEB,
    "ingest": _HEAVY | _OF_THE_WEB | _OF_THE_TERMINAL | {"cryptography", "dns", "requests"},
}


@pytest.mark.parametrize(("process", "not_needed"), _NOT_NEEDED.items())
def test_a_process_starts_without_what_it_may_never_need(
    process: str, not_needed: set[str]
) -> None:
    printed = (
        "import sys, card_server.commands; card_server.commands.prepare();"
        f" import card_server.{process}; print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", printed], check=True, capture_output=True, text=True, timeout=60
    ).stdout.split()
    assert f"card_server.{process}" in loaded
    assert not_needed & {*loaded} == set()

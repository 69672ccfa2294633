"""`python -m card_server.demo` as a newcomer meets it: real broker, real readers, real pages."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.harness.processes import Process
from tests.harness.waiting import wait_for


def _demo(folder: Path, name: str) -> Process:
    # Run where the folder is: the demo keeps its data below the working directory.
    argv = ["env", "-C", str(folder), "COLUMNS=200", sys.executable, "-m", "card_server.demo"]
    return Process(argv, folder / name)


def _wait_until_ready(demo: Process) -> tuple[str, str]:
    """Its address and the one-time password."""

    def shown() -> re.Match[str] | None:
        assert demo.exit_code is None, demo.output
        return re.search(r"(http://127\.0\.0\.1:\d+/)[\s\S]*password +(\S+)", demo.output)

    match = wait_for(shown, 90, "the demo's address")
    assert match
    return match[1], match[2]


def _rows(folder: Path, query: str) -> list[tuple[str, ...]]:
    with sqlite3.connect(f"file:{folder}/var/demo/campus.db?mode=ro", uri=True) as database:
        return database.execute(query).fetchall()


def _tap(folder: Path, gate: str, uid: str) -> dict[str, str]:
    with socket.socket(socket.AF_UNIX) as tray:
        tray.settimeout(10)
        tray.connect(os.path.relpath(folder / f"var/demo/tray/{gate}.sock"))
        tray.sendall(json.dumps({"uid": uid}).encode() + b"\n")
        answer: dict[str, str] = json.loads(tray.makefile().readline())
        return answer


def _children(pid: int) -> list[str]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.split()


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short name: the trays' sockets lie below it, and theirs must be short."""
    return tmp_path_factory.mktemp("demo")


def test_a_card_on_a_gate_reaches_the_parents_and_the_data_outlives_ctrl_c(folder: Path) -> None:
    with _demo(folder, "first.log") as demo:
        address, first_password = _wait_until_ready(demo)
        with urlopen(address) as page:
            assert page.status == 200
        ((uid,),) = _rows(folder, "SELECT uid FROM card WHERE state = 'active' LIMIT 1")
        ((lost,),) = _rows(folder, "SELECT uid FROM card WHERE state = 'lost'")
        assert _tap(folder, "gate-west-in", uid)["signal"] == "admitted"
        assert _tap(folder, "gate-east-in", lost)["reason"] == "lost"
        told = "SELECT body FROM message WHERE state = 'accepted' AND provider = 'console'"
        wait_for(lambda: _rows(folder, told), what="the message")
        children = _children(demo.pid)
        ((readers,),) = _rows(folder, "SELECT count(*) FROM reader")
        assert len(children) == int(readers) + len(("broker", "server"))
        os.kill(demo.pid, signal.SIGINT)
        assert demo.wait(20) == 0
        assert "The data stays" in demo.output
        alive = ["ps", "-o", "stat=", "-p", ",".join(children)]
        left = subprocess.run(alive, capture_output=True, text=True, check=False).stdout.split()
        assert [state for state in left if not state.startswith("Z")] == []

    with _demo(folder, "second.log") as demo:
        again, second_password = _wait_until_ready(demo)
        assert again == address
        assert second_password != first_password
        assert _rows(folder, told)
        with _demo(folder, "beside.log") as beside:
            assert beside.wait(30) != 0
            assert "runs already" in beside.output


def test_a_part_that_dies_is_named_and_ends_the_demo(folder: Path) -> None:
    with _demo(folder, "demo.log") as demo:
        _wait_until_ready(demo)
        os.kill(int(_children(demo.pid)[0]), signal.SIGKILL)
        assert demo.wait(30) == 1
        assert "broker ended (SIGKILL)" in demo.output

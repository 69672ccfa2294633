"""A process ends when a part of it ends, with a code that systemd and people can read."""

import signal
import sys
from pathlib import Path

import pytest

from card_server.errors import EXIT_CODE, Code
from tests.harness.processes import Process
from tests.harness.waiting import wait_for

_RUN = """
import signal, sys, threading
from card_server import supervise
from card_server.errors import AppError, Code

supervise._END_S = 2

def works(stop):
    print("works", flush=True)
    stop.wait()
    print("has ended", flush=True)

def takes_the_signal(stop):
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    works(stop)

def ends(stop):
    pass

def fails(stop):
    raise ValueError("oh")

def says_why(stop):
    raise AppError(Code.CONFLICT, "Another one runs.")

def hangs(stop):
    print("hangs", flush=True)
    threading.Event().wait()

def exits(stop):
    sys.exit(0)

def fails_at_the_end(stop):
    print("waits", flush=True)
    stop.wait()
    raise ValueError("too late")

names = sys.argv[1:]
if "takes_the_signal" in names:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
sys.exit(supervise.run_until_stopped({name: globals()[name] for name in names}))
"""
SOFTWARE = 70


def process(folder: Path, *parts: str) -> Process:
    return Process([sys.executable, "-c", _RUN, *parts], folder / "parts.log")


@pytest.mark.parametrize(
    ("part", "code", "said"),
    [
        ("ends", SOFTWARE, "a part ended by itself"),
        ("fails", SOFTWARE, "ValueError: oh"),
        ("exits", SOFTWARE, "SystemExit"),
        ("says_why", EXIT_CODE[Code.CONFLICT], "Another one runs.\n"),
    ],
)
def test_a_part_that_ends_ends_the_others_and_the_process(
    tmp_path: Path, part: str, code: int, said: str
) -> None:
    with process(tmp_path, "works", part) as running:
        assert running.wait(15) == code
    assert said in running.output
    assert "has ended" in running.output


def test_a_sentence_for_people_comes_without_a_traceback(tmp_path: Path) -> None:
    with process(tmp_path, "says_why") as running:
        running.wait(15)
    assert running.output == "Another one runs.\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_parts_and_gives_zero(tmp_path: Path, number: signal.Signals) -> None:
    with process(tmp_path, "works") as running:
        wait_for(lambda: "works" in running.output)
        running.stop_signal = number
        assert running.stop() == 0
    assert "has ended" in running.output


def test_a_signal_counts_that_does_not_wake_the_main_thread(tmp_path: Path) -> None:
    with process(tmp_path, "takes_the_signal") as running:
        wait_for(lambda: "works" in running.output)
        assert running.stop() == 0
    assert "has ended" in running.output


def test_a_part_that_fails_while_it_ends_is_told(tmp_path: Path) -> None:
    with process(tmp_path, "fails_at_the_end") as running:
        wait_for(lambda: "waits" in running.output)
        assert running.stop() == SOFTWARE
    assert "ValueError: too late" in running.output


@pytest.mark.parametrize(
    ("other", "code"), [("fails", SOFTWARE), ("says_why", EXIT_CODE[Code.CONFLICT])]
)
def test_a_hanging_part_does_not_keep_the_process(tmp_path: Path, other: str, code: int) -> None:
    with process(tmp_path, "hangs", other) as running:
        assert running.wait(15) == code
    assert "a part did not end in time" in running.output


def test_a_part_that_hangs_at_a_signal_is_a_failure(tmp_path: Path) -> None:
    with process(tmp_path, "hangs") as running:
        wait_for(lambda: "hangs" in running.output)
        assert running.stop() == SOFTWARE

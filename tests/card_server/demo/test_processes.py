"""The process tree ends as a whole, whatever ends first."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.harness.processes import Process
from tests.harness.waiting import wait_for

_TREE = """
import sys
from pathlib import Path
from card_server.demo.processes import ChildDiedError, ProcessTree, StoppedError

folder = Path(sys.argv[1])
child = "import os, signal, sys, time, pathlib; {trick}" \\
    "pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"
try:
    with ProcessTree(folder / "log") as tree:
        for name, trick in (("one", ""), ("two", sys.argv[2])):
            argv = [sys.executable, "-c", child.format(trick=trick), str(folder / name)]
            tree.start(name, argv)
        tree.watch()
except StoppedError as stopped:
    print("stopped by", stopped)
except ChildDiedError as died:
    print(died)
    sys.exit(1)
"""
_STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); "


def _tree(folder: Path, trick: str = "") -> Process:
    return Process([sys.executable, "-c", _TREE, str(folder), trick], folder / "tree.log")


def _child(folder: Path, name: str) -> int:
    """Its process id, once it runs."""
    path = folder / name
    return int(wait_for(lambda: path.exists() and path.read_text(), what=name))


def _is_gone(pid: int) -> bool:
    """Ended; a zombie that its new parent has not looked at yet has ended too."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return state.stdout.strip()[:1] in {"", "Z"}


def test_ctrl_c_and_sigterm_end_every_child(tmp_path: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        folder = tmp_path / number.name
        folder.mkdir()
        with _tree(folder) as tree:
            children = [_child(folder, name) for name in ("one", "two")]
            os.kill(tree.pid, number)
            assert tree.wait() == 0
            assert f"stopped by {number.name}" in tree.output
            assert all(_is_gone(pid) for pid in children)


def test_a_child_that_will_not_end_is_killed(tmp_path: Path) -> None:
    with _tree(tmp_path, _STUBBORN) as tree:
        children = [_child(tmp_path, name) for name in ("one", "two")]
        os.kill(tree.pid, signal.SIGINT)
        assert tree.wait(20) == 0
        assert all(_is_gone(pid) for pid in children)


def test_a_second_ctrl_c_leaves_nobody_behind(tmp_path: Path) -> None:
    with _tree(tmp_path, _STUBBORN) as tree:
        children = [_child(tmp_path, name) for name in ("one", "two")]
        os.kill(tree.pid, signal.SIGINT)
        wait_for(lambda: _is_gone(children[0]), what="the first child")
        os.kill(tree.pid, signal.SIGINT)
        tree.wait(20)
        assert all(_is_gone(pid) for pid in children)


def test_nothing_survives_when_the_parent_is_killed(tmp_path: Path) -> None:
    with _tree(tmp_path, _STUBBORN) as tree:
        children = [_child(tmp_path, name) for name in ("one", "two")]
        tree.kill()
        wait_for(lambda: all(_is_gone(pid) for pid in children), what="the children's end")


def test_a_child_that_dies_is_named_with_its_last_words_and_ends_all(tmp_path: Path) -> None:
    trick = "print('no paper left', flush=True); time.sleep(1); sys.exit(3); "
    with _tree(tmp_path, trick) as tree:
        one = _child(tmp_path, "one")
        assert tree.wait(20) == 1
        assert "two ended (exit code 3)" in tree.output
        assert "no paper left" in tree.output
        assert _is_gone(one)

"""The spool: what was kept comes back, whatever happened to the process, the file or the disk."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reader_daemon.cardlist import Judgement
from reader_daemon.spool import Spool
from schema.messages import Decision, Rejection, Tap
from tests.harness.waiting import wait_for

UID = "04A1B2C3D4E5F6"
ADMITTED = Judgement(Decision.ADMITTED, None, 7)
WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from reader_daemon.cardlist import Judgement
from reader_daemon.spool import Spool
from schema.messages import Decision
judged = Judgement(Decision.ADMITTED, None, 7)
spool = Spool(Path(sys.argv[1]))
while True:
    kept = spool.keep("04A1B2C3D4E5F6", "", datetime.now(UTC), judged)
    sys.stdout.write(f"{kept.tap.id} {kept.tap.boot} {kept.tap.seq}\\n")
    sys.stdout.flush()
"""
FULL_DISK = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from reader_daemon.cardlist import Judgement
from reader_daemon.spool import NotKeptError, Spool
from schema.messages import Decision
folder = Path(sys.argv[1])
judged = Judgement(Decision.ADMITTED, None, 7)
spool = Spool(folder / "spool.db")
kept, refused = 0, 0
def keep():
    global kept, refused
    try:
        tap = spool.keep("04A1B2C3D4E5F6", "", datetime.now(UTC), judged).tap
    except NotKeptError:
        refused += 1
        return False
    kept += 1
    assert tap.seq == kept
    return True
while keep():
    pass
assert not keep() and spool.counts().waiting == kept > 10
(folder / "filler").unlink()
assert keep()
assert spool.counts().waiting == kept
spool.close()
print("kept", kept, "refused", refused)
"""


def _fill(path: Path, taps: int) -> list[Tap]:
    with Spool(path) as spool:
        return [spool.keep(UID, "3B8F", datetime.now(UTC), ADMITTED).tap for _ in range(taps)]


def _taps(path: Path) -> list[Tap]:
    with Spool(path) as spool:
        return [kept.tap for kept in spool.load(spool.waiting_ids())]


def _crashed(tmp_path: Path, taps: int) -> tuple[Path, list[str]]:
    """A spool whose process was killed with SIGKILL, and the ids that it had promised."""
    path = tmp_path / "spool.db"
    log = tmp_path / "promised"
    with log.open("w") as out:
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=out)
    wait_for(lambda: log.read_text().count("\n") >= taps, 20, "the writer's taps")
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    return path, [line for line in log.read_text().split("\n")[:-1] if line]


def test_what_was_kept_is_there_in_order_until_it_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    taps = _fill(path, 5)
    assert [tap.seq for tap in taps] == [1, 2, 3, 4, 5]
    assert _taps(path) == taps
    with Spool(path) as spool:
        spool.forget([taps[0].id, taps[2].id])
        spool.forget([taps[0].id])
        assert spool.counts().oldest_at == taps[1].tapped_at
    assert _taps(path) == [taps[1], taps[3], taps[4]]


def test_a_rejected_tap_goes_aside_and_is_not_sent_again(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    taps = _fill(path, 2)
    with Spool(path) as spool:
        spool.set_aside(taps[0].id, Rejection.ID_REUSED)
        spool.set_aside(taps[0].id, Rejection.ID_REUSED)
        counts = spool.counts()
        assert (counts.waiting, counts.aside) == (1, 1)
    assert _taps(path) == [taps[1]]
    rows = sqlite3.connect(path).execute("SELECT reason FROM aside").fetchall()
    assert rows == [("id_reused",)]


def test_each_start_is_a_greater_boot_even_with_the_clock_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "spool.db"
    first = _fill(path, 1)[0].boot
    monkeypatch.setattr("reader_daemon.spool.time.time", lambda: 1_000_000.0)
    second = _fill(path, 1)[0].boot
    with Spool(path) as spool:
        third = spool.boot
    fourth = _fill(path, 1)[0].boot
    assert first < second < third < fourth


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_process_keeps_every_promise_and_no_number_twice(
    tmp_path: Path, seed: int
) -> None:
    path, promised = _crashed(tmp_path, random.Random(seed).randrange(1, 150))
    kept = _taps(path)
    assert {line.split()[0] for line in promised} <= {str(tap.id) for tap in kept}
    assert len(kept) - len(promised) in (0, 1)
    after = _fill(path, 1)[0]
    numbers = [(tap.boot, tap.seq) for tap in [*kept, after]]
    assert len(set(numbers)) == len(numbers)
    assert after.boot > kept[-1].boot


def test_a_cut_tail_of_the_log_loses_only_what_was_cut(tmp_path: Path) -> None:
    path, promised = _crashed(tmp_path, 60)
    wal = path.with_name("spool.db-wal")
    with wal.open("r+b") as file:
        file.truncate(wal.stat().st_size - 5000)
    kept = _taps(path)
    assert len(kept) >= len(promised) - 3
    assert {tap.seq for tap in kept} == set(range(1, len(kept) + 1))


@pytest.mark.parametrize("place", [0, 40, 20_000])
def test_a_garbled_log_gives_back_the_taps_behind_the_damage(tmp_path: Path, place: int) -> None:
    path, promised = _crashed(tmp_path, 60)
    wal = path.with_name("spool.db-wal")
    with wal.open("r+b") as file:
        file.seek(place)
        file.write(b"\xff" * 16)
    assert {line.split()[0] for line in promised} <= {str(tap.id) for tap in _taps(path)}


@pytest.mark.parametrize(
    ("start", "length"),
    [(0, 100), (0, 4096), (4096, 2048), (8192, 40)],
    ids=["header", "first page", "a table's page", "a record"],
)
def test_a_garbled_file_is_put_beside_and_its_whole_records_go_on(
    tmp_path: Path, start: int, length: int
) -> None:
    path = tmp_path / "spool.db"
    taps = _fill(path, 200)
    with path.open("r+b") as file:
        file.seek(start)
        file.write(random.Random(1).randbytes(length))
    kept = _taps(path)
    assert set(kept) <= set(taps)
    assert len(kept) >= len(taps) - length // 200 - 1
    assert list(tmp_path.glob("spool.broken-1"))
    assert _fill(path, 1)[0].boot > taps[-1].boot


def test_one_flipped_bit_in_a_record_invents_no_tap(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    taps = _fill(path, 50)
    data = bytearray(path.read_bytes())
    at = data.find(UID.encode())
    data[at] ^= 1
    path.write_bytes(data)
    kept = _taps(path)
    assert len(kept) == len(taps) - 1
    assert {tap.uid for tap in kept} == {UID}


def test_a_file_of_rubbish_becomes_an_empty_spool(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    path.write_bytes(random.Random(2).randbytes(20_000))
    assert _taps(path) == []
    assert _fill(path, 1)[0].seq == 1


def test_a_full_disk_refuses_keeps_the_rest_and_recovers_by_itself(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    script = (
        f"mount -t tmpfs -o size=1m none {folder}"
        f" && head -c 500000 /dev/zero > {folder}/filler"
        f' && exec {sys.executable} -c "$1" {folder}'
    )
    namespace = "-m" if os.geteuid() == 0 else "-Urm"
    done = subprocess.run(
        ["unshare", namespace, "sh", "-c", script, "sh", FULL_DISK],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("kept")

"""A district's fifty thousand people are read in bounded time and memory."""

import io
import subprocess
import sys
from datetime import date
from pathlib import Path

from integrations.roster.oneroster.csv_writer import write_csv
from integrations.roster.oneroster.school import (
    Guardian,
    Homeroom,
    School,
    SchoolYear,
    Student,
    Tie,
)
from integrations.roster.protocol import Sex

_READ = """
import sys, time
from pathlib import Path
from integrations.roster.oneroster.csv_reader import read_csv

def highest_kib():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])

before = highest_kib()
began = time.process_time()
roster = read_csv(Path(sys.argv[1]))
seconds = time.process_time() - began
print(len(roster.students), len(roster.findings), seconds, before / 1024, highest_kib() / 1024)
"""


def test_fifty_thousand_users_are_read_in_little_time_and_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    stream = io.BytesIO()
    write_csv(stream, _school(students=25_000))
    path.write_bytes(stream.getvalue())
    run = subprocess.run(
        [sys.executable, "-c", _READ, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=110,
        cwd=Path(__file__).parents[4],
    )
    students, findings, seconds, before, peak = (float(part) for part in run.stdout.split())
    sys.stdout.write(f"50,000 users: {seconds:.1f} s of CPU, {peak:.0f} MiB, {before:.0f} before\n")
    assert (students, findings) == (25_000, 0)
    assert seconds < 30
    assert 0 < peak - before < 200


def _school(students: int) -> School:
    year = SchoolYear("y", "2026", date(2026, 9, 1), date(2027, 7, 10))
    homerooms = tuple(
        Homeroom(f"homeroom-{n:04d}", f"{n // 100 + 1}年级（{n % 100 + 1}）班", n // 100 + 1)
        for n in range(1200)
    )
    return School(
        "school",
        "大学校",
        "1",
        year,
        homerooms,
        tuple(
            Student(
                f"student-{n:036d}",
                f"2026{n:08d}",
                f"张{chr(0x4E00 + n % 5000)}{chr(0x5E00 + n % 3000)}",
                homerooms[n % len(homerooms)].sourced_id,
                Sex.MALE if n % 2 else Sex.FEMALE,
                date(2010, 1 + n % 12, 1 + n % 28),
                guardians=(Tie(f"guardian-{n:036d}", "父亲"),),
            )
            for n in range(students)
        ),
        tuple(
            Guardian(f"guardian-{n:036d}", f"李{chr(0x4E00 + n % 5000)}", (f"+86138{n:08d}",))
            for n in range(students)
        ),
    )

"""How long a school of 5,000 students and 8,000 guardians takes to come in, and how much memory."""

import io
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import xlsxwriter
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.imports.roster.apply import Importing
from card_server.imports.roster.choices import StagedFile
from card_server.imports.roster.facts import read_file
from card_server.imports.roster.importing import Consent, import_roster, preview
from card_server.imports.roster.view import make_view
from card_server.storage.database import open_engine, open_sessions
from card_server.storage.migrate import migrate
from card_server.storage.sealing import Seal
from integrations.roster.protocol import Roster
from schema.messages import utc_now
from schema.tables.roster import RosterSource
from schema.tables.school import School
from tests.bench.district import resident_mb
from tests.bench.measure import Is, Measure
from tests.harness.postgres import Postgres

Progress = Callable[[float], None]
_STUDENTS = 5_000
_PREVIEW_S, _IMPORT_S, _MOST_MB = 10, 20, 300
_HEADER = (
    "学号", "姓名", "性别", "身份证件号", "学籍号", "班级",
    "父亲姓名", "父亲电话", "母亲姓名", "母亲电话",
)  # fmt: skip
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_ZONE = ZoneInfo("Asia/Shanghai")
_FAMILY, _GIVEN = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨", "子轩梓涵一诺欣怡浩宇雨桐宇航可馨"


class _Took(msgspec.Struct):
    """What the process of its own has measured."""

    preview_s: float
    import_s: float
    again_s: float
    most_mb: float
    students: int
    guardians: int


def measure_roster(folder: Path, postgres: Postgres, progress: Progress) -> list[Measure]:
    """In a process of its own, so that the memory is the import's alone."""
    folder.mkdir()
    url = postgres.create_database()
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()
    path = folder / "roster.xlsx"
    path.write_bytes(make_sheet())
    progress(0.2)
    answer = subprocess.run(
        [sys.executable, "-m", "tests.bench.roster", url, str(path)],
        capture_output=True,
        check=True,
    )
    took = msgspec.json.decode(answer.stdout, type=_Took)
    size = f"{took.students:,} students, {took.guardians:,} guardians"
    return [
        Measure(f"roster of {size}: read and compared", took.preview_s, "s", Is.BELOW, _PREVIEW_S),
        Measure("  imported", took.import_s, "s", Is.BELOW, _IMPORT_S),
        Measure("  the same again: read and compared", took.again_s, "s"),
        Measure("  most memory", took.most_mb, "MB", Is.BELOW, _MOST_MB),
    ]


def make_sheet() -> bytes:
    """The register's sheet of a big school."""
    dice, body = random.Random(1), io.BytesIO()
    with xlsxwriter.Workbook(body) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, _HEADER)
        for number in range(_STUDENTS):
            page.write_row(number + 1, 0, _row(dice, number))
    return body.getvalue()


def _row(dice: random.Random, number: int) -> list[str]:
    day = f"{dice.randint(1, 12):02}{dice.randint(1, 28):02}"
    digits = f"{110101 + number // 1000 % 6}2014{day}{number % 1000:03}"
    rest = sum(int(one) * weight for one, weight in zip(digits, _WEIGHTS, strict=True)) % 11
    identity = digits + _CHECKS[rest]
    has_mother = number % 5 < 3
    return [
        f"2026{number:05}",
        _name(dice),
        "男" if int(identity[16]) % 2 else "女",
        identity,
        f"G{identity}",
        f"七年级({number // 50 + 1})班",
        _name(dice),
        f"138{number:08}",
        _name(dice) if has_mother else "",
        f"139{number:08}" if has_mother else "",
    ]


def _name(dice: random.Random) -> str:
    return dice.choice(_FAMILY) + dice.choice(_GIVEN) + dice.choice(_GIVEN)


def _measure(url: str, path: Path) -> _Took:
    engine = open_engine(url)
    sessions = open_sessions(engine)
    seal = Seal(bytes(32))
    with sessions.begin() as session:
        school = School(code="big", name="实验学校", signature="校")
        session.add(school)
        session.flush()
        school_id = school.id
    doing = Importing(school_id, _ZONE, SYSTEM, utc_now(), seal)
    file = StagedFile(RosterSource.SHEET, path.name, path.read_bytes())
    started = time.perf_counter()
    with sessions() as session:
        reading = _preview(session, doing, file)
    previewed = time.perf_counter()
    with sessions.begin() as session:
        counts = import_roster(session, doing, reading, Consent(has_said_yes=True), {})
    imported = time.perf_counter()
    with sessions() as session:
        _preview(session, doing, file)
    again = time.perf_counter()
    engine.dispose()
    return _Took(
        previewed - started,
        imported - previewed,
        again - imported,
        resident_mb(os.getpid()),
        counts.new,
        counts.guardians_new,
    )


def _preview(session: Session, doing: Importing, file: StagedFile) -> Roster:
    """What the page's step does: read, compare, and make what is shown."""
    reading = read_file(session, doing.school_id, file, doing.today, doing.seal)
    make_view(reading, preview(session, doing, reading.roster))
    return reading.roster


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(_measure(sys.argv[1], Path(sys.argv[2]))))

"""How long recomputing a term takes: 3,000 students, 100 days, four taps a day, three sessions."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan, SessionPlan
from card_server.attendance.plans import (
    PlanKey,
    deadlines_of,
    read_school,
    replace_plans,
)
from card_server.attendance.recompute import Recomputing
from card_server.school_time import bounds_of
from card_server.storage.database import open_engine, open_sessions
from card_server.storage.migrate import migrate
from schema.messages import utc_now
from schema.tables.attendance import Attendance, Deadline
from schema.tables.calendar import DayKind, DayPart
from schema.tables.school import Homeroom
from tests.bench.district import resident_mb
from tests.bench.measure import Is, Measure
from tests.harness.campus import make_campus
from tests.harness.postgres import Postgres

Progress = Callable[[float], None]
_STUDENTS, _DAYS = 3_000, 100
_MOST_S, _MOST_MB = 60, 200
_PLAN = DayPlan(
    DayKind.LESSONS,
    (
        SessionPlan(1, "上午", DayPart.MORNING, 420, 480, 510, 710, 720),
        SessionPlan(2, "下午", DayPart.AFTERNOON, 780, 840, 870, 1010, 1020),
        SessionPlan(3, "晚自习", DayPart.EVENING, 1080, 1140, 1170, 1260, 1270),
    ),
)
_PASSAGES = (("in", 445), ("out", 715), ("in", 805), ("out", 1015))
"""Way and minute of the day; each student comes up to 50 minutes later."""
_TAPS = """
INSERT INTO tap (school_id, id, reader_id, boot, seq, uid, student_id, tapped_at, sent_at,
                 received_at, occurred_at, clock_suspect, decision, cards_version, direction,
                 direction_by, effect)
SELECT s.school_id, gen_random_uuid(), :reader, NULL, NULL, c.uid, s.id,
       at, at, at, at, false, 'admitted', 1, :direction, 'reader', :effect
FROM generate_series(0, :days - 1) AS later
CROSS JOIN student AS s
JOIN card_binding AS b ON b.student_id = s.id
JOIN card AS c ON c.id = b.card_id
CROSS JOIN LATERAL (
    SELECT CAST(:begin AS timestamptz)
           + make_interval(days => later, mins => :minute + (s.id * 7 + later * 3) % 51) AS at
) AS moment
ORDER BY at
"""


class _Took(msgspec.Struct):
    """What the process of its own has measured."""

    first_s: float
    again_s: float
    changed: int
    changed_again: int
    most_mb: float


def measure_recompute(folder: Path, postgres: Postgres, progress: Progress) -> list[Measure]:
    """In a process of its own, so that the memory is the recomputing's alone."""
    folder.mkdir()
    url = postgres.create_database()
    engine = open_engine(url)
    migrate(engine)
    first = _make_term(engine)
    progress(0.3)
    argv = [sys.executable, "-m", "tests.bench.recompute", url, first.isoformat()]
    output = subprocess.run(argv, check=True, capture_output=True).stdout
    took = msgspec.json.decode(output, type=_Took)
    progress(1)
    with Session(engine) as session:
        rows = len(session.execute(select(Attendance.student_id)).all())
    engine.dispose()
    assert rows == took.changed == _STUDENTS * _DAYS, f"{rows} rows, {took.changed} changed"
    assert took.changed_again == 0, "recomputing twice is not the same"
    return [
        Measure("recompute a term of 1,200,000 taps", took.first_s, "s", Is.BELOW, _MOST_S),
        Measure("  the same again, nothing changes", took.again_s, "s", Is.BELOW, _MOST_S),
        Measure("  most resident memory", took.most_mb, "MB", Is.BELOW, _MOST_MB),
    ]


def _make_term(engine: Engine) -> date:
    """The taps of a term whose days are over, with their plans, and no day judged."""
    with Session(engine) as session:
        campus = make_campus(session, "big", students=_STUDENTS)
        school = read_school(session, campus.school_id)
        first = (utc_now() - timedelta(days=_DAYS + 2)).astimezone(school.zone).date()
        begin = bounds_of(first, school.zone)[0]
        for way, minute in _PASSAGES:
            values = {
                "reader": campus.readers[f"gate-{way}"],
                "direction": way,
                "effect": "arrival" if way == "in" else "departure",
                "days": _DAYS,
                "begin": begin,
                "minute": minute,
            }
            session.execute(text(_TAPS), values)
        rooms = session.scalars(select(Homeroom.id)).all()
        days = [first + timedelta(days=n) for n in range(_DAYS)]
        keys = [PlanKey(school.id, day, room) for day in days for room in rooms]
        replace_plans(session, dict.fromkeys(keys, _PLAN), utc_now())
        deadlines = [
            msgspec.structs.asdict(row) | {"judged_at": utc_now()}
            for key in keys
            for row in deadlines_of(key, _PLAN, school.zone)
        ]
        session.execute(insert(Deadline), deadlines)
        session.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return first


def _work(url: str, first: date, now: datetime) -> _Took:
    sessions = open_sessions(open_engine(url))
    with sessions() as session:
        school = read_school(session, 1)
    last = first + timedelta(days=_DAYS - 1)
    took, changed = [], []
    for _ in range(2):
        began = time.perf_counter()
        done = Recomputing(sessions, school, first, last, now).do(lambda _done, _of: None)
        took.append(time.perf_counter() - began)
        changed.append(done.changed)
    return _Took(took[0], took[1], changed[0], changed[1], resident_mb(os.getpid()))


if __name__ == "__main__":
    sys.stdout.buffer.write(
        msgspec.json.encode(_work(sys.argv[1], date.fromisoformat(sys.argv[2]), utc_now()))
    )

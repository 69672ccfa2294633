"""How long the pages of attendance take with 3,000 students and two years of taps and days.

On PostgreSQL and on SQLite: 2.4 million taps and 1.2 million judged days, of 400 school days, so
that whatever reads them without an index is seen.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from flask import Flask, url_for
from flask.testing import FlaskClient
from sqlalchemy import BindParameter, Date, Engine, bindparam, text
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan, SessionPlan
from card_server.school_time import DISTRICT_ZONE, bounds_of, day_of
from card_server.staff.accounts import create_staff
from card_server.staff.scope import WHOLE_SCHOOL
from card_server.storage.database import open_engine
from card_server.storage.migrate import migrate
from card_server.web.app import close_app, create_app
from card_server.web.settling import settle
from schema.tables.calendar import DayKind, DayPart
from schema.tables.metadata import UtcDateTime
from schema.tables.school import Term
from tests.bench.measure import Is, Measure, quantile
from tests.bench.pages import Progress, time_pages
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings
from tests.harness.campus import make_campus
from tests.harness.postgres import Postgres

_STUDENTS, _DAYS, _CALENDAR_DAYS = 3_000, 400, 730
_MOST_MS = {"PostgreSQL": 50, "SQLite": 100}
_PLAN = DayPlan(
    DayKind.LESSONS,
    (
        SessionPlan(1, "上午", DayPart.MORNING, 390, 450, 510, 700, 710),
        SessionPlan(2, "下午", DayPart.AFTERNOON, 780, 840, 870, 1010, 1020),
    ),
)
_TAPS = """
INSERT INTO tap (school_id, id, reader_id, boot, seq, uid, student_id, tapped_at, sent_at,
                 received_at, occurred_at, clock_suspect, decision, reason, cards_version,
                 direction, direction_by, effect)
SELECT :school, {id}, CASE way.n WHEN 0 THEN :came ELSE :left END, NULL, NULL, '04' || s.id, s.id,
       {came_or_left}, {came_or_left}, {came_or_left}, {came_or_left}, {false},
       CASE WHEN (s.id * 31 + d.at_day + way.n) % 1000 = 0 THEN 'refused' ELSE 'admitted' END,
       CASE WHEN (s.id * 31 + d.at_day + way.n) % 1000 = 0 THEN 'lost' END, 1,
       CASE way.n WHEN 0 THEN 'in' ELSE 'out' END, 'reader',
       CASE way.n WHEN 0 THEN 'arrival' ELSE 'departure' END
FROM bench_day AS d
CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1) AS way
CROSS JOIN student AS s
ORDER BY d.day, way.n, s.id % 30
"""
_ATTENDANCE = """
INSERT INTO attendance (school_id, day, student_id, homeroom_id, arrived_at, departed_at,
                        late_minutes, early_minutes, present, late, left_early, absent, on_leave,
                        not_judged, sessions, findings)
SELECT :school, d.day, s.id, s.homeroom_id,
       CASE WHEN s.k IN (2, 3) THEN NULL ELSE {came} END,
       CASE WHEN s.k IN (2, 3) THEN NULL ELSE {left} END,
       CASE WHEN s.k IN (0, 1) THEN 2 + s.id % 7 ELSE 0 END, 0,
       CASE WHEN s.k IN (2, 3) THEN 0 ELSE 2 END, CASE WHEN s.k IN (0, 1) THEN 1 ELSE 0 END,
       CASE WHEN s.k = 4 THEN 1 ELSE 0 END, CASE WHEN s.k = 2 THEN 2 ELSE 0 END,
       CASE WHEN s.k = 3 THEN 2 ELSE 0 END, 0,
       CASE WHEN s.k = 2 THEN
        '[{{"position"\\:1,"status":"absent"}},{{"position"\\:2,"status":"absent"}}]'
       ELSE '[{{"position"\\:1,"status":"present"}},{{"position"\\:2,"status":"present"}}]' END,
       CASE WHEN s.k = 5 THEN 'missed_exit' ELSE '' END
FROM bench_day AS d
JOIN (
    SELECT d.day AS of_day, s.id, s.homeroom_id, (s.id * 7 + d.at_day * 13) % 100 AS k
    FROM bench_day AS d CROSS JOIN student AS s
) AS s ON s.of_day = d.day
ORDER BY d.day
"""
_COUNTS = """
INSERT INTO homeroom_day (school_id, homeroom_id, day, arrived, late, inside, left_early, absent,
                          on_leave, away, late_sessions, left_early_sessions, absent_sessions,
                          on_leave_sessions)
SELECT school_id, homeroom_id, day, count(arrived_at), sum(late), 0, sum(left_early),
       sum(CASE WHEN absent > 0 THEN 1 ELSE 0 END), sum(CASE WHEN on_leave > 0 THEN 1 ELSE 0 END),
       sum(CASE WHEN arrived_at IS NULL THEN 1 ELSE 0 END), sum(late), sum(left_early),
       sum(absent), sum(on_leave)
FROM attendance GROUP BY school_id, homeroom_id, day
"""
_PLANS = """
INSERT INTO day_plan (school_id, day, homeroom_id, plan, made_at)
SELECT :school, d.day, h.id, :plan, :now FROM bench_day AS d CROSS JOIN homeroom AS h
"""
_DEADLINES = """
INSERT INTO deadline (school_id, day, homeroom_id, position, due_at, judged_at, waiting_for)
SELECT :school, d.day, h.id, n.n, :now, CASE WHEN d.day = :today THEN NULL ELSE :now END, ''
FROM bench_day AS d CROSS JOIN homeroom AS h
CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2) AS n
"""
_PRESENCE = """
INSERT INTO presence (school_id, student_id, homeroom_id, is_inside, since_at, reader_id, is_closed)
SELECT :school, id, homeroom_id, {true}, :now, :came, {false} FROM student
"""
_PAIRS = """
INSERT INTO tap_pair (school_id, later_id, kind, student_id, at, seconds, earlier_reader_id,
                      later_reader_id)
SELECT :school, {id}, 'travel', s.id, {at}, 9, :came, :left
FROM bench_day AS d
JOIN student AS s ON s.id % 1000 = d.at_day % 1000
"""
_SQLITE_TIME = "strftime('%Y-%m-%d %H:%M:00.000000', d.midnight, ({} + s.id % 30) || ' minutes')"
_WORDS = {
    "postgresql": {
        "id": "gen_random_uuid()",
        "at": "d.midnight + make_interval(mins => 430 + s.id % 30)",
        "came_or_left": "d.midnight + make_interval(mins => 430 + 590 * way.n + s.id % 30)",
        "came": "d.midnight + make_interval(mins => 430 + s.id % 30)",
        "left": "d.midnight + make_interval(mins => 1020 + s.id % 30)",
        "true": "true",
        "false": "false",
    },
    "sqlite": {
        "id": "lower(hex(randomblob(16)))",
        "at": _SQLITE_TIME.format(430),
        "came_or_left": _SQLITE_TIME.format("430 + 590 * way.n"),
        "came": _SQLITE_TIME.format(430),
        "left": _SQLITE_TIME.format(1020),
        "true": "1",
        "false": "0",
    },
}


def measure_attendance_pages(folder: Path, postgres: Postgres, progress: Progress) -> list[Measure]:
    """The slowest page's p99 on each database."""
    folder.mkdir()
    urls = {
        "PostgreSQL": postgres.create_database(),
        "SQLite": f"sqlite:///{folder / 'campus.db'}",
    }

    def advance(number: int, done: float) -> None:
        progress((number + done) / len(urls))

    measures = []
    for number, (name, url) in enumerate(urls.items()):
        times = _measure(url, folder, partial(advance, number))
        slowest = max(times, key=lambda path: quantile(times[path], 0.99))
        measures.append(
            Measure(
                f"attendance pages, {name} p99 ({slowest})",
                quantile(times[slowest], 0.99),
                "ms",
                Is.BELOW,
                _MOST_MS[name],
            )
        )
        measures += [
            Measure(f"  {path}, {name} p99", quantile(of_page, 0.99), "ms")
            for path, of_page in sorted(times.items())
        ]
    return measures


def _measure(url: str, folder: Path, progress: Progress) -> dict[str, list[float]]:
    engine = open_engine(url)
    migrate(engine)
    today = day_of(datetime.now(UTC), DISTRICT_ZONE)
    school_id = _make_two_years(engine, today)
    with _application(url, engine, folder) as app:
        client = _log_in(app, engine, school_id)
        visits = [(client, path) for path in _paths(app, engine, today)]
        times = time_pages(visits, progress)
    engine.dispose()
    return times


def _paths(app: Flask, engine: Engine, today: date) -> list[str]:
    """The pages, over as long a time as their buttons offer."""
    with engine.connect() as connection:
        room = connection.scalar(text("SELECT min(id) FROM homeroom"))
        student = connection.scalar(text("SELECT min(id) FROM student"))
    term: dict[str, Any] = {"from": today - timedelta(days=140), "to": today}
    month: dict[str, Any] = {"from": today - timedelta(days=30), "to": today}
    with app.test_request_context():
        return [
            url_for("board.show"),
            url_for("board.show", homeroom=room),
            url_for("today.show"),
            url_for("today.show", status="absent"),
            url_for("today.show", homeroom=room),
            url_for("today.show", print="all"),
            url_for("homeroom_sheets.show", homeroom_id=room),
            url_for("homeroom_sheets.show_month", homeroom_id=room),
            url_for("student_terms.show", student_id=student),
            url_for("student_terms.show", student_id=student, open="all"),
            url_for("student_terms.show_days", student_id=student, open="all", **month),
            url_for("student_terms.show_taps", student_id=student, day=today),
            url_for("rankings.show_homerooms", **term),
            url_for("rankings.show_students", **term),
            url_for("rankings.show_students", **term, print="all"),
            url_for("findings.show"),
            url_for("campus.show"),
        ]


def _make_two_years(engine: Engine, today: date) -> int:
    """The school's id; its days are in the order of their time."""
    with Session(engine) as session:
        campus = make_campus(session, "big", students=_STUDENTS)
        session.add(
            Term(
                school_id=campus.school_id,
                school_year=today.year - 1,
                name="学期",
                starts_on=today - timedelta(days=140),
                ends_on=today + timedelta(days=30),
            )
        )
        session.flush()
        _add_days(session, today)
        values = {
            "school": campus.school_id,
            "came": campus.readers["gate-in"],
            "left": campus.readers["gate-out"],
            "plan": msgspec.json.encode(_PLAN).decode(),
            "now": datetime.now(UTC),
            "today": today,
        }
        words = _WORDS[engine.dialect.name]
        for statement in (_TAPS, _ATTENDANCE, _COUNTS, _PLANS, _DEADLINES, _PRESENCE, _PAIRS):
            written = statement.format(**words)
            known = {name: value for name, value in values.items() if f":{name}" in written}
            asked = text(written).bindparams(*(_typed(name) for name in known))
            session.execute(asked, known)
        session.execute(text("DROP TABLE bench_day"))
        session.commit()
    analyse = "VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(analyse))
    return campus.school_id


def _typed(name: str) -> BindParameter[Any]:
    types: dict[str, Any] = {"now": UtcDateTime(), "today": Date()}
    return bindparam(name, type_=types.get(name))


def _add_days(session: Session, today: date) -> None:
    """The newest school days up to today, which is one of them whatever day of the week it is."""
    every = (today - timedelta(days=back) for back in range(_CALENDAR_DAYS))
    days = sorted([one for one in every if one == today or one.weekday() < 5][:_DAYS])
    kind = "timestamptz" if session.get_bind().dialect.name == "postgresql" else "text"
    session.execute(text(f"CREATE TABLE bench_day (day date, at_day int, midnight {kind})"))
    session.execute(
        text("INSERT INTO bench_day VALUES (:day, :at_day, :midnight)").bindparams(
            bindparam("day", type_=Date()), bindparam("midnight", type_=UtcDateTime())
        ),
        [
            {"day": day, "at_day": number, "midnight": bounds_of(day, DISTRICT_ZONE)[0]}
            for number, day in enumerate(days)
        ],
    )


@contextmanager
def _application(url: str, engine: Engine, folder: Path) -> Iterator[Flask]:
    app = create_app(make_settings(url, folder), engine)
    app.config["WTF_CSRF_ENABLED"] = False
    settle()
    try:
        yield app
    finally:
        close_app(app)


def _log_in(app: Flask, engine: Engine, school_id: int) -> FlaskClient:
    with Session(engine) as session:
        password = create_staff(session, school_id, "bench", "王老师", WHOLE_SCHOOL)
        session.commit()
    client = app.test_client()
    client.post("/log-in", data={"login": "bench", "password": password})
    client.post("/password", data={"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD})
    return client

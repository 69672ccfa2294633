"""How long the change to the next school year takes in a school of 3,000, with 1,000 graduates."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from card_server.audit.details import seal_details
from card_server.audit.writing import SYSTEM
from card_server.people.promotion import Promoted, promote, read_facts
from card_server.people.promotion_plan import make_plan
from card_server.storage.database import open_engine
from card_server.storage.migrate import migrate
from schema.tables.school import Homeroom
from tests.bench.measure import Is, Measure
from tests.harness.campus import DATA_KEY, make_campus
from tests.harness.postgres import Postgres

Progress = Callable[[float], None]
_STUDENTS = 3_000
_YEAR = 2026
_SUMMER = datetime(_YEAR + 1, 8, 20, tzinfo=UTC)
_STAGE = "一二三"
_MOST_S = 10


def measure_promotion(folder: Path, postgres: Postgres, progress: Progress) -> list[Measure]:
    """From the press of the button to the commit: students, cards, stays, roles and audit log."""
    folder.mkdir()
    engine = seal_details(open_engine(postgres.create_database()), DATA_KEY)
    migrate(engine)
    school_id = _make_school(engine)
    progress(0.3)
    done, took = _promote(engine, school_id)
    engine.dispose()
    size = f"{done.moved:,} students moved up, {done.graduated:,} graduated"
    return [Measure(f"new school year: {size}", took, "s", Is.BELOW, _MOST_S)]


def _make_school(engine: Engine) -> int:
    """Three grades of equal size; each student has a card."""
    with Session(engine) as session:
        school_id = make_campus(session, "big", students=_STUDENTS).school_id
        rooms = session.scalars(select(Homeroom).order_by(Homeroom.id)).all()
        for place, room in enumerate(rooms):
            grade = place % len(_STAGE)
            room.school_year, room.grade = _YEAR, 7 + grade
            room.name = f"初{_STAGE[grade]}({place // len(_STAGE) + 1})班"
        session.commit()
    return school_id


def _promote(engine: Engine, school_id: int) -> tuple[Promoted, float]:
    """What was done, and the seconds that it took."""
    today = _SUMMER.date()
    with Session(engine) as session:
        seen = make_plan(read_facts(session, school_id, today), {}, today).seen
    began = perf_counter()
    with Session(engine) as session:
        zone = ZoneInfo("Asia/Shanghai")
        done = promote(session, SYSTEM, school_id, {}, seen, _SUMMER, zone)
        session.commit()
    return done, perf_counter() - began

"""Several batches at once, with taps in common: one record, and nobody waits for ever."""

import random
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from card_server.services.protocol import Telling
from card_server.storage.database import open_engine, open_sessions
from card_server.taps.directory import Directory, ReaderKey
from card_server.taps.record import ReceivedTap, record_taps
from schema.messages import Decision
from schema.tables.attendance import HomeroomDay, Presence
from schema.tables.readers import Direction
from schema.tables.taps import Tap
from tests.harness.campus import make_campus

STUDENTS, TAPS, AGAIN, THREADS = 300, 1_500, 900, 3
MORNING = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(3))
def test_batches_at_once_count_each_student_once(postgres_url: str, seed: int) -> None:
    engine, rng = open_engine(postgres_url, by_key_only=True), random.Random(seed)
    with Session(engine) as session:
        campus = make_campus(session, students=STUDENTS)
        session.commit()
    sessions, directory = open_sessions(engine), Directory()
    with sessions() as session:
        keys = [ReaderKey("no1", "gate-in"), ReaderKey("no1", "gate-out")]
        readers = list(directory.readers(session, keys).values())
    taps = []
    for seq in range(1, TAPS + 1):
        at = MORNING + timedelta(seconds=rng.uniform(0, 3600))
        reader, uid = rng.choice(readers), rng.choice(campus.uids)
        decision = Decision.ADMITTED
        taps.append(
            ReceivedTap(uuid7(), reader, 1, seq, uid, at, at, at, at, False, decision, None, 1)
        )
    batches = _cut(rng, [*taps, *rng.sample(taps, AGAIN)])
    failures: list[OperationalError] = []

    def record() -> None:
        for batch in iter(lambda: batches.pop() if batches else None, None):
            try:
                with sessions() as session:
                    record_taps(session, batch, directory, Telling(True, MORNING))
                    session.commit()
            except OperationalError as error:
                failures.append(error)

    threads = [threading.Thread(target=record) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with sessions() as session:
        _assert_counts(session)
    engine.dispose()


def _cut(rng: random.Random, taps: list[ReceivedTap]) -> list[list[ReceivedTap]]:
    rng.shuffle(taps)
    batches = []
    while taps:
        size = rng.choice([1, 3, 20, 60, 150, 400])
        batches.append(taps[:size])
        taps = taps[size:]
    return batches


def _assert_counts(session: Session) -> None:
    """Presence and counts are what the taps on record say."""
    rows = sorted(session.scalars(select(Tap)), key=lambda tap: tap.occurred_at)
    assert len(rows) == TAPS
    last = {tap.student_id: tap.direction is Direction.IN for tap in rows}
    arrived = {tap.student_id for tap in rows if tap.direction is Direction.IN}
    presence = session.scalars(select(Presence)).all()
    assert {one.student_id: one.is_inside for one in presence} == last
    room = {one.student_id: one.homeroom_id for one in presence}
    came = Counter(room[student] for student in arrived if student)
    inside = Counter(room[student] for student, is_inside in last.items() if student and is_inside)
    for day in session.scalars(select(HomeroomDay)):
        counted = came[day.homeroom_id], inside[day.homeroom_id]
        assert (day.arrived, day.inside) == counted

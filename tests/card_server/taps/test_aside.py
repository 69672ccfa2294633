"""What could not be kept is kept aside: once, cut to size, and never too many."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session

from card_server.taps import aside
from card_server.taps.aside import set_aside
from schema.messages import MAX_BYTES, Rejection
from schema.tables.readers import Aside
from tests.card_server.tapping import MORNING


def put(session: Session, body: bytes = b"{", topic: str = "t", minute: int = 0) -> None:
    set_aside(
        session,
        school_id=None,
        topic=topic,
        body=body,
        reason=Rejection.MALFORMED,
        received_at=MORNING + timedelta(minutes=minute),
    )


def test_the_same_again_only_counts_up(engine: Engine) -> None:
    with Session(engine) as session:
        for minute in range(3):
            put(session, minute=minute)
        put(session, topic="u")
        put(session, body=b"}")
        session.commit()
        rows = session.scalars(select(Aside).order_by(Aside.id)).all()
    assert [(row.topic, row.body, row.times) for row in rows] == [
        ("t", b"{", 3),
        ("u", b"{", 1),
        ("t", b"}", 1),
    ]
    assert rows[0].received_at == MORNING + timedelta(minutes=2)


def test_a_long_or_strange_message_is_cut_to_fit(engine: Engine) -> None:
    with Session(engine) as session:
        put(session, b"\xff\0" * MAX_BYTES, "a\0b" + "门" * 300)
        put(session, b"\xff\0" * MAX_BYTES + b"!", "a\0b" + "门" * 300)
        session.commit()
        rows = session.scalars(select(Aside)).all()
    assert [len(row.body) for row in rows] == [MAX_BYTES] * 2
    assert {row.topic for row in rows} == {"ab" + "门" * 198}


def test_the_oldest_goes_when_there_are_too_many(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "_MOST_ROWS", 5)
    with Session(engine) as session:
        for number in range(8):
            put(session, f"{number}".encode())
        session.commit()
        bodies = session.scalars(select(Aside.body).order_by(Aside.id)).all()
    assert bodies == [b"3", b"4", b"5", b"6", b"7"]


def test_many_rows_too_many_go_at_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "_MOST_ROWS", 2)
    row = {"topic": "t", "reason": "malformed", "body": b"", "received_at": MORNING, "times": 1}
    with Session(engine) as session:
        session.execute(insert(Aside), [row | {"digest": bytes([n] * 32)} for n in range(9)])
        put(session)
        session.commit()
        assert session.scalar(select(func.count()).select_from(Aside)) == 2


def test_two_processes_that_meet_the_same_rubbish_count_together(engine: Engine) -> None:
    def work(_: int) -> None:
        for _ in range(10):
            with Session(engine) as session:
                put(session)
                session.commit()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    with Session(engine) as session:
        assert [row.times for row in session.scalars(select(Aside))] == [30]

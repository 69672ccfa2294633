"""A tap at a desk is on record as read, whatever the card, and changes nothing."""

from typing import Any

from sqlalchemy import Engine, update

from card_server.storage.database import open_engine, open_sessions
from schema.messages import Decision, Refusal
from schema.tables.attendance import Attendance, Presence
from schema.tables.messages import Message
from schema.tables.readers import Purpose, Reader
from schema.tables.taps import Effect, Tap
from tests.card_server.tapping import Gate


def test_a_tap_at_a_desk_changes_nothing(database_url: str) -> None:
    engine: Engine = open_engine(database_url)
    gate = Gate(open_sessions(engine))
    with gate.sessions.begin() as session:
        session.execute(update(Reader).where(Reader.code == "gate-in").values(purpose=Purpose.DESK))
    refused: dict[str, Any] = {"decision": Decision.REFUSED, "reason": Refusal.UNKNOWN}
    gate.record([gate.tap(0), gate.tap(10, uid="04EEEEEEEEEEEE", **refused), gate.tap(20)])
    taps = gate.rows(Tap)
    assert [tap.effect for tap in taps] == [Effect.READ] * 3
    assert {tap.direction for tap in taps} == {None}
    assert sorted(tap.student_id or 0 for tap in taps) == [0, 1, 1]
    for table in (Attendance, Presence, Message):
        assert gate.rows(table) == []
    engine.dispose()

"""Events are written in the transaction that they tell of, for the schools that want them."""

from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.services.protocol import Telling
from card_server.storage.sealing import Seal
from card_server.taps.record import ReceivedTap, record_taps
from card_server.webhooks.delivery import GIVE_UP_AFTER
from card_server.webhooks.events import DayStatus, Event
from card_server.webhooks.outbox import SETTLED, MessageKey, tell_of_messages
from card_server.webhooks.webhook import Form, disable_webhook, make_webhook
from schema.messages import Decision, Refusal, utc_now
from schema.tables.messages import Message, MessageState
from schema.tables.people import Guardian, Student
from schema.tables.taps import Effect
from schema.tables.webhooks import DeliveryState, EventKind, WebhookDelivery
from tests.card_server.tapping import MORNING, Gate
from tests.harness.campus import make_campus

ALL = frozenset({EventKind.TAP, EventKind.ATTENDANCE, EventKind.MESSAGE})


@pytest.fixture
def gate(sessions: sessionmaker[Session]) -> Gate:
    return Gate(sessions)


def hook(gate: Gate, *kinds: EventKind, school_id: int | None = None) -> int:
    form = Form("receiver", "https://hooks.example/", frozenset(kinds) or ALL)
    with gate.sessions.begin() as session:
        school_id = school_id or gate.campus.school_id
        made, _ = make_webhook(session, school_id, form, Seal(bytes(32)), SYSTEM, utc_now())
    return made


def tap(gate: Gate, seconds: float = 0, **changes: Any) -> ReceivedTap:
    """A tap as ingest makes it: its reader is asked of the directory before each batch."""
    return gate.tap(seconds, **changes)


def told(gate: Gate, webhook_id: int | None = None) -> list[Any]:
    """The events that were written, decoded by their published shape."""
    rows = [one for one in gate.rows(WebhookDelivery) if webhook_id in (None, one.webhook_id)]
    return [msgspec.json.decode(one.body, type=Event) for one in sorted(rows, key=_id)]


def _id(row: WebhookDelivery) -> str:
    return str(row.id)


def test_a_tap_and_the_day_that_it_changes_are_told_with_number_and_homeroom(gate: Gate) -> None:
    webhook_id = hook(gate)
    arrival = tap(gate, student=2)
    gate.record([arrival])
    tapped, changed = told(gate)
    assert (tapped.school, tapped.timestamp) == ("no1", arrival.received_at)
    data = tapped.data
    assert (data.tap_id, data.reader, data.effect) == (arrival.id, "gate-in", Effect.ARRIVAL)
    assert (data.student.id, data.student.number, data.student.homeroom) == (
        2,
        "S000002",
        "七(1)班",
    )
    assert (data.is_admitted, data.reason, data.occurred_at) == (True, None, MORNING)
    assert changed.data.status is DayStatus.ARRIVED
    assert changed.data.day.isoformat() == "2026-09-03"
    assert (changed.data.arrived_at, changed.data.student) == (MORNING, data.student)
    for row in gate.rows(WebhookDelivery):
        assert (row.webhook_id, row.state, row.attempts) == (webhook_id, DeliveryState.WAITING, 0)
        assert row.id.version == 7
        assert row.give_up_at - row.created_at == GIVE_UP_AFTER


def test_names_and_phones_are_in_no_event(gate: Gate) -> None:
    hook(gate)
    gate.record([tap(gate), tap(gate, 5, student=2), tap(gate, 9, uid="04FFFFFFFFFF80")])
    with gate.sessions() as session:
        secrets = [*session.scalars(select(Student.name)), *session.scalars(select(Guardian.name))]
        secrets += session.scalars(select(Guardian.phone_tail))
    bodies = "".join(one.body for one in gate.rows(WebhookDelivery))
    assert bodies
    assert not [secret for secret in secrets if secret in bodies.replace("S00000", "")]


@pytest.mark.parametrize(
    ("seconds", "reader", "status"),
    [(0, "gate-in", "arrived"), (3600, "gate-in", "late"), (7200, "gate-out", "departed")],
)
def test_how_a_day_stands(gate: Gate, seconds: float, reader: str, status: str) -> None:
    hook(gate, EventKind.ATTENDANCE)
    gate.record([tap(gate, seconds, reader=reader)])
    [changed] = told(gate)
    assert changed.data.status == status
    assert (changed.data.late_minutes > 0) == (status == "late")


def test_a_tap_that_changes_no_day_is_told_as_a_tap_alone(gate: Gate) -> None:
    hook(gate)
    refused: dict[str, Any] = {"decision": Decision.REFUSED, "reason": Refusal.LOST}
    gate.record([tap(gate, **refused), tap(gate, 1, uid="04FFFFFFFFFF80", **refused)])
    known, nobody = told(gate)
    assert (known.data.reason, known.data.student.number) == (Refusal.LOST, "S000001")
    assert (nobody.data.student, nobody.data.effect) == (None, Effect.NONE)


def test_each_webhook_is_told_of_what_it_wants_under_an_id_of_its_own(gate: Gate) -> None:
    taps, days, both = hook(gate, EventKind.TAP), hook(gate, EventKind.ATTENDANCE), hook(gate)
    gate.record([tap(gate), tap(gate, 1, student=2)])
    rows = gate.rows(WebhookDelivery)
    assert Counter(one.webhook_id for one in rows) == {taps: 2, days: 2, both: 4}
    assert len({one.id for one in rows}) == 8


def test_a_tap_that_comes_again_is_not_told_again(gate: Gate) -> None:
    hook(gate)
    first = tap(gate)
    gate.record([first])
    gate.record([first, tap(gate, 120, student=2)])
    assert [one.data.student.id for one in told(gate)] == [1, 1, 2, 2]


def test_other_schools_are_told_nothing(gate: Gate) -> None:
    with gate.sessions.begin() as session:
        other = make_campus(session, "no2", first_id=100)
    theirs = hook(gate, school_id=other.school_id)
    gate.record([tap(gate)])
    assert told(gate) == []
    ours = hook(gate)
    gate.record([tap(gate, 200)])
    assert {one.webhook_id for one in gate.rows(WebhookDelivery)} == {ours}
    assert told(gate, theirs) == []


def test_without_webhooks_recording_asks_the_database_nothing_more(
    gate: Gate, engine: Engine
) -> None:
    asked: list[str] = []
    gate.record([tap(gate)])  # the directory learns
    taps = [tap(gate, 100)]
    event.listen(engine, "before_cursor_execute", lambda *one: asked.append(str(one[2])))
    gate.record(taps)
    assert asked
    assert not [statement for statement in asked if "webhook" in statement]


def test_a_disabled_webhook_is_told_nothing_from_the_next_batch_on(gate: Gate) -> None:
    id_ = hook(gate)
    gate.record([tap(gate)])
    with gate.sessions.begin() as session:
        disable_webhook(session, gate.campus.school_id, id_, SYSTEM, utc_now())
    gate.record([tap(gate, 100)])
    assert len(told(gate)) == 2


def test_what_is_rolled_back_is_told_to_nobody(gate: Gate) -> None:
    hook(gate)
    with gate.sessions() as session:
        record_taps(session, [tap(gate)], gate.directory, Telling(True, MORNING))
        session.rollback()
    assert told(gate) == []


def test_an_imported_log_is_history_and_no_event(gate: Gate) -> None:
    hook(gate)
    with gate.sessions() as session:
        record_taps(session, [tap(gate)], gate.directory, Telling(False, MORNING))
        session.commit()
    assert told(gate) == []


def test_a_batch_of_many_is_told_whole_and_in_order(sessions: sessionmaker[Session]) -> None:
    gate = Gate(sessions, students=150)
    hook(gate, EventKind.TAP)
    taps = [tap(gate, number, student=number + 1) for number in range(150)]
    gate.record(taps)
    assert [one.data.tap_id for one in told(gate)] == [one.id for one in taps]


@pytest.mark.parametrize("state", list(MessageState))
def test_a_message_is_told_once_it_is_settled(gate: Gate, state: MessageState) -> None:
    gate.record([tap(gate)])
    hook(gate, EventKind.MESSAGE)
    hook(gate, EventKind.TAP)
    now = MORNING + timedelta(minutes=1)
    with gate.sessions.begin() as session:
        session.execute(update(Message).values(state=state))
        keys = [MessageKey(*row) for row in session.execute(select(Message.school_id, Message.id))]
        tell_of_messages(session.connection(), keys, now)
    events = told(gate)
    assert len(events) == (state in SETTLED)
    for one in events:
        assert (one.data.state, one.data.message_id, one.timestamp) == (state, keys[0].id, now)
        assert (one.data.student.number, one.data.kind) == ("S000001", "arrival")

"""Taps on both databases: each once, judged as of its time, whatever comes again or at once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from card_server.storage.database import open_sessions
from card_server.taps.directory import Directory
from card_server.taps.record import ReceivedTap, Recorded
from schema.messages import CardState, Decision, Refusal, Rejection
from schema.tables.attendance import Attendance, HomeroomDay, Presence
from schema.tables.cards import Card, CardBinding
from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from schema.tables.school import School
from schema.tables.taps import DirectionBy, Effect, Tap
from tests.card_server.tapping import MORNING, Gate, rejected_ids
from tests.harness.campus import uid_of
from tests.harness.cards import bind_card, set_card_state


@pytest.fixture
def gate(engine: Engine) -> Gate:
    return Gate(open_sessions(engine))


def effects(gate: Gate) -> list[Effect]:
    return [tap.effect for tap in sorted(gate.rows(Tap), key=lambda tap: tap.occurred_at)]


def state(gate: Gate) -> list[object]:
    """Everything that a tap may change."""
    tables = (Tap, Attendance, Presence, HomeroomDay, Message)
    return [gate.values(table) for table in tables]


def test_a_tap_becomes_a_row_a_day_a_place_a_count_and_a_message(gate: Gate) -> None:
    tap = gate.tap()
    assert gate.record([tap]) == Recorded([tap], [])
    [row] = gate.rows(Tap)
    assert (row.id, row.student_id, row.effect) == (tap.id, 1, Effect.ARRIVAL)
    assert row.direction_by is DirectionBy.READER
    assert [day.arrived_at for day in gate.rows(Attendance)] == [MORNING]
    assert [where.is_inside for where in gate.rows(Presence)] == [True]
    assert [(day.arrived, day.late, day.inside) for day in gate.rows(HomeroomDay)] == [(1, 0, 1)]
    [message] = gate.rows(Message)
    assert (message.kind, message.state) == (MessageKind.ARRIVAL, MessageState.QUEUED)
    assert message.body == "【一中】家长您好，学一已于07:30进入学校。"
    assert message.expires_at == MORNING + timedelta(minutes=30)


def test_taps_that_come_again_are_kept_and_change_nothing(gate: Gate) -> None:
    taps = [gate.tap(0), gate.tap(300, 2), gate.tap(600, reader="gate-out")]
    gate.record(taps)
    before = state(gate)
    assert gate.record(taps) == Recorded(taps, [])
    assert gate.record(taps[1:2], Directory()).kept == taps[1:2]
    later = [msgspec.structs.replace(tap, received_at=MORNING + timedelta(days=1)) for tap in taps]
    assert gate.record(later).rejected == []
    assert state(gate) == before


def test_known_and_new_taps_in_one_batch_are_told_apart(gate: Gate) -> None:
    known, new = gate.tap(0), gate.tap(300, 2)
    gate.record([known])
    assert gate.record([new, known]).kept == [new, known]
    assert len(gate.rows(Tap)) == len(gate.rows(Message)) == 2


def test_copies_within_a_batch_are_one_row(gate: Gate) -> None:
    tap = gate.tap()
    copies = [tap, msgspec.structs.replace(tap), tap]
    assert gate.record(copies) == Recorded(copies, [])
    assert len(gate.rows(Tap)) == len(gate.rows(Message)) == 1


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("change", [{"uid": uid_of(2)}, {"seq": 99}, {"boot": 9}])
def test_an_id_with_another_body_is_rejected(
    gate: Gate, at_once: bool, change: dict[str, object]
) -> None:
    tap = gate.tap()
    other = msgspec.structs.replace(tap, **change)
    if at_once:
        recorded = gate.record([tap, other])
        assert recorded.kept == [tap]
    else:
        gate.record([tap])
        recorded = gate.record([other])
        assert recorded.kept == []
    assert rejected_ids(recorded) == {tap.id: Rejection.ID_REUSED}
    assert [row.uid for row in gate.rows(Tap)] == [tap.uid]
    assert len(gate.rows(Message)) == 1


def test_an_id_of_another_reader_is_rejected(gate: Gate) -> None:
    tap = gate.tap()
    stolen = msgspec.structs.replace(tap, reader=gate.reader("gate-out"))
    gate.record([tap])
    assert rejected_ids(gate.record([stolen])) == {tap.id: Rejection.ID_REUSED}


@pytest.mark.parametrize("at_once", [True, False])
def test_a_seq_used_twice_is_rejected_and_so_are_copies_of_that_tap(
    gate: Gate, at_once: bool
) -> None:
    tap, other = gate.tap(), gate.tap(300, 2, seq=1)
    copy = msgspec.structs.replace(other)
    if at_once:
        recorded = gate.record([tap, other, copy])
    else:
        gate.record([tap])
        recorded = gate.record([other, copy])
    assert other not in recorded.kept
    assert [reason for _, reason in recorded.rejected] == [Rejection.SEQ_REUSED] * 2
    assert [row.id for row in gate.rows(Tap)] == [tap.id]
    assert len(gate.rows(Message)) == 1


def test_the_same_seq_of_another_boot_or_reader_is_another_tap(gate: Gate) -> None:
    taps = [
        gate.tap(0, seq=1),
        gate.tap(1, 2, seq=1, boot=2),
        gate.tap(2, 3, "gate-out", seq=1),
    ]
    assert gate.record(taps).rejected == []
    assert len(gate.rows(Tap)) == 3


def test_two_schools_may_have_the_same_tap_id(gate: Gate) -> None:
    other = Gate(gate.sessions, code="no2", first_id=101)
    name = UUID(int=7)
    here, there = gate.tap(id=name), other.tap(student=101, id=name)
    gate.record([here])
    assert gate.record([here, there]) == Recorded([here, there], [])
    assert {row.school_id for row in gate.rows(Tap)} == {here.reader.school.id, 2}


def test_an_unknown_card_is_stored_without_a_person(gate: Gate) -> None:
    gate.record([gate.tap(uid="DEADBEEF", decision=Decision.REFUSED, reason=Refusal.UNKNOWN)])
    [row] = gate.rows(Tap)
    assert (row.student_id, row.effect, row.reason) == (None, Effect.NONE, Refusal.UNKNOWN)
    assert gate.rows(Attendance) == gate.rows(Message) == gate.rows(Presence) == []


def test_a_refused_tap_is_kept_and_changes_nothing(gate: Gate) -> None:
    gate.record([gate.tap(decision=Decision.REFUSED, reason=Refusal.LOST)])
    [row] = gate.rows(Tap)
    assert (row.student_id, row.effect) == (1, Effect.NONE)
    assert gate.rows(Attendance) == gate.rows(Message) == gate.rows(HomeroomDay) == []


def test_a_lost_card_counts_until_it_was_reported_lost(gate: Gate) -> None:
    with gate.sessions.begin() as session:
        card = session.get_one(Card, 1)
        set_card_state(session, card, CardState.LOST, MORNING + timedelta(minutes=10))
    gate.record([gate.tap(540), gate.tap(600, reader="gate-out")])
    assert effects(gate) == [Effect.ARRIVAL, Effect.NONE]
    assert len(gate.rows(Message)) == 1


def test_a_card_that_changed_hands_at_noon_is_whose_it_was_at_the_taps_time(gate: Gate) -> None:
    noon = MORNING + timedelta(hours=4, minutes=30)
    with gate.sessions.begin() as session:
        session.get_one(CardBinding, 1).unbound_at = noon
        session.flush()
        bind_card(session, session.get_one(Card, 1), 2, noon)
    evening = noon + timedelta(hours=5)
    offsets = (0, 4.5 * 3600 - 1, 4.5 * 3600, 5 * 3600)
    gate.record([gate.tap(offset, received_at=evening) for offset in reversed(offsets)])
    rows = sorted(gate.rows(Tap), key=lambda tap: tap.occurred_at)
    assert [row.student_id for row in rows] == [1, 1, 2, 2]


def test_before_its_binding_a_card_is_nobodys(gate: Gate) -> None:
    gate.record([gate.tap(-3600 * 24 * 400)])
    assert [row.student_id for row in gate.rows(Tap)] == [None]


def test_a_stale_tap_makes_the_day_and_tells_nobody(gate: Gate) -> None:
    gate.record([gate.tap(received_at=MORNING + timedelta(hours=5))])
    [message] = gate.rows(Message)
    assert (message.state, message.suppression) == (MessageState.SUPPRESSED, Suppression.STALE)
    assert len(gate.rows(Attendance)) == 1


def test_a_suspect_tap_makes_nobody_late_and_tells_nobody(gate: Gate) -> None:
    gate.record([gate.tap(2 * 3600, clock_suspect=True), gate.tap(2 * 3600, 2)])
    assert [day.late_minutes for day in gate.rows(Attendance)] == [0, 90]
    told = {message.student_id: message.suppression for message in gate.rows(Message)}
    assert told == {1: Suppression.CLOCK_SUSPECT, 2: None}
    assert [day.late for day in gate.rows(HomeroomDay)] == [1]


@pytest.mark.parametrize("fresh", [False, True])
def test_a_clock_that_ran_backwards_makes_the_later_tap_suspect(gate: Gate, fresh: bool) -> None:
    """Also when the earlier tap is known only from the database."""
    first, second = gate.tap(7200), gate.tap(3600, 2)
    gate.record([first])
    gate.record([second], Directory() if fresh else None)
    suspects = {tap.id: tap.clock_suspect for tap in gate.rows(Tap)}
    assert suspects == {first.id: False, second.id: True}


def test_a_second_attempt_finds_the_same_tap_suspect(gate: Gate) -> None:
    known = gate.tap(0, 3)
    gate.record([known])
    first, second = gate.tap(7200), gate.tap(3600, 2)
    gate.record([first, second, known])
    suspects = {tap.id: tap.clock_suspect for tap in gate.rows(Tap)}
    assert suspects == {known.id: False, first.id: False, second.id: True}


def test_a_change_of_a_card_counts_from_the_next_batch_on(gate: Gate) -> None:
    gate.record([gate.tap(0, 3)])
    with gate.sessions.begin() as session:
        set_card_state(session, session.get_one(Card, 3), CardState.LOST, MORNING)
        session.get_one(School, gate.campus.school_id).late_after = "07:00"
    gate.reader("gate-in")
    gate.record([gate.tap(100, 3, "gate-out"), gate.tap(100, 2)])
    assert sorted(effects(gate)) == [Effect.ARRIVAL, Effect.ARRIVAL, Effect.NONE]
    assert [day.late_minutes for day in gate.rows(Attendance)] == [31, 0]


@dataclass
class Recorder:
    """One ingest process's thread: its own directory, and batches tried until they are in."""

    gate: Gate
    batches: list[list[ReceivedTap]]
    retries: int = 0

    def run(self) -> int:
        directory = Directory()
        kept = 0
        for batch in self.batches:
            kept += len(self._record(batch, directory).kept)
        return kept

    def _record(self, batch: list[ReceivedTap], directory: Directory) -> Recorded:
        while True:
            try:
                return self.gate.record(batch, directory)
            except OperationalError:
                self.retries += 1
                assert self.retries < 50


def test_processes_that_record_the_same_and_mixed_batches_agree(gate: Gate) -> None:
    """On PostgreSQL they really run side by side; on SQLite one waits for the other."""
    crowd = Gate(gate.sessions, code="no2", students=20, first_id=201)
    taps = [
        crowd.tap(600 * turn + place, student, reader)
        for turn, reader in enumerate(["gate-in", "gate-out", "gate-in"])
        for place, student in enumerate(range(201, 221))
    ]
    orders = [taps, taps[::-1], taps[30:] + taps[:30], taps[::2] + taps[1::2]]
    recorders = [
        Recorder(crowd, [order[at : at + 7] for at in range(0, len(order), 7)]) for order in orders
    ]
    with ThreadPoolExecutor(len(recorders)) as pool:
        kept = list(pool.map(Recorder.run, recorders))
    assert kept == [len(taps)] * len(recorders)
    assert {tap.id for tap in crowd.rows(Tap)} == {tap.id for tap in taps}
    told = Counter(message.tap_id for message in crowd.rows(Message))
    assert set(told.values()) == {1}
    assert all(where.is_inside for where in crowd.rows(Presence))
    [counts] = crowd.rows(HomeroomDay)
    assert (counts.arrived, counts.late, counts.inside) == (20, 0, 20)
    days = crowd.rows(Attendance)
    assert {day.arrived_at for day in days} == {tap.occurred_at for tap in taps[:20]}

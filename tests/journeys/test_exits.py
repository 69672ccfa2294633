"""A slip opens the gate that refused, its withdrawal closes it, also without a network."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.leave.slips import Doing, approve, ask, withdraw
from card_server.leave.wishes import Wish
from card_server.school_time import day_of
from card_server.storage.sealing import Seal
from reader_daemon.feedback.protocol import Signal
from reader_daemon.sources import acr122
from schema.messages import Refusal
from schema.tables.attendance import Attendance
from schema.tables.leave import LeaveKind
from schema.tables.readers import Direction, Reader
from schema.tables.taps import Effect, Tap
from tests.harness.campus import DATA_KEY
from tests.harness.lessons import add_lessons, hold_exits
from tests.harness.pcscd import Pcscd
from tests.harness.virtual_card import VirtualCard
from tests.harness.waiting import wait_for
from tests.journeys.first_light import Running, gate, running_school

_WITHIN_S = 60
_HOUR = timedelta(hours=1)


def test_a_leave_slip_opens_the_gate_and_the_gate_needs_no_network_to_know(
    tmp_path: Path, database_url: str
) -> None:
    with running_school(tmp_path, database_url) as school, Pcscd("West") as pcscd:
        _hold_everybody(school)
        pcsc = {"source": "pcsc", "pcsc_lights": "acr122", "pcsc_reader": "West 00 00"}
        with gate(tmp_path / "west", school, "west", env=pcscd.env, **pcsc) as box:
            port = pcscd.ports["West"]
            ill, other = (VirtualCard(port, uid) for uid in school.campus.uids[:2])
            _until(ill, is_let_out=False)
            slip, approved_s = _approve_leave(school), time.monotonic()
            _until(ill, is_let_out=True)
            opened_s = time.monotonic() - approved_s
            assert not other.tap()
            _withdraw(school, slip)
            _until(ill, is_let_out=False)
            _approve_leave(school)
            _until(ill, is_let_out=True)
            school.broker.stop()
            box.wait_for_event("broker_lost")
            assert (ill.tap(), other.tap()) == (True, False)
            assert box.stop() == 0
            box.start()
            wait_for(lambda: len(box.events("started")) == 2, 20, "the daemon to be back")
            assert (ill.tap(), other.tap()) == (True, False)
            assert other.lights[-1] == bytes(acr122.light(Signal.HELD))
            school.broker.start()
            _wait_until_drained(school, box_taps=ill.greens + ill.reds + other.greens + other.reds)
        assert opened_s < _WITHIN_S
        _judge(school)


def _hold_everybody(school: Running) -> None:
    """The west gate leads out, and lessons go on all day."""
    day = day_of(datetime.now(UTC), school.zone)
    with school.session() as session, session.begin():
        session.execute(update(Reader).where(Reader.code == "west").values(direction=Direction.OUT))
        hold_exits(session, school.campus.school_id, day)
        add_lessons(session, school.campus.school_id, day)


def _approve_leave(school: Running) -> int:
    doing = _doing(school)
    wish = Wish(LeaveKind.SICK, doing.now - _HOUR, doing.now + _HOUR, True, "发烧")
    with school.session() as session, session.begin():
        slip = ask(session, doing, school.campus.student_ids[0], wish, Seal(DATA_KEY))
        approve(session, doing, slip.id)
        return slip.id


def _withdraw(school: Running, slip: int) -> None:
    with school.session() as session, session.begin():
        withdraw(session, _doing(school), slip, "退烧了")


def _doing(school: Running) -> Doing:
    return Doing(SYSTEM, school.campus.school_id, school.zone, datetime.now(UTC), is_school=True)


def _until(card: VirtualCard, *, is_let_out: bool) -> None:
    """Hold the card to the gate until it gets this answer."""
    wait_for(lambda: card.tap() is is_let_out, _WITHIN_S, f"let out: {is_let_out}")


def _wait_until_drained(school: Running, box_taps: int) -> None:
    def is_drained() -> bool:
        with school.session() as session:
            return len(_taps(session)) == box_taps

    wait_for(is_drained, _WITHIN_S, f"{box_taps} taps on record")


def _taps(session: Session) -> list[Tap]:
    return list(session.scalars(select(Tap)))


def _judge(school: Running) -> None:
    """A held tap is on record as the student's, and changed nothing."""
    with school.session() as session:
        held = [tap for tap in _taps(session) if tap.reason is Refusal.HELD]
        assert {tap.effect for tap in held} == {Effect.NONE}
        assert {tap.student_id for tap in held} == set(school.campus.student_ids[:2])
        held_only = school.campus.student_ids[1]
        assert {tap.effect for tap in _taps(session) if tap.student_id == held_only} == {
            Effect.NONE
        }
        days = session.scalars(select(Attendance).where(Attendance.student_id == held_only))
        assert {(day.arrived_at, day.departed_at) for day in days} <= {(None, None)}

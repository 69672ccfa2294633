"""What becomes of a day without a tap is told as well, and only what a receiver would see."""

from datetime import datetime

import msgspec
import pytest
from sqlalchemy import Engine, delete

from card_server.attendance.correcting import Doing, Mark, correct, end_correction
from card_server.attendance.facts import ALL_DAY
from card_server.attendance.refold import refold
from card_server.audit.writing import SYSTEM
from card_server.storage.database import open_sessions
from card_server.storage.sealing import Seal
from card_server.webhooks.events import AttendanceEvent, DayStatus, Event
from card_server.webhooks.webhook import Form, make_webhook
from schema.tables.attendance import SessionStatus
from schema.tables.webhooks import EventKind, WebhookDelivery
from tests.card_server.attendance.judged_school import MONDAY, ZONE, JudgedSchool, at


@pytest.fixture
def school(engine: Engine) -> JudgedSchool:
    """Monday at 08:35: student 1 is in time, the others are absent; days are told."""
    made = JudgedSchool(open_sessions(engine))
    made.tick(at(MONDAY, "00:01"))
    made.record([made.pass_gate(1, MONDAY, "07:31")])
    form = Form("receiver", "https://hooks.example/", frozenset({EventKind.ATTENDANCE}))
    with made.sessions.begin() as session:
        make_webhook(session, made.school_id, form, Seal(bytes(32)), SYSTEM, at(MONDAY, "08:00"))
    made.report(at(MONDAY, "08:35"))
    made.tick(at(MONDAY, "08:35"))
    return made


def told(school: JudgedSchool) -> list[tuple[int, DayStatus, int]]:
    """The days that were told, in their order, each once."""
    rows = sorted(school.rows(WebhookDelivery), key=lambda one: str(one.id))
    events = [msgspec.json.decode(row.body, type=Event) for row in rows]
    with school.sessions.begin() as session:
        session.execute(delete(WebhookDelivery))
    assert all(isinstance(one, AttendanceEvent) for one in events)
    return [(one.data.student.id, one.data.status, one.data.absent) for one in events]


def doing(school: JudgedSchool, now: datetime) -> Doing:
    return Doing(SYSTEM, school.school_id, ZONE, now)


def test_an_absence_is_told_when_its_time_has_come_and_nobody_elses_day(
    school: JudgedSchool,
) -> None:
    assert told(school) == [(2, DayStatus.ABSENT, 1), (3, DayStatus.ABSENT, 1)]
    school.report(at(MONDAY, "14:35"))
    school.tick(at(MONDAY, "14:35"))
    assert told(school) == [(2, DayStatus.ABSENT, 2), (3, DayStatus.ABSENT, 2)]


def test_a_correction_is_told_and_its_end_takes_that_back(school: JudgedSchool) -> None:
    told(school)
    now = at(MONDAY, "08:40")
    mark = Mark(ALL_DAY, SessionStatus.PRESENT, None, "忘带卡")

    with school.sessions.begin() as session:
        made = correct(session, doing(school, now), 2, MONDAY, mark)
    assert told(school) == [(2, DayStatus.ARRIVED, 0)]
    with school.sessions.begin() as session:
        end_correction(session, doing(school, now), made.id)
    assert told(school) == [(2, DayStatus.ABSENT, 1)]


def test_a_late_tap_tells_that_nobody_was_absent(school: JudgedSchool) -> None:
    told(school)
    school.record([school.pass_gate(2, MONDAY, "07:40", received_at=at(MONDAY, "09:00"))])
    assert told(school) == [(2, DayStatus.ARRIVED, 0)]


def test_what_is_judged_to_be_the_same_is_not_told(school: JudgedSchool) -> None:
    told(school)
    with school.sessions.begin() as session:
        refold(session, school.school_id, [1, 2, 3], MONDAY, MONDAY, at(MONDAY, "08:50"))
    assert told(school) == []


def test_a_change_that_is_rolled_back_is_not_told(school: JudgedSchool) -> None:
    told(school)
    mark = Mark(ALL_DAY, SessionStatus.PRESENT, None, "忘带卡")
    with school.sessions() as session:
        correct(session, doing(school, at(MONDAY, "08:40")), 2, MONDAY, mark)
        session.rollback()
    assert told(school) == []

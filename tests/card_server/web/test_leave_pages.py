"""The leave pages: asking, deciding, and what somebody of another homeroom does not see."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.leave import slips
from card_server.seen import fingerprint
from schema.tables.audit import AuditEntry
from schema.tables.leave import LeaveSlip, LeaveState
from tests.card_server.people.people_school import ZONE
from tests.card_server.web.leave_things import REASON, make_slip
from tests.card_server.web.people_pages import log_in_teacher
from tests.card_server.web.small_school import SmallSchool


@pytest.fixture
def teacher(app: Flask, school: SmallSchool, sessions: sessionmaker[Session]) -> FlaskClient:
    return log_in_teacher(app, sessions, school)


def _form(**typed: str) -> dict[str, str]:
    tomorrow = (datetime.now(ZONE) + timedelta(days=1)).date().isoformat()
    return {"kind": "sick", "from_on": tomorrow, "reason": "牙痛", **typed}


def _slip(sessions: sessionmaker[Session]) -> LeaveSlip:
    with sessions() as session:
        return session.scalars(select(LeaveSlip).order_by(LeaveSlip.id.desc())).first()  # type: ignore[return-value]


def _add(sessions: sessionmaker[Session], school: SmallSchool, student: int) -> int:
    with sessions.begin() as session:
        slip = make_slip(school, student, datetime.now(UTC) + timedelta(days=3))
        session.add(slip)
        session.flush()
        return slip.id


def test_a_slip_is_asked_and_approved(
    teacher: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    answer = teacher.post(f"/students/{school.students[0]}/leave", data=_form(lets_out="1"))
    slip = _slip(sessions)
    assert answer.location == f"/leave/{slip.id}"
    assert slip.lets_out
    page = teacher.get(answer.location).text
    assert "牙痛" in page
    seen = fingerprint(slips.shown_of(slip))
    assert teacher.post(f"/leave/{slip.id}/approve", data={"seen": seen}).status_code == 302
    assert _slip(sessions).state is LeaveState.APPROVED
    late = teacher.post(f"/leave/{slip.id}/refuse", data={"seen": seen, "why": "不行"})
    assert late.status_code == 409
    assert "Somebody else" in late.text


@pytest.mark.parametrize(
    ("asked", "sent", "lets_out"),
    [
        ("1", ["", "1"], True),
        ("1", [""], False),
        ("1", [], True),
        ("", ["", "1"], True),
        ("", [""], False),
    ],
)
def test_who_approves_says_whether_the_gate_lets_out(
    teacher: FlaskClient,
    school: SmallSchool,
    sessions: sessionmaker[Session],
    asked: str,
    sent: list[str],
    lets_out: bool,
) -> None:
    teacher.post(f"/students/{school.students[0]}/leave", data=_form(lets_out=asked))
    slip = _slip(sessions)
    page = teacher.get(f"/leave/{slip.id}").text
    [box] = re.findall(r'<input[^>]*name="lets_out" type="checkbox"[^>]*>', page)
    assert ("checked" in box) == bool(asked)
    seen = fingerprint(slips.shown_of(slip))
    teacher.post(f"/leave/{slip.id}/approve", data={"seen": seen, "lets_out": sent})
    slip = _slip(sessions)
    assert (slip.state, slip.lets_out) == (LeaveState.APPROVED, lets_out)
    shown = teacher.get(f"/leave/{slip.id}").text
    assert ("may go out, and in again" in shown) == lets_out
    assert 'type="checkbox"' not in shown


def test_what_is_wrong_stands_beside_what_was_typed(
    teacher: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    address = f"/students/{school.students[0]}/leave"
    answer = teacher.post(address, data=_form(kind="", reason="牙很痛"))
    assert answer.status_code == 422
    assert "Choose from the list" in answer.text
    assert "牙很痛" in answer.text
    assert teacher.post(address, data=_form()).status_code == 302
    again = teacher.post(address, data=_form())
    assert again.status_code == 422
    assert "has leave in this time already: 20" in again.text


def test_the_list_shows_what_waits_and_only_the_own_homeroom(
    teacher: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    own, other = _add(sessions, school, 0), _add(sessions, school, 1)
    page = teacher.get("/leave").text
    assert f"/leave/{own}" in page
    assert f"/leave/{other}" not in page
    assert REASON not in page
    assert teacher.get(f"/leave/{other}").status_code == 404
    assert teacher.post(f"/leave/{other}/approve").status_code == 404
    assert f"/leave/{own}" in teacher.get("/leave?group=coming").text
    assert f"/leave/{own}" not in teacher.get("/leave?group=past").text


def test_a_look_at_the_reason_is_noted(
    teacher: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    slip = _add(sessions, school, 0)
    assert REASON in teacher.get(f"/leave/{slip}").text
    with sessions() as session:
        found = session.scalars(select(AuditEntry).where(AuditEntry.action == "leave.seen")).one()
    assert found.subject == f"student:{school.students[0]}"


def test_the_search_finds_by_pinyin(teacher: FlaskClient, school: SmallSchool) -> None:
    found = teacher.post("/leave/new", data={"words": "zs"}).text
    assert f"/students/{school.students[0]}/leave" in found
    assert "Nobody found" in teacher.post("/leave/new", data={"words": "lisi"}).text


def test_leave_ends_early_and_is_withdrawn_with_a_reason(
    teacher: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    slip = _add(sessions, school, 0)
    seen = {"seen": fingerprint(slips.shown_of(_slip(sessions)))}
    assert teacher.post(f"/leave/{slip}/approve", data=seen).status_code == 302
    seen = {"seen": fingerprint(slips.shown_of(_slip(sessions)))}
    end = (_slip(sessions).from_at + timedelta(hours=3)).astimezone(ZONE)
    typed = {"until_on": f"{end:%Y-%m-%d}", "until_time": f"{end:%H:%M}", "why": "好了"}
    assert teacher.post(f"/leave/{slip}/shorten", data=seen | typed).status_code == 302
    seen = {"seen": fingerprint(slips.shown_of(_slip(sessions)))}
    assert teacher.post(f"/leave/{slip}/withdraw", data=seen).status_code == 422
    assert teacher.post(f"/leave/{slip}/withdraw", data=seen | {"why": "错了"}).status_code == 302
    assert _slip(sessions).state is LeaveState.WITHDRAWN

"""Links that staff send: one, or to all whose number nobody has shown to be theirs."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.parents.invitations import Web
from schema.tables.audit import AuditEntry
from schema.tables.messages import Message, MessageKind, MessageState, PhoneStanding, StopBy
from schema.tables.people import Channel, Guardian, Guardianship
from tests.card_server.web.parent_phone import ADDRESS, new_phone, signed_in, tie
from tests.card_server.web.people_pages import log_in_teacher
from tests.card_server.web.small_school import SmallSchool


def _one(school: SmallSchool, student: int = 0, way: str = "") -> str:
    guardian = school.guardians[student]
    return f"/students/{school.students[student]}/guardians/{guardian}/link{way}"


def _invitations(sessions: sessionmaker[Session]) -> list[Message]:
    with sessions() as session:
        wanted = select(Message).where(Message.kind == MessageKind.INVITATION)
        return list(session.scalars(wanted.order_by(Message.guardian_id)))


def _unverify(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        session.execute(update(Guardian).values(verified_at=None))


def test_a_link_is_queued_once_and_opens_the_guardians_page(
    app: Flask, staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    for _ in range(2):
        staff.post(_one(school))
    [message] = _invitations(sessions)
    assert message.guardian_id == school.guardians[0]
    assert message.state is MessageState.QUEUED
    link = re.search(rf"{ADDRESS}(/p/[\w-]+)", message.body, re.ASCII)
    assert link
    assert new_phone(app).get(link[1]).status_code == 200
    assert "Wait ten minutes" in staff.get(f"/students/{school.students[0]}").text
    app.extensions["now"] = lambda: datetime.now(UTC) + timedelta(minutes=11)
    staff.post(_one(school))
    assert len(_invitations(sessions)) == 2
    with sessions() as session:
        sent = select(AuditEntry).where(AuditEntry.action == "parent.link_sent")
        assert len(session.scalars(sent).all()) == 2


def test_ending_the_links_signs_all_phones_out(
    app: Flask, staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    staff.post(_one(school))
    phone = signed_in(app, sessions, school)
    [message] = _invitations(sessions)
    path = message.body[message.body.index(ADDRESS) :].removeprefix(ADDRESS)
    staff.post(_one(school, way="/end"))
    assert phone.get("/parent").status_code == 403
    assert phone.get(path).status_code == 404


def test_who_has_stopped_is_sent_no_link(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    now = datetime.now(UTC)
    with sessions.begin() as session:
        hash_ = session.get_one(Guardian, school.guardians[0]).phone_hash
        session.add(
            PhoneStanding(
                school_id=school.id, phone_hash=hash_, stopped_at=now, stopped_by=StopBy.REPLY
            )
        )
        session.get_one(Guardian, school.guardians[1]).phone_tail = ""
    staff.post(_one(school))
    staff.post(_one(school, 1))
    assert _invitations(sessions) == []


def test_a_server_that_does_not_know_its_address_says_so(
    app: Flask, staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    _unverify(sessions)
    app.extensions["parents_web"] = Web("x" * 32, "")
    answer = staff.post("/invitations")
    assert answer.status_code == 503
    assert "web_address" in answer.text
    assert _invitations(sessions) == []


def test_many_are_invited_once_each_who_are_not_verified(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert "nobody to invite" in staff.get("/invitations").text
    _unverify(sessions)
    with sessions.begin() as session:
        tie(session, school, student=2, guardian=0)
        session.execute(update(Guardianship).values(channel=Channel.WECOM))
        session.get_one(Guardian, school.guardians[3]).verified_at = datetime.now(UTC)
    page = staff.get("/invitations").text
    assert "Send 7 links" in page
    assert staff.post("/invitations").status_code == 302
    sent = _invitations(sessions)
    assert [one.guardian_id for one in sent] == [
        one for one in school.guardians if one != school.guardians[3]
    ]
    assert {one.channel for one in sent} == {Channel.SMS}
    assert len({one.body for one in sent}) == 7
    assert "nobody to invite" in staff.get("/invitations").text


def test_the_price_stands_before_the_sending(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    _unverify(sessions)
    page = staff.get("/invitations").text
    segments = re.search(r"SMS segments</dt><dd>(\d+)", page)
    price = re.search(r"Price</dt><dd>CN¥([\d.]+)", page)
    assert segments
    assert price
    assert int(segments[1]) >= 8
    assert float(price[1]) == pytest.approx(int(segments[1]) * 0.045, abs=0.01)


def test_a_teacher_invites_the_own_homeroom_alone(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    _unverify(sessions)
    teacher = log_in_teacher(app, sessions, school)
    assert teacher.post(_one(school, 1)).status_code == 404
    assert teacher.post(_one(school, 1, "/end")).status_code == 404
    other = school.homerooms[1]
    assert teacher.get(f"/invitations?homeroom={other}").status_code == 404
    assert teacher.post("/invitations", data={"homeroom": other}).status_code == 404
    assert teacher.post("/invitations").status_code == 302
    assert {one.guardian_id for one in _invitations(sessions)} == {*school.guardians[::2]}

"""Notices on pages: looked at before they are sent; a teacher reaches the own homeroom alone."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.jobs.kinds import KINDS
from card_server.messages import giving_notice
from schema.tables.jobs import Job
from schema.tables.messages import Message, MessageKind, Notice
from schema.tables.people import Guardian
from tests.card_server.web.people_pages import log_in_teacher
from tests.card_server.web.small_school import SmallSchool

_FORM = {"audience": "school", "chinese": "明天开家长会"}


@pytest.fixture(autouse=True)
def own_numbers(sessions: sessionmaker[Session], school: SmallSchool) -> None:
    """Each guardian of this school has another number."""
    with sessions.begin() as session:
        for guardian_id in school.guardians:
            session.execute(
                update(Guardian)
                .where(Guardian.id == guardian_id)
                .values(phone_hash=guardian_id.to_bytes(32, "big"))
            )


def _sent(sessions: sessionmaker[Session]) -> list[Message]:
    with sessions() as session:
        return list(session.scalars(select(Message).where(Message.kind == MessageKind.NOTICE)))


def test_a_notice_is_looked_at_and_then_sent(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    looked_at = staff.post("/notices/preview", data=_FORM)
    assert looked_at.status_code == 200
    assert "明天开家长会" in looked_at.text
    assert f"Send it to {len(school.guardians)} number" in looked_at.text
    assert _sent(sessions) == []
    assert staff.post("/notices", data=_FORM).status_code == 302
    assert len(_sent(sessions)) == len(school.guardians)
    page = staff.get("/notices").text
    assert "明天开家长会" in page
    again = staff.post("/notices", data=_FORM)
    assert (again.status_code, "just now" in again.text) == (409, True)


def test_what_is_wrong_stands_beside_its_field(staff: FlaskClient) -> None:
    answer = staff.post("/notices/preview", data={"audience": "homerooms", "chinese": ""})
    assert answer.status_code == 422
    for field in ("audience", "chinese"):
        assert f'id="{field}-wrong"' in answer.text


def test_a_teacher_reaches_the_own_homeroom_whatever_is_asked_for(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    teacher = log_in_teacher(app, sessions, school)
    own = {student for place, student in enumerate(school.students) if place % 2 == 0}
    rooms = {"audience": "homerooms", "chinese": "两班", "room": [str(r) for r in school.homerooms]}
    for form in (_FORM, rooms):
        assert teacher.post("/notices", data=form).status_code == 302
    assert {one.student_id for one in _sent(sessions)} == own
    other = {"audience": "homerooms", "chinese": "别班", "room": str(school.homerooms[1])}
    assert teacher.post("/notices", data=other).status_code == 409


def test_very_many_messages_are_written_by_a_job(
    staff: FlaskClient,
    sessions: sessionmaker[Session],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(giving_notice, "AT_ONCE", 0)
    answer = staff.post("/notices", data=_FORM)
    assert "/jobs/" in answer.headers["Location"]
    with sessions() as session:
        [job] = session.scalars(select(Job))
        [notice] = session.scalars(select(Notice))
    assert job.kind in KINDS
    assert (notice.sent, _sent(sessions)) == (0, [])
    page = staff.get(answer.headers["Location"]).text
    assert "School notice" in page

"""Consents on paper of a homeroom at once: those that are ticked, of homerooms within reach."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.people import ConsentWording, Guardianship, Language
from tests.card_server.web.people_pages import log_in_teacher
from tests.card_server.web.small_school import SmallSchool


@pytest.fixture
def wording(sessions: sessionmaker[Session], school: SmallSchool) -> int:
    """The school's wording; nobody has consented, and the first guardian does no more."""
    with sessions.begin() as session:
        made = ConsentWording(
            school_id=school.id,
            language=Language.CHINESE,
            body="同意接收短信。\n可随时退订。",
            made_by="校长",
            made_at=datetime.now(UTC),
        )
        session.add(made)
        session.execute(update(Guardianship).values(consented_at=None))
        session.flush()
        link = session.get_one(Guardianship, (school.students[0], school.guardians[0]))
        link.consent_wording_id = made.id
        return made.id


def _consented(sessions: sessionmaker[Session]) -> set[int]:
    with sessions() as session:
        given = Guardianship.consented_at.is_not(None)
        return set(session.scalars(select(Guardianship.guardian_id).where(given)))


def test_those_who_are_ticked_have_consented(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session], wording: int
) -> None:
    page = staff.get("/consents", query_string={"homeroom": school.homerooms[0]}).text
    assert "withdrew it" in page
    assert page.count(" checked>") == page.count('name="guardian"') - 1
    form = {"homeroom": school.homerooms[0], "wording_id": wording}
    both = form | {"guardian": [str(school.guardians[2]), str(school.guardians[1])]}
    assert staff.post("/consents", data=both).status_code == 302
    assert _consented(sessions) == {school.guardians[2]}, "the other one is of another homeroom"
    assert staff.post("/consents", data=form | {"wording_id": ""}).status_code == 422


def test_a_teacher_notes_those_of_the_own_homeroom(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session], wording: int
) -> None:
    teacher = log_in_teacher(app, sessions, school)
    form = {"wording_id": wording, "guardian": [str(one) for one in school.guardians]}
    other = teacher.post("/consents", data=form | {"homeroom": school.homerooms[1]})
    assert other.status_code == 404
    assert _consented(sessions) == set()
    own = teacher.post("/consents", data=form | {"homeroom": school.homerooms[0]})
    assert own.status_code == 302
    expected = {one for place, one in enumerate(school.guardians) if place % 2 == 0}
    assert _consented(sessions) == expected

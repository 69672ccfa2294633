"""A guardian's phone in the tests of the parents' pages: link, code, and being signed in."""

from datetime import UTC, datetime

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from card_server.parents.links import make_link
from card_server.parents.sessions import open_parent_session
from card_server.staff.sessions import NOWHERE
from schema.tables.parents import ParentCode
from schema.tables.people import Guardianship, Language
from tests.card_server.web.small_school import SEAL, SmallSchool

SECRET = "x" * 32
"""That of the tests' settings."""
ADDRESS = "https://card.example.org"


def new_link(sessions: sessionmaker[Session], school: SmallSchool, guardian: int = 0) -> str:
    """The path of a new link."""
    now, guardian_id = datetime.now(UTC), school.guardians[guardian]
    with sessions.begin() as session:
        link = make_link(session, school.id, guardian_id, now, SECRET, ADDRESS)
    return link.removeprefix(ADDRESS)


def code_of(sessions: sessionmaker[Session], school: SmallSchool, guardian: int = 0) -> str:
    """The digits that the notifier would put into the message."""
    with sessions() as session:
        return SEAL.open(session.get_one(ParentCode, school.guardians[guardian]).code_sealed)


def new_phone(app: Flask, language: Language = Language.ENGLISH) -> FlaskClient:
    """A phone on which nobody is signed in."""
    client = app.test_client()
    client.set_cookie("language", language)
    return client


def signed_in(
    app: Flask,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    guardian: int = 0,
    language: Language = Language.ENGLISH,
) -> FlaskClient:
    """A phone on which a guardian is signed in."""
    client = new_phone(app, language)
    with sessions.begin() as session:
        token = open_parent_session(
            session, school.id, school.guardians[guardian], NOWHERE, datetime.now(UTC)
        )
    client.set_cookie("parent", token)
    return client


def tie(session: Session, school: SmallSchool, student: int, guardian: int) -> None:
    """One more child of a guardian, who has consented."""
    session.add(
        Guardianship(
            student_id=school.students[student],
            guardian_id=school.guardians[guardian],
            relation="父亲",
            consented_at=datetime.now(UTC),
        )
    )
    session.flush()

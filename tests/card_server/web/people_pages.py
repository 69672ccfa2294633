"""Somebody logged in with a role, for the tests of the pages about people."""

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant
from card_server.storage.sealing import Seal
from schema.tables.people import Guardian
from schema.tables.staff import Role, Scope, Staff
from tests.card_server.web.small_school import SmallSchool

SEAL = Seal(bytes(32))
PHONE = "+8613800138000"


def log_in_teacher(app: Flask, sessions: sessionmaker[Session], school: SmallSchool) -> FlaskClient:
    """A browser of the first homeroom's teacher."""
    grant = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=school.homerooms[0])
    with sessions.begin() as session:
        password = create_staff(session, school.id, "ban", "班老师", grant)
        session.execute(
            update(Staff).where(Staff.login == "ban").values(password_is_one_time=False)
        )
    client = app.test_client()
    client.set_cookie("language", "en")
    assert client.post("/log-in", data={"login": "ban", "password": password}).status_code == 302
    return client


def seal_phones(sessions: sessionmaker[Session], number: str = PHONE) -> None:
    """Give each guardian a number that opens."""
    with sessions.begin() as session:
        session.execute(
            update(Guardian).values(
                phone_sealed=SEAL.close(number),
                phone_hash=SEAL.hash(number),
                phone_tail=number[-4:],
            )
        )

"""The page of the set-up link, and that the web process prints the link."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy.orm import Session, sessionmaker

from card_server.access import now
from card_server.config import Settings
from card_server.staff.set_up import offer_link
from schema.tables.staff import Staff, StaffGrant
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings, serving
from tests.card_server.web.small_school import make_school

_FORM = {
    "school_code": "no1",
    "school_name": "第一中学",
    "signature": "一中",
    "role": "school_admin",
    "login": "wang",
    "name": "王老师",
    "password": CHOSEN_PASSWORD,
    "again": CHOSEN_PASSWORD,
}


@pytest.fixture
def link(app: Flask, sessions: sessionmaker[Session]) -> str:
    with app.app_context(), sessions.begin() as session:
        token = offer_link(session, now())
    return f"/set-up/{token}"


def test_the_first_account_is_made_and_at_work_at_once(client: FlaskClient, link: str) -> None:
    assert "First set-up" in client.get(link).text
    assert client.post(link, data=_FORM).location == "/home"
    assert client.get("/board").status_code == 200
    assert client.get(link).status_code == 404
    assert client.post(link, data=_FORM).status_code == 404


def test_what_was_typed_is_kept_and_said_beside_the_field(client: FlaskClient, link: str) -> None:
    answer = client.post(link, data=_FORM | {"school_code": "No 1", "again": "something else"})
    assert answer.status_code == 422
    assert 'id="school_code-wrong"' in answer.text
    assert 'value="第一中学"' in answer.text
    assert CHOSEN_PASSWORD not in answer.text
    answer = client.post(link, data=_FORM | {"again": "something else"})
    assert 'id="password-wrong"' in answer.text
    assert client.post(link, data=_FORM).status_code == 302


def test_an_existing_school_is_offered(
    client: FlaskClient, link: str, sessions: sessionmaker[Session]
) -> None:
    form = {name: value for name, value in _FORM.items() if not name.startswith("school_")}
    with sessions.begin() as session:
        school = make_school(session, "no9")
        session.execute(delete(StaffGrant))
        session.execute(delete(Staff))
    assert '<option value="no9">' in client.get(link).text
    assert client.post(link, data=form | {"school_code": "no9"}).status_code == 302
    assert "第一中学 no9" in client.get(f"/board?homeroom={school.homerooms[0]}").text


@pytest.mark.parametrize("token", ["x", "x" * 43])
def test_a_guessed_link_shows_nothing(client: FlaskClient, link: str, token: str) -> None:
    assert client.get(f"/set-up/{token}").status_code == 404
    assert client.post(f"/set-up/{token}", data=_FORM).status_code == 404


def _without_address(database_url: str) -> Settings:
    """A server that does not know yet how browsers reach it prints its own port."""
    return make_settings(database_url).model_copy(update={"web_address": ""})


def test_the_web_process_prints_a_link_until_there_is_an_account(
    database_url: str,
    client: FlaskClient,
    sessions: sessionmaker[Session],
    capfd: pytest.CaptureFixture[str],
) -> None:
    printed = []
    for _ in range(2):
        with serving(_without_address(database_url)) as address:
            said = capfd.readouterr().err
            found = re.search(r"  (http\S+)(/set-up/\S+)\n", said)
            assert found
            assert found[1] == address
            printed.append(found[2])
    assert printed[0] != printed[1]
    assert client.get(printed[0]).status_code == client.get(printed[1]).status_code == 200
    with sessions.begin() as session:
        make_school(session)
    with serving(make_settings(database_url)):
        assert "/set-up/" not in capfd.readouterr().err
    assert client.get(printed[1]).status_code == 404

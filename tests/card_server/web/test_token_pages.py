"""Tokens are made with a part of one's own rights, shown once, listed, and revoked at once."""

import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.sessions import hash_token
from schema.tables.audit import AuditEntry
from schema.tables.staff import Role, Scope
from schema.tables.tokens import ApiToken
from tests.card_server.web.small_school import SmallSchool, make_school

FORM = {"name": "大屏", "role": "gate_guard", "reach": "place:校门", "days": "30"}


def _make(staff: FlaskClient, **change: str) -> str:
    answer = staff.post("/settings/tokens/new", data=FORM | change)
    assert answer.status_code == 200, answer.text
    [token] = re.findall(r"cc_[A-Za-z0-9_-]+", answer.text)
    return str(token)


def _ask(app: Flask, token: str, path: str = "/api/v1/me") -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return app.test_client().get(path, headers=headers).status_code


def test_a_token_is_shown_once_and_kept_as_its_hash(
    app: Flask, staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    token = _make(staff)
    assert re.fullmatch(r"cc_[A-Za-z0-9_-]{43}", token)
    assert token not in staff.get("/settings/tokens").text
    with sessions() as session:
        row = session.scalars(select(ApiToken)).one()
        noted = session.scalars(select(AuditEntry.action)).all()
    assert row.token_hash == hash_token(token)
    assert (row.role, row.scope, row.place) == (Role.GATE_GUARD, Scope.GATE, "校门")
    assert (row.expires_at - row.made_at).days == 30
    assert "token.made" in noted
    assert _ask(app, token) == 200


def test_a_revoked_token_is_over_at_once(
    app: Flask, staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    token, other = _make(staff), _make(staff, name="另一个")
    assert staff.post("/settings/tokens/1/revoke").location == "/settings/tokens"
    assert (_ask(app, token), _ask(app, other)) == (401, 200)
    assert "revoked" in staff.get("/settings/tokens").text
    with sessions() as session:
        assert "token.revoked" in session.scalars(select(AuditEntry.action)).all()


def test_its_last_use_is_shown(app: Flask, staff: FlaskClient) -> None:
    token = _make(staff)
    assert "never" in staff.get("/settings/tokens").text
    _ask(app, token)
    assert "never" not in staff.get("/settings/tokens").text


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"name": " "}, "name", "must not be empty"),
        ({"name": "z" * 61}, "name", "60 characters at most"),
        ({"days": "0"}, "days", "from 1 to 365"),
        ({"days": "366"}, "days", "from 1 to 365"),
        ({"days": "soon"}, "days", "from 1 to 365"),
        ({"role": "king"}, "role", "Choose one of the list"),
        ({"reach": "moon"}, "reach", "Choose one of the list"),
        ({"role": "librarian"}, "reach", "cannot reach so far"),
        ({"role": "homeroom_teacher", "reach": "homeroom:999"}, "reach", "no such homeroom"),
        ({"role": "district_admin", "reach": "school"}, "", "more than you may do"),
    ],
    ids=str,
)
def test_what_is_wrong_stands_beside_its_field_and_makes_nothing(
    staff: FlaskClient,
    sessions: sessionmaker[Session],
    change: dict[str, str],
    field: str,
    said: str,
) -> None:
    answer = staff.post("/settings/tokens/new", data=FORM | change)
    assert answer.status_code in (403, 422)
    assert said in answer.text
    assert not field or f'id="{field}-wrong"' in answer.text
    with sessions() as session:
        assert session.scalars(select(ApiToken)).all() == []


def test_a_token_cannot_reach_another_schools_homeroom(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
    change = {"role": "homeroom_teacher", "reach": f"homeroom:{other.homerooms[0]}"}
    assert staff.post("/settings/tokens/new", data=FORM | change).status_code == 422


def test_another_schools_tokens_are_neither_shown_nor_revoked(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    _make(staff)
    with sessions.begin() as session:
        other = make_school(session, "no2")
        mine = session.scalars(select(ApiToken)).one()
        theirs = ApiToken(
            school_id=other.id,
            made_by=mine.made_by,
            name="外校",
            token_hash=bytes(32),
            role=Role.LIBRARIAN,
            scope=Scope.SCHOOL,
            made_at=datetime.now(UTC),
            expires_at=mine.expires_at,
        )
        session.add(theirs)
        session.flush()
        theirs_id = theirs.id
    assert "外校" not in staff.get("/settings/tokens").text
    assert staff.post(f"/settings/tokens/{theirs_id}/revoke").status_code == 404
    with sessions() as session:
        assert session.get_one(ApiToken, theirs_id).revoked_at is None

"""Every route, tried by every role, on its own and on others' things.

The table says who may; it is held against what happens, not what the routes say of themselves.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.routing import Rule

from card_server.access import remember_token
from card_server.staff.accounts import create_staff
from card_server.staff.scope import WHOLE_SCHOOL, Grant
from card_server.staff.sessions import open_staff_session
from card_server.storage.database import open_engine
from card_server.web.app import close_app, create_app
from schema.tables.metadata import Table
from schema.tables.staff import Role, Scope, Staff, StaffSession
from schema.tables.tokens import ApiToken
from schema.tables.webhooks import Webhook
from tests.card_server.web.access_table import IGNORED, MAY_BE_ABSENT, OBJECTS, WHO_MAY
from tests.card_server.web.campus_things import add_evacuation, add_presence
from tests.card_server.web.conftest import make_settings
from tests.card_server.web.leave_things import add_leave_things
from tests.card_server.web.small_school import SmallSchool, add_message, add_tap, make_school

_DENIED = {401, 403, 404}
_UNTOLD = {"staff_session", "log_in_failure", "audit_entry", "audit_head", "audit_detail"}
"""Tables that may change by a denied call: that it happened."""


@dataclass
class World:
    """Two schools, and somebody of each role in the first one."""

    app: Flask
    engine: Engine
    own: SmallSchool
    other: SmallSchool
    staff: dict[Role, int]
    admins: dict[int, int]
    webhooks: dict[int, int]
    tokens: dict[int, int]

    def client(self, role: Role) -> FlaskClient:
        """A browser in which somebody of this role has just logged in."""
        client = self.app.test_client()
        client.set_cookie("language", "en")
        with Session(self.engine) as session:
            who = session.get_one(Staff, self.staff[role])
            token = open_staff_session(session, who, datetime.now(UTC))
            if role is Role.DISTRICT_ADMIN:
                session.flush()
                for opened in session.scalars(select(StaffSession)):
                    opened.school_id = self.own.id if opened.staff_id == who.id else None
            session.commit()
        with self.app.test_request_context(), client.session_transaction() as cookie:
            remember_token(token)
            cookie["token"] = token
        return client

    def digest(self) -> str:
        """What the whole database holds."""
        found = hashlib.sha256()
        with self.engine.connect() as connection:
            for table in Table.metadata.sorted_tables:
                if table.name not in _UNTOLD:
                    rows = sorted(map(repr, connection.execute(table.select())))
                    found.update(repr((table.name, rows)).encode())
        return found.hexdigest()


@pytest.fixture(scope="module")
def world(sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    database = tmp_path_factory.mktemp("matrix") / "campus.db"
    database.write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{database}"
    engine = open_engine(url)
    with sessionmaker(engine).begin() as session:
        own, other = make_school(session), make_school(session, "no2")
        for school in (own, other):
            for student in range(4):
                add_tap(session, school, student)
                add_message(session, school, student)
                add_leave_things(session, school, student)
                add_presence(session, school, student)
            add_evacuation(session, school, range(4))
        staff = {role: _hire(session, own, role) for role in Role}
        admins = {school.id: _admin_of(session, school) for school in (own, other)}
        webhooks = {school.id: _add_webhook(session, school) for school in (own, other)}
        tokens = {
            school.id: _add_token(session, school, admins[school.id]) for school in (own, other)
        }
    app = create_app(make_settings(url), engine)
    app.config["WTF_CSRF_ENABLED"] = False
    yield World(app, engine, own, other, staff, admins, webhooks, tokens)
    close_app(app)
    engine.dispose()


def _hire(session: Session, school: SmallSchool, role: Role) -> int:
    grant = {
        Role.DISTRICT_ADMIN: Grant(role, Scope.DISTRICT),
        Role.HOMEROOM_TEACHER: Grant(role, Scope.HOMEROOM, homeroom_id=school.homerooms[0]),
        Role.SUBJECT_TEACHER: Grant(role, Scope.HOMEROOM, homeroom_id=school.homerooms[0]),
        Role.LAB_TEACHER: Grant(role, Scope.LAB, place="机房"),
        Role.GATE_GUARD: Grant(role, Scope.GATE, place="校门"),
    }.get(role, WHOLE_SCHOOL._replace(role=role))
    home = None if role is Role.DISTRICT_ADMIN else school.id
    create_staff(session, home, role, f"某{role}", grant)
    who = session.scalars(select(Staff).where(Staff.login == role)).one()
    who.password_is_one_time = False
    session.flush()
    return who.id


def _admin_of(session: Session, school: SmallSchool) -> int:
    return session.scalars(select(Staff.id).where(Staff.login == school.login)).one()


def _add_webhook(session: Session, school: SmallSchool) -> int:
    now = datetime.now(UTC)
    webhook = Webhook(
        school_id=school.id,
        name="家长应用",
        url="https://example.org/",
        kinds="tap",
        secret_sealed=b"\0",
        created_at=now,
        resume_at=now,
    )
    session.add(webhook)
    session.flush()
    return webhook.id


def _add_token(session: Session, school: SmallSchool, maker: int) -> int:
    now = datetime.now(UTC)
    token = ApiToken(
        school_id=school.id,
        made_by=maker,
        name="教务系统",
        token_hash=bytes([school.id]) * 32,
        role=Role.SCHOOL_ADMIN,
        scope=Scope.SCHOOL,
        made_at=now,
        expires_at=now + timedelta(days=1),
    )
    session.add(token)
    session.flush()
    return token.id


def _calls(app: Flask) -> list[tuple[Rule, str]]:
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rule.endpoint not in IGNORED
    ]


def test_the_table_names_every_route_and_no_other(world: World) -> None:
    assert {rule.endpoint for rule, _ in _calls(world.app)} == WHO_MAY.keys()


@pytest.mark.parametrize("role", Role)
def test_a_role_reaches_what_the_table_says_and_nothing_else(world: World, role: Role) -> None:
    before = world.digest()
    client = world.client(role)
    wrong = []
    for rule, method in _calls(world.app):
        if role in WHO_MAY[rule.endpoint]:
            continue
        status = _call(world, client, rule, method, "own")
        if status not in _DENIED:
            wrong.append(f"{method} {rule}: {status}, but {role} may not")
    assert world.digest() == before, "a denied call has changed something"
    for rule, method in _calls(world.app):
        if role in WHO_MAY[rule.endpoint] and method == "GET":
            status = _call(world, client, rule, method, "own")
            is_absent = status == 404 and rule.endpoint in MAY_BE_ABSENT
            if (status in _DENIED and not is_absent) or status >= 500:
                wrong.append(f"{method} {rule}: {status}, but {role} may")
    assert wrong == []


@pytest.mark.parametrize("whose", ["other class", "other school"])
@pytest.mark.parametrize("role", Role)
def test_a_role_reaches_nothing_of_others(world: World, role: Role, whose: str) -> None:
    before = world.digest()
    client = world.client(role)
    wrong = []
    for rule, method in _calls(world.app):
        if not rule.arguments or (whose == "other class" and not _is_of_a_class(rule, role)):
            continue
        status = _call(world, client, rule, method, whose)
        if status not in _DENIED:
            wrong.append(f"{method} {rule}: {status} for {role} on another's")
    assert wrong == []
    assert world.digest() == before, "a denied call has changed something"


def test_nobody_reaches_anything_without_logging_in(world: World) -> None:
    client = world.app.test_client()
    before = world.digest()
    for rule, method in _calls(world.app):
        answer = client.open(_path(world, rule, "own"), method=method)
        is_sent_away = answer.status_code == 302 and "/log-in" in answer.location
        assert answer.status_code in _DENIED or is_sent_away, rule
    assert world.digest() == before


def _is_of_a_class(rule: Rule, role: Role) -> bool:
    """Whether the route names something that belongs to a homeroom, and the role is held to one."""
    is_held = role in (Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER)
    of_a_class = {"card_id", "correction_id", "day_note_id", "homeroom_id"}
    of_a_class |= {"leave_slip_id", "student_id"}
    return is_held and bool(rule.arguments & of_a_class)


def _call(world: World, client: FlaskClient, rule: Rule, method: str, whose: str) -> int:
    answer = client.open(_path(world, rule, whose), method=method)
    answer.close()
    return answer.status_code


def _path(world: World, rule: Rule, whose: str) -> str:
    school = world.other if whose == "other school" else world.own
    values = {name: OBJECTS[name](world, school, whose) for name in rule.arguments}
    with world.app.test_request_context():
        built = rule.build(values)
    assert built is not None, rule
    return built[1]

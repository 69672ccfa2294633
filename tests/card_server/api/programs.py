"""Programs that call the API: a token for each role, and a client that sends it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.staff.accounts import create_staff
from card_server.staff.scope import WHOLE_SCHOOL, Grant
from card_server.staff.sessions import Caller, describe_school
from card_server.staff.tokens import make_token
from card_server.storage.sealing import Seal
from card_server.webhooks.webhook import Form, make_webhook, try_webhook
from schema.tables.school import School
from schema.tables.staff import Role, Scope, Staff
from schema.tables.webhooks import EventKind
from tests.card_server.web.small_school import SmallSchool

PLACE = "校门"
DISTRICT = Grant(Role.DISTRICT_ADMIN, Scope.DISTRICT)


def grants_of(school: SmallSchool) -> dict[Role, Grant]:
    """For each role a grant as such people have; teachers have the first homeroom."""
    room = school.homerooms[0]
    return {
        Role.DISTRICT_ADMIN: DISTRICT,
        Role.SCHOOL_ADMIN: WHOLE_SCHOOL,
        Role.HOMEROOM_TEACHER: Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=room),
        Role.SUBJECT_TEACHER: Grant(Role.SUBJECT_TEACHER, Scope.HOMEROOM, homeroom_id=room),
        Role.LIBRARIAN: Grant(Role.LIBRARIAN, Scope.SCHOOL),
        Role.LAB_TEACHER: Grant(Role.LAB_TEACHER, Scope.LAB, place="机房"),
        Role.GATE_GUARD: Grant(Role.GATE_GUARD, Scope.GATE, place=PLACE),
        Role.AUDITOR: Grant(Role.AUDITOR, Scope.SCHOOL),
    }


def make_maker(session: Session, school: SmallSchool, grant: Grant, login: str = "maker") -> Caller:
    """Somebody with this grant, logged in at the school."""
    is_of_district = grant.scope is Scope.DISTRICT
    create_staff(session, None if is_of_district else school.id, login, "周主任", grant)
    staff = session.scalars(select(Staff).where(Staff.login == login)).one()
    now = datetime.now(UTC)
    at = describe_school(session.get_one(School, school.id))
    return Caller(staff.id, staff.name, login, (grant,), False, at, b"", now)


@dataclass(frozen=True)
class Program:
    """A program with a token."""

    client: FlaskClient
    token: str
    id: int
    language: str = "en"

    def get(self, path: str, **headers: str) -> Any:
        return self.ask("GET", path, headers=headers)

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """The answer (a TestResponse) of /api/v1 to this token."""
        sent = {"Authorization": f"Bearer {self.token}", "Accept-Language": self.language}
        headers = sent | {
            name.replace("_", "-"): text for name, text in more.pop("headers", {}).items()
        }
        return self.client.open("/api/v1" + path, method=method, headers=headers, **more)

    def speaking(self, language: str) -> "Program":
        return replace(self, language=language)


@dataclass(frozen=True)
class Hook:
    """A webhook, and an event on its way to it."""

    id: int
    delivery: UUID


def add_hook(sessions: sessionmaker[Session], school: SmallSchool) -> Hook:
    """A webhook of the school that has been tried."""
    form = Form("看板", "https://example.org/hook", frozenset({EventKind.TAP}))
    now = datetime.now(UTC)
    with sessions.begin() as session:
        id_, _secret = make_webhook(session, school.id, form, Seal(bytes(32)), SYSTEM, now)
        return Hook(id_, try_webhook(session, school.id, id_, SYSTEM, now))


def make_program(
    app: Flask, sessions: sessionmaker[Session], school: SmallSchool, grant: Grant
) -> Program:
    """A program with a token that somebody of the district made for it."""
    with sessions.begin() as session:
        known = session.scalar(select(Staff).where(Staff.login == "district"))
        if known is None:
            maker = make_maker(session, school, DISTRICT, "district")
        else:
            maker = Caller(
                known.id, known.name, "", (DISTRICT,), False, None, b"", datetime.now(UTC)
            )
        now = datetime.now(UTC)
        made = make_token(session, maker, SYSTEM, school.id, "看板", grant, 30, now)
        return Program(app.test_client(), made[1], made[0])

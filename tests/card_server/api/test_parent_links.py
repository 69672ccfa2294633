"""Links to the parents' page by the API: sent to one and to many, ended, within reach alone."""

from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.scope import WHOLE_SCHOOL
from schema.tables.messages import Message, MessageKind
from schema.tables.parents import ParentLink
from schema.tables.people import Guardian
from schema.tables.staff import Role
from tests.card_server.api.programs import grants_of, make_program
from tests.card_server.web.parent_phone import signed_in
from tests.card_server.web.small_school import SmallSchool


def _path(school: SmallSchool, student: int = 0) -> str:
    return f"/students/{school.students[student]}/guardians/{school.guardians[student]}/link"


def _sent(sessions: sessionmaker[Session]) -> int:
    with sessions() as session:
        wanted = select(func.count()).where(Message.kind == MessageKind.INVITATION)
        return session.scalar(wanted) or 0


def test_a_link_is_sent_once_and_ended(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    program = make_program(app, sessions, school, WHOLE_SCHOOL)
    assert program.ask("POST", _path(school)).status_code == 204
    assert program.ask("POST", _path(school)).status_code == 409
    assert _sent(sessions) == 1
    phone = signed_in(app, sessions, school)
    assert program.ask("DELETE", _path(school)).status_code == 204
    assert phone.get("/parent").status_code == 403
    with sessions() as session:
        assert all(session.scalars(select(ParentLink.ended_at)))


def test_the_plan_says_what_the_sending_does(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    program = make_program(app, sessions, school, WHOLE_SCHOOL)
    with sessions.begin() as session:
        session.execute(update(Guardian).values(verified_at=None))
    room = school.homerooms[1]
    plan = program.get(f"/invitations?homeroom_id={room}").json
    assert plan["messages"] == plan["waiting"] == len(school.students) // 2
    assert plan["price"] == plan["segments"] * 45
    assert plan["currency"] == "CNY"
    answer = program.ask("POST", "/invitations", json={"homeroom_id": room})
    assert answer.json == {"messages": plan["messages"]}
    assert program.ask("POST", "/invitations", json={}).json == {"messages": plan["messages"]}
    assert _sent(sessions) == len(school.students)


def test_a_teachers_token_reaches_the_own_homeroom(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    program = make_program(app, sessions, school, grants_of(school)[Role.HOMEROOM_TEACHER])
    for method in ("POST", "DELETE"):
        assert program.ask(method, _path(school, 1)).status_code == 404
    other = school.homerooms[1]
    assert program.get(f"/invitations?homeroom_id={other}").status_code == 404
    asked = program.ask("POST", "/invitations", json={"homeroom_id": other})
    assert asked.status_code == 409
    assert _sent(sessions) == 0

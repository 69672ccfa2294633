"""Who may ask for what: every route and role, other homerooms and schools, and as on the pages."""

import io
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from apiflask import APIFlask
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.access import decision_of
from card_server.audit.writing import SYSTEM
from card_server.cards.cards import Doing
from card_server.cards.stock import NewCard, stock_cards
from card_server.messages.consent_wordings import add_wording
from card_server.messages.standing import stop_number
from card_server.people.photos import keep_photo, read_photo
from card_server.register import logos
from card_server.staff.scope import WHOLE_SCHOOL, Grant
from schema.messages import Refusal
from schema.tables.jobs import Job, JobState
from schema.tables.messages import Message, MessageState, StopBy
from schema.tables.metadata import Table
from schema.tables.people import Boarding, Guardian, Language, Student, StudentStatus
from schema.tables.roster import RosterImport, RosterState
from schema.tables.school import Homeroom
from schema.tables.staff import Role, Scope
from schema.tables.tokens import ApiToken
from tests.card_server.api.access_table import MAY
from tests.card_server.api.page_table import AS_ON_PAGE
from tests.card_server.api.programs import (
    DISTRICT,
    Program,
    add_hook,
    grants_of,
    make_maker,
    make_program,
)
from tests.card_server.api.recomputations import add_trial
from tests.card_server.api.requests import FILES, PICTURE, QUERIES, STOCK, body_of
from tests.card_server.api.rosters import add_roster
from tests.card_server.web.campus_things import add_evacuation, add_presence
from tests.card_server.web.leave_things import add_leave_things, add_marking
from tests.card_server.web.small_school import (
    SEAL,
    SmallSchool,
    add_health,
    add_job,
    add_message,
    add_tap,
    make_school,
)
from tests.harness.pictures import picture


def _api(app: Flask) -> APIFlask:
    api: APIFlask = app.extensions["api"]
    return api


def test_every_route_has_a_row_and_its_decision_is_that(app: Flask) -> None:
    found = {}
    for rule in _api(app).url_map.iter_rules():
        decision = decision_of(_api(app).view_functions[rule.endpoint])
        assert decision is not None, rule
        if rule.endpoint == "document":
            assert decision.is_public
            continue
        [method] = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        found[method, rule.rule.removeprefix("/api/v1")] = {*decision.roles}
    assert found == MAY


def test_the_api_lets_in_whom_the_page_lets_in(app: Flask) -> None:
    for endpoint, page in AS_ON_PAGE.items():
        decision = decision_of(_api(app).view_functions[endpoint])
        on_page = decision_of(app.view_functions[page])
        assert decision
        assert on_page
        assert decision.roles == on_page.roles, endpoint


@pytest.mark.parametrize("role", Role)
def test_a_role_is_answered_where_it_may_and_refused_where_it_may_not(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session], role: Role
) -> None:
    program = make_program(app, sessions, school, grants_of(school)[role])
    things = make_things(app, sessions, school)
    for (method, rule), roles in MAY.items():
        make_ready(sessions, school, method, rule)
        answer = _ask(program, things, method, rule)
        assert answer.status_code in ((200, 201, 204) if role in roles else (403,)), (method, rule)


@pytest.mark.parametrize("role", Role)
def test_what_is_refused_changes_nothing(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session], role: Role
) -> None:
    program = make_program(app, sessions, school, grants_of(school)[role])
    things = make_things(app, sessions, school)
    program.get("/me")
    before = _read_all(sessions)
    for (method, rule), roles in MAY.items():
        if role not in roles:
            _ask(program, things, method, rule)
    assert _read_all(sessions) == before


def make_things(
    app: Flask, sessions: sessionmaker[Session], school: SmallSchool
) -> dict[str, object]:
    """The school's first of everything that an address can name."""
    hook = add_hook(sessions, school)
    with sessions.begin() as session:
        maker = session.scalars(select(ApiToken.made_by).order_by(ApiToken.id)).first()
        for student in (0, 2):
            add_leave_things(session, school, student, maker)
            add_presence(session, school, student)
        # The one that it began itself anybody may end.
        add_evacuation(session, school, (0, 2)).started_by_id = maker
        add_health(session, school, 1, datetime.now(UTC))
        area = make_maker(session, school, DISTRICT, "other").staff_id
        job = add_job(session, school)
        blank = [NewCard(uid) for uid in STOCK]
        stock_cards(session, Doing(SYSTEM, school.id, datetime.now(UTC)), blank)
        import_id = add_roster(session, school)
        trial = add_trial(session, school)
        add_message(session, school, 0)
        add_wording(session, SYSTEM, school.id, Language.CHINESE, "同意接收短信。")
    return {
        "import_id": import_id,
        "recomputation_id": trial,
        "card_id": school.cards[0],
        "other_card": school.cards[2],
        "student_id": school.students[0],
        "left_id": school.students[1],
        "homeroom_id": school.homerooms[0],
        "guardian_id": school.guardians[0],
        "message_id": school.messages[0],
        "note_id": 1,
        "phone_id": 1,
        "term_id": school.terms[0],
        "timetable_id": school.timetables[0],
        "entry_id": school.entries[0],
        "slip_id": school.slips[0],
        "other_slip": school.slips[1],
        "correction_id": school.corrections[0],
        "day_note_id": school.day_notes[0],
        "evacuation_id": school.evacuations[0],
        "exemption_id": school.exemptions[0],
        "passage_id": school.passages[0],
        "campus_id": school.campuses[0],
        "reader_id": school.readers[0],
        "staff_id": 1,
        "area_id": area,
        "token_id": make_program(app, sessions, school, WHOLE_SCHOOL).id,
        "webhook_id": hook.id,
        "delivery_id": hook.delivery,
        "job_id": job,
        "seq": 1,
        "day": "2026-09-01",
        "kind": "arrival",
        "language": "zh",
        "provider": "aliyun",
    }


def keep_logo(sessions: sessionmaker[Session], school: SmallSchool) -> None:
    """A picture for those who may only look at it."""
    with sessions.begin() as session:
        logos.keep_logo(session, SYSTEM, school.id, logos.read_logo(PICTURE), datetime.now(UTC))


def make_ready(
    sessions: sessionmaker[Session], school: SmallSchool, method: str, rule: str
) -> None:
    """What must be so before somebody may ask for this."""
    if (method, rule) == ("GET", "/school/logo"):
        keep_logo(sessions, school)
    with sessions.begin() as session:
        if "/roster/" in rule or rule.endswith("/erase"):
            session.execute(update(Job).values(state=JobState.DONE, finished_at=datetime.now(UTC)))
        if rule.endswith("/photo"):
            student, photo = school.students[0], read_photo(picture("PNG"))
            keep_photo(session, SYSTEM, school.id, student, photo, SEAL, datetime.now(UTC))
        if rule.endswith("/erase"):
            session.get_one(Student, school.students[1]).status = StudentStatus.TRANSFERRED
            session.execute(update(RosterImport).values(state=RosterState.DISCARDED))
        if rule.endswith(("/decision", "/resend")):
            session.execute(update(Message).values(state=MessageState.UNKNOWN))
        if rule.endswith("/free"):
            guardian = session.get_one(Guardian, school.guardians[0])
            connection, now = session.connection(), datetime.now(UTC)
            stop_number(connection, school.id, guardian.phone_hash, StopBy.REPLY, now)
        if (method, rule) == ("POST", "/attendance/roll-call"):
            long_ago = date(2020, 9, 1)
            session.add(
                Boarding(school_id=school.id, student_id=school.students[0], from_on=long_ago)
            )
        if rule == "/homerooms/<homeroom_id>/corrections/end":
            add_marking(session, school, 0)
        if rule == "/promotion":
            session.execute(update(Homeroom).values(school_year=2024))


def _ask(program: Program, things: dict[str, object], method: str, rule: str) -> Any:
    """A well-made request of the school's first of everything."""
    named = things | ({"staff_id": things["area_id"]} if "/district/" in rule else {})
    named |= {"card_id": things["other_card"]} if rule.endswith("/end") else {}
    named |= {"slip_id": things["other_slip"]} if rule.endswith("/refuse") else {}
    named |= {"student_id": things["left_id"]} if rule.endswith("/erase") else {}
    path = re.sub("<([a-z_]+)>", lambda found: str(named[found[1]]), rule)
    path += QUERIES.get((method, rule), "")
    if (method, rule) == ("PUT", "/school/logo"):
        return program.ask(method, path, data=PICTURE, content_type="image/png")
    if (method, rule) == ("PUT", "/students/<student_id>/photo"):
        return program.ask(method, path, data=picture("PNG"), content_type="image/png")
    if (method, rule) in FILES:
        form = {"file": (io.BytesIO(FILES[method, rule]), "file")}
        return program.ask(method, path, data=form)
    body = body_of(method, rule)
    if rule == "/promotion":
        plan = program.ask("POST", "/promotion/preview", json={}).get_json()
        body = {"seen": plan.get("seen", "nothing")}
    return program.ask(method, path, **({"json": body} if body else {}))


def _read_all(sessions: sessionmaker[Session]) -> dict[str, list[str]]:
    """Every row of every table."""
    with sessions() as session:
        return {
            table.name: sorted(str(row) for row in session.execute(table.select()))
            for table in Table.metadata.sorted_tables
        }


@pytest.fixture
def busy(school: SmallSchool, sessions: sessionmaker[Session]) -> SmallSchool:
    """The school after each student tapped and a stranger was refused; messages told of it."""
    with sessions.begin() as session:
        for one in range(len(school.students)):
            add_tap(session, school, one)
            add_message(session, school, one)
        add_tap(session, school, None, reason=Refusal.UNKNOWN)
    return school


@pytest.fixture
def teacher(app: Flask, busy: SmallSchool, sessions: sessionmaker[Session]) -> Program:
    return make_program(app, sessions, busy, grants_of(busy)[Role.HOMEROOM_TEACHER])


def test_a_homeroom_teachers_token_reaches_that_homeroom(
    teacher: Program, busy: SmallSchool
) -> None:
    own, other = busy.students[0::2], busy.students[1::2]
    assert [one["id"] for one in teacher.get("/students").json["items"]] == own
    assert [one["id"] for one in teacher.get("/homerooms").json["items"]] == busy.homerooms[:1]
    for path in ("/taps", "/messages"):
        found = teacher.get(path).json["items"]
        assert {one["student_id"] for one in found} == {*own}, path
    for path in (f"/students/{other[0]}", f"/students/{other[0]}/days/2026-09-01"):
        assert teacher.get(path).status_code == 404
    assert teacher.get("/board").json["total"]["students"] == len(own)
    assert teacher.get(f"/students?homeroom={busy.homerooms[1]}").json["items"] == []


def test_a_guards_token_reaches_that_gate(
    app: Flask, busy: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    here = make_program(app, sessions, busy, grants_of(busy)[Role.GATE_GUARD])
    elsewhere = make_program(app, sessions, busy, Grant(Role.GATE_GUARD, Scope.GATE, place="北门"))
    assert len(here.get("/taps").json["items"]) == len(busy.students) + 1
    assert elsewhere.get("/taps").json["items"] == []
    assert elsewhere.get("/readers").json["items"] == []


@pytest.mark.parametrize("role", Role)
def test_nobody_sees_anything_of_another_school(
    app: Flask, busy: SmallSchool, sessions: sessionmaker[Session], role: Role
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
        session.get_one(Student, other.students[0]).name = "外校生"
        add_tap(session, other, 0, late_minutes=9)
        add_message(session, other, 0, body="外校生")
    program = make_program(app, sessions, busy, grants_of(busy)[role])
    for (method, rule), roles in MAY.items():
        if role not in roles or method != "GET" or "<" in rule:
            continue
        assert "外校生" not in program.get(rule + QUERIES.get((method, rule), "")).text, rule
    found = program.ask("POST", "/students/search", json={"words": "外校"})
    assert "外校生" not in found.text
    for path in (
        f"/students/{other.students[0]}",
        f"/students/{other.students[0]}/days/2026-09-01",
    ):
        assert program.get(path).status_code in (403, 404)


def test_only_the_district_sees_the_other_schools_names(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        make_school(session, "no2")
    district = make_program(app, sessions, school, grants_of(school)[Role.DISTRICT_ADMIN])
    assert [one["code"] for one in district.get("/schools").json["items"]] == ["no1", "no2"]
    assert district.get("/school").json["code"] == "no1"

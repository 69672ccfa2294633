"""The parents' pages: one's own child, today, and nothing of anybody else's."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.routing import Rule

from card_server.leave.slips import find_slip
from card_server.school_time import DISTRICT_ZONE
from schema.tables.audit import AuditEntry
from schema.tables.leave import LeaveSlip, LeaveState
from schema.tables.messages import Message, PhoneStanding, StopBy
from schema.tables.people import (
    ConsentWording,
    Guardian,
    Guardianship,
    Language,
    Student,
    StudentStatus,
)
from tests.card_server.web.access_table import IGNORED, WHO_MAY
from tests.card_server.web.campus_things import add_presence
from tests.card_server.web.leave_things import REASON, add_leave_things
from tests.card_server.web.parent_phone import new_phone, signed_in, tie
from tests.card_server.web.small_school import SmallSchool, add_message, add_tap, make_school
from tests.card_server.web.test_settings import seen_in

OF_A_CHILD = ("", "/week", "/leave", "/messages", "/wishes")
OF_ALL = ("/parent/me", "/parent/consent")


@pytest.fixture
def phone(app: Flask, school: SmallSchool, sessions: sessionmaker[Session]) -> FlaskClient:
    """The phone of the first child's mother."""
    return signed_in(app, sessions, school)


def _path(school: SmallSchool, student: int = 0, page: str = "") -> str:
    return f"/parent/children/{school.students[student]}{page}"


def _fill(session: Session, school: SmallSchool) -> None:
    for student in range(len(school.students)):
        row = session.get_one(Student, school.students[student])
        row.name = f"{row.name}某{school.id}{student}"
        add_tap(session, school, student, late_minutes=student)
        add_message(session, school, student, body=f"【一中】{row.name}已于07:32进入学校。")
        add_leave_things(session, school, student)
        add_presence(session, school, student)


@pytest.mark.parametrize("language", Language)
def test_every_page_shows_ones_own_child_and_nobody_elses(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session], language: Language
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
        _fill(session, school)
        _fill(session, other)
        tie(session, school, student=2, guardian=0)
        tie(session, school, student=0, guardian=1)
        session.get_one(Guardian, school.guardians[1]).name = "分开住的父亲"
        names = {one.id: one.name for one in session.scalars(select(Student))}
    phone = signed_in(app, sessions, school, language=language)
    own = {school.students[0], school.students[2]}
    for path in [*(_path(school, one, page) for one in (0, 2) for page in OF_A_CHILD), *OF_ALL]:
        answer = phone.get(path)
        assert answer.status_code == 200, path
        for student, name in names.items():
            assert student in own or name not in answer.text, path
        assert "分开住的父亲" not in answer.text, path
        assert REASON not in answer.text, path
        assert "+86138" not in answer.text, path
    assert names[school.students[0]] in phone.get(_path(school)).text
    assert names[school.students[2]] in phone.get(_path(school, 2)).text
    taken = phone.post("/parent/me/file").text
    assert "+8613800001000" in taken
    for student, name in names.items():
        assert (name in taken) == (student in own)


@pytest.mark.parametrize("page", OF_A_CHILD)
def test_another_child_is_as_unknown_as_one_that_is_not_there(
    phone: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session], page: str
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
    others = [school.students[1], other.students[0], 999_999]
    answers = [phone.get(f"/parent/children/{student}{page}") for student in others]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text.partition("<main")[2] for answer in answers}) == 1


def test_a_child_who_is_parted_is_gone_at_once_and_so_is_the_page_with_the_last_one(
    phone: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        tie(session, school, student=2, guardian=0)
    assert phone.get(_path(school, 2)).status_code == 200
    with sessions.begin() as session:
        session.execute(delete(Guardianship).where(Guardianship.student_id == school.students[0]))
    assert phone.get(_path(school, 0)).status_code == 404
    assert phone.get(_path(school, 2)).status_code == 200
    with sessions.begin() as session:
        session.get_one(Student, school.students[2]).status = StudentStatus.TRANSFERRED
    assert phone.get(_path(school, 2)).status_code == 403


def test_staffs_pages_know_no_parent_and_parents_pages_no_staff(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session], staff: FlaskClient
) -> None:
    phone, nobody = signed_in(app, sessions, school), new_phone(app)
    for rule in app.url_map.iter_rules():
        address = _address(rule, school)
        is_parents = WHO_MAY.get(rule.endpoint) == frozenset()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if is_parents:
                assert staff.open(address, method=method).status_code == 403, rule
            elif rule.endpoint not in IGNORED:
                asked = [one.open(address, method=method) for one in (phone, nobody)]
                assert asked[0].status_code == asked[1].status_code, rule
                assert asked[0].location == asked[1].location, rule
    assert phone.get("/api/v1/me").status_code == 401


def _address(rule: Rule, school: SmallSchool) -> str:
    path = rule.rule.replace("<int:student_id>", str(school.students[0]))
    path = path.replace("<int:guardian_id>", str(school.guardians[0]))
    return re.sub(r"<[^>]+>", "1", re.sub(r"<uuid:\w+>", "0" * 32, path))


def test_a_session_that_is_used_lives_on(
    app: Flask, phone: FlaskClient, school: SmallSchool
) -> None:
    for days in (29, 58, 87):
        app.extensions["now"] = lambda days=days: datetime.now(UTC) + timedelta(days=days)
        answer = phone.get(_path(school))
        assert answer.status_code == 200
        assert any(one.startswith("parent=") for one in answer.headers.getlist("Set-Cookie"))
    app.extensions["now"] = lambda: datetime.now(UTC) + timedelta(days=118)
    assert phone.get(_path(school)).status_code == 403


def test_signing_out_ends_this_phone_and_everywhere_all_of_them_and_the_link(
    app: Flask, phone: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    second = signed_in(app, sessions, school)
    token = phone.get_cookie("parent")
    assert token
    phone.post("/parent/sign-out")
    assert phone.get_cookie("parent") is None
    phone.set_cookie("parent", token.value)
    assert phone.get(_path(school)).status_code == 403
    assert second.get(_path(school)).status_code == 200
    third = signed_in(app, sessions, school)
    second.post("/parent/sign-out-everywhere")
    assert third.get(_path(school)).status_code == 403


def test_today_says_where_the_child_is(
    phone: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert "Not seen at the gates today" in phone.get(_path(school)).text
    with sessions.begin() as session:
        add_tap(session, school, 0, late_minutes=7)
        add_presence(session, school, 0, datetime.now(UTC))
    page = phone.get(_path(school)).text
    assert "In the school since" in page
    assert "7 min" in page
    with sessions.begin() as session:
        add_presence(session, school, 0, datetime.now(UTC), is_inside=False)
    assert "Not in the school; went out at" in phone.get(_path(school)).text


def test_weeks_go_back_and_forth_and_wrong_days_lead_to_this_one(
    phone: FlaskClient, school: SmallSchool
) -> None:
    today = datetime.now(DISTRICT_ZONE).date()
    monday = today - timedelta(days=today.weekday())
    before = monday - timedelta(days=7)
    page = phone.get(_path(school, page="/week")).text
    assert f"from={before}" in page
    assert "This week" not in page
    assert "This week" in phone.get(_path(school, page=f"/week?from={before}")).text
    for wrong in ("x", "1999-01-01", "9999-12-31"):
        assert "This week" not in phone.get(_path(school, page=f"/week?from={wrong}")).text


def _ask(phone: FlaskClient, school: SmallSchool, **changed: str) -> int:
    day = (datetime.now(DISTRICT_ZONE) + timedelta(days=3)).date().isoformat()
    form = {"kind": "sick", "from_on": day, "reason": "看牙", "lets_out": "1"} | changed
    return phone.post(_path(school, page="/leave"), data=form).status_code


def test_leave_is_asked_for_by_the_guardian_and_taken_back_until_it_is_decided(
    phone: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert _ask(phone, school, reason="") == 422
    assert _ask(phone, school) == 302
    assert _ask(phone, school) == 422
    with sessions() as session:
        slip = session.scalars(select(LeaveSlip)).one()
        assert slip.guardian_id == school.guardians[0]
        assert slip.state is LeaveState.ASKED
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "leave.asked")).one()
        assert (entry.actor_kind, entry.actor_id) == ("guardian", school.guardians[0])
    page = phone.get(_path(school, page="/leave")).text
    assert "asked by you" in page
    path = _path(school, page=f"/leave/{slip.id}/withdraw")
    assert phone.post(path).status_code == 302
    with sessions.begin() as session:
        assert find_slip(session, school.id, slip.id).state is LeaveState.WITHDRAWN
        session.execute(update(LeaveSlip).values(state=LeaveState.APPROVED))
    assert phone.post(path).status_code == 409


def test_leave_that_others_asked_for_is_shown_and_stays_theirs(
    phone: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_leave_things(session, school, 0)
        add_leave_things(session, school, 1)
    page = phone.get(_path(school, page="/leave")).text
    assert "written by the school" in page
    assert REASON not in page
    assert "may go out</" not in page
    with sessions.begin() as session:
        session.execute(update(LeaveSlip).values(state=LeaveState.APPROVED, lets_out=True))
    assert "may go out</" in phone.get(_path(school, page="/leave")).text
    for slip in school.slips:
        path = _path(school, page=f"/leave/{slip}/withdraw")
        assert phone.post(path).status_code == 404


def _withdraw_consent(sessions: sessionmaker[Session], school: SmallSchool) -> int:
    with sessions.begin() as session:
        session.execute(update(Guardianship).values(consented_at=None))
        wording = ConsentWording(
            school_id=school.id,
            language=Language.CHINESE,
            body="同意学校发送消息。",
            made_by="教务处",
            made_at=datetime.now(UTC),
        )
        session.add(wording)
        session.flush()
        return wording.id


def test_without_consent_there_is_nothing_but_wishes_and_ones_own_data(
    phone: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    wording = _withdraw_consent(sessions, school)
    for page in ("", "/week", "/leave", "/messages"):
        assert phone.get(_path(school, page=page)).location == "/parent/consent"
    assert _ask(phone, school) == 302
    with sessions() as session:
        assert session.scalars(select(LeaveSlip)).all() == []
    for path in (_path(school, page="/wishes"), "/parent/me"):
        assert phone.get(path).status_code == 200
    assert "同意学校发送消息。" in phone.get("/parent/consent").text
    assert phone.post("/parent/consent", data={"wording": wording + 1}).status_code == 409
    assert phone.post("/parent/consent", data={"wording": wording}).status_code == 302
    assert phone.get(_path(school)).status_code == 200
    phone.post("/parent/consent/withdraw")
    assert phone.get(_path(school)).location == "/parent/consent"


def test_wishes_are_kept_and_a_second_phone_does_not_overwrite_them(
    phone: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    path = _path(school, page="/wishes")
    seen = seen_in(phone.get(path))
    form = {"absence": "1", "language": "en", "quiet_from": "20:00", "quiet_until": "07:15"}
    assert phone.post(path, data=form | {"seen": seen}).status_code == 302
    with sessions() as session:
        link = session.get_one(Guardianship, (school.students[0], school.guardians[0]))
        assert link.wanted == "absence"
        assert (link.quiet_from, link.quiet_until) == (20 * 60, 7 * 60 + 15)
        assert session.get_one(Guardian, school.guardians[0]).language is Language.ENGLISH
    assert phone.post(path, data=form | {"seen": seen, "late": "1"}).status_code == 409
    for wrong in ({"quiet_from": "x"}, {"quiet_until": ""}, {"language": "fr"}):
        typed = form | {"seen": seen_in(phone.get(path))} | wrong
        assert phone.post(path, data=typed).status_code == 422


def test_a_guardian_stops_everything_and_starts_again(
    phone: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    phone.post("/parent/stop")
    with sessions() as session:
        [standing] = session.scalars(select(PhoneStanding))
        assert standing.stopped_at
        assert standing.stopped_by is StopBy.PAGE
    assert "Start them again" in phone.get("/parent/me").text
    phone.post("/parent/start")
    with sessions() as session:
        [standing] = session.scalars(select(PhoneStanding))
        assert standing.stopped_at is None
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)).all()
    assert actions[-2:] == ["guardian.stopped", "guardian.started"]


def test_messages_are_the_guardians_own_in_pages(
    phone: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        for number in range(35):
            add_message(session, school, 0, body=f"第{number}条。")
        tie(session, school, student=0, guardian=1)
        add_message(session, school, 0, body="给别人的。")
        of_other = select(Message.id).where(Message.body == "给别人的。")
        session.execute(
            update(Message).where(Message.id.in_(of_other)).values(guardian_id=school.guardians[1])
        )
    page = phone.get(_path(school, page="/messages")).text
    assert "第34条" in page
    assert "第3条" not in page
    assert "给别人的" not in page
    older = re.search(r'href="([^"]*before=[^"]*)"', page)
    assert older
    assert "第3条" in phone.get(older[1].replace("&amp;", "&")).text
    assert phone.get(_path(school, page="/messages?before=x")).status_code == 200

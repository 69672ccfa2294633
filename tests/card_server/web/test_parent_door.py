"""The way in to the parents' page: the link of a message, and a code to the same phone."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.parents import entering
from card_server.parents.links import LASTS, end_links
from card_server.web.app import close_app, create_app
from schema.tables.audit import AuditEntry
from schema.tables.messages import Message, MessageKind
from schema.tables.people import Guardian
from tests.card_server.web.conftest import make_settings
from tests.card_server.web.parent_phone import code_of, new_link, new_phone, signed_in
from tests.card_server.web.small_school import SmallSchool


def _count_codes(sessions: sessionmaker[Session]) -> int:
    with sessions() as session:
        wanted = select(func.count()).where(Message.kind == MessageKind.CODE)
        return session.scalar(wanted) or 0


def test_link_and_code_open_the_childs_day_and_show_whose_number_it_is(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.get_one(Guardian, school.guardians[0]).verified_at = None
    path, phone = new_link(sessions, school), new_phone(app)
    page = phone.get(path)
    assert page.status_code == 200
    assert "1000" in page.text
    assert "+86" not in page.text
    assert "张三" not in page.text + path
    assert phone.post(f"{path}/code").location == f"{path}/code"
    assert phone.get(f"{path}/code").status_code == 200
    answer = phone.post(path, data={"code": code_of(sessions, school)})
    assert answer.location == "/parent"
    day = phone.get("/parent", follow_redirects=True)
    assert day.status_code == 200
    assert "张三" in day.text
    with sessions() as session:
        guardian = session.get_one(Guardian, school.guardians[0])
        assert guardian.verified_at
        assert guardian.verified_by == ""
        actions = session.scalars(select(AuditEntry.action)).all()
    assert {"parent.code_sent", "parent.verified", "parent.entered"} <= {*actions}


def test_looking_at_a_link_sends_nothing(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    path, phone = new_link(sessions, school), new_phone(app)
    phone.get(path)
    phone.get(f"{path}/code")
    assert _count_codes(sessions) == 0
    phone.post(f"{path}/code")
    assert _count_codes(sessions) == 1
    assert phone.post(f"{path}/code").status_code == 409
    assert _count_codes(sessions) == 1


@pytest.mark.parametrize("way", ["", "/code"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_wrong_expired_and_ended_links_look_alike(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session], way: str, method: str
) -> None:
    ended = new_link(sessions, school)
    with sessions.begin() as session:
        end_links(session, SYSTEM, school.id, school.guardians[0], datetime.now(UTC))
    expired = new_link(sessions, school)
    answers = []
    for path in (ended, expired, f"{ended[:-1]}{'A' if ended[-1] != 'A' else 'B'}", "/p/x"):
        if path == expired:
            app.extensions["now"] = lambda: datetime.now(UTC) + LASTS
        answers.append(new_phone(app).open(f"{path}{way}", method=method))
        app.extensions.pop("now", None)
    assert {answer.status_code for answer in answers} == {404}
    # The switch of languages leads back to the very address, and a form has its own token.
    pages = {
        "\n".join(line for line in answer.text.splitlines() if "<input" not in line)
        for answer in answers
    }
    assert (
        len({page.partition("hx-headers")[0] + page.partition("<main")[2] for page in pages}) == 1
    )
    assert "homeroom teacher" in answers[0].text


def test_a_wrong_code_says_so_and_a_dead_one_the_same(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    path, phone = new_link(sessions, school), new_phone(app)
    phone.post(f"{path}/code")
    code = code_of(sessions, school)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    answers = [phone.post(path, data={"code": wrong}) for _ in range(5)]
    answers.append(phone.post(path, data={"code": code}))
    assert {answer.status_code for answer in answers} == {403}
    assert all("is not the code" in answer.text for answer in answers)
    assert phone.get("/parent").status_code == 403
    with sessions() as session:
        noted = select(func.count()).where(AuditEntry.action == "parent.code_wrong")
        assert session.scalar(noted) == 6


def test_an_address_with_many_wrong_codes_is_locked_for_parents_and_not_for_staff(
    app: Flask,
    school: SmallSchool,
    sessions: sessionmaker[Session],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(entering, "PER_ADDRESS", 3)
    for guardian in range(3):
        path, phone = new_link(sessions, school, guardian), new_phone(app)
        phone.post(f"{path}/code")
        assert phone.post(path, data={"code": "none"}).status_code == 403
    path, phone = new_link(sessions, school, 3), new_phone(app)
    phone.post(f"{path}/code")
    code = code_of(sessions, school, 3)
    assert phone.post(path, data={"code": code}).status_code == 403
    form = {"login": school.login, "password": school.password}
    assert phone.post("/log-in", data=form).location == "/password"
    app.extensions["now"] = lambda: datetime.now(UTC) + timedelta(minutes=16)
    phone.post(f"{path}/code")
    code = code_of(sessions, school, 3)
    assert phone.post(path, data={"code": code}).location == "/parent"


def test_the_cookie_is_for_this_server_alone_and_behind_tls_for_nothing_else(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    path, phone = new_link(sessions, school), new_phone(app)
    phone.post(f"{path}/code")
    app.config["SESSION_COOKIE_SECURE"] = True
    answer = phone.post(path, data={"code": code_of(sessions, school)})
    [cookie] = [
        one for one in answer.headers.getlist("Set-Cookie") if one.startswith("__Host-parent=")
    ]
    for flag in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=2592000"):
        assert flag in cookie


def test_the_link_of_who_is_signed_in_goes_straight_on(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    phone = signed_in(app, sessions, school)
    assert phone.get(new_link(sessions, school)).location == "/parent"
    assert phone.get(new_link(sessions, school, 1)).status_code == 200


def test_a_phone_is_one_guardians_at_a_time(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    phone = signed_in(app, sessions, school)
    before = phone.get_cookie("parent")
    assert before
    path = new_link(sessions, school, 1)
    phone.post(f"{path}/code")
    phone.post(path, data={"code": code_of(sessions, school, 1)})
    assert phone.get("/parent").location == f"/parent/children/{school.students[1]}"
    phone.set_cookie("parent", before.value)
    assert phone.get("/parent").status_code == 403


def test_a_link_speaks_the_guardians_language(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    client = app.test_client()
    page = client.get(new_link(sessions, school), headers={"Accept-Language": "en"})
    assert 'lang="zh-CN"' in page.text


def test_pages_of_parents_are_kept_by_nobody(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    phone = signed_in(app, sessions, school)
    for path in (new_link(sessions, school, 1), "/parent/me"):
        headers = phone.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "unsafe" not in headers["Content-Security-Policy"]


def test_a_server_with_another_secret_knows_no_link(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session], database_url: str
) -> None:
    path = new_link(sessions, school)
    settings = make_settings(database_url).model_copy(update={"web_secret": "z" * 32})
    engine = sessions.kw["bind"]
    other = create_app(settings, engine)
    assert other.test_client().get(path).status_code == 404
    close_app(other)

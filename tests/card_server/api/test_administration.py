"""What administrators do beyond settings: tokens, the logo, locked accounts, the district."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.api.problems import PREFIX
from card_server.register.logos import MAX_BYTES
from card_server.staff import lockout
from card_server.staff.sessions import hash_token
from schema.tables.audit import AuditEntry
from schema.tables.school import SchoolLogo
from schema.tables.tokens import ApiToken
from tests.card_server.api.programs import DISTRICT, Program, make_program
from tests.card_server.web.small_school import SmallSchool, add_tap, make_school

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
JPEG = b"\xff\xd8\xff" + bytes(100)
TOKEN = {"name": "大屏", "grant": {"role": "librarian", "scope": "school"}, "days": 7}


def test_a_token_makes_a_lesser_one_that_works_until_it_is_revoked(
    program: Program, sessions: sessionmaker[Session]
) -> None:
    made = program.ask("POST", "/tokens", json=TOKEN)
    assert made.status_code == 201
    child = Program(program.client, made.json["token"], made.json["id"])
    assert child.get("/me").json["grant"]["role"] == "librarian"
    with sessions() as session:
        row = session.get_one(ApiToken, child.id)
        assert row.token_hash == hash_token(child.token)
        noted = session.scalars(
            select(AuditEntry).where(AuditEntry.subject == f"token:{child.id}")
        ).one()
        assert (noted.actor_kind, noted.actor_id) == ("token", program.id)
    listed = program.get("/tokens")
    assert [one["id"] for one in listed.json["items"]] == [child.id, program.id]
    assert child.token not in listed.text
    gone = program.ask("DELETE", f"/tokens/{child.id}")
    assert (gone.status_code, gone.data) == (204, b"")
    assert child.get("/me").status_code == 401
    assert program.get("/tokens").json["items"][0]["revoked_at"] is not None


@pytest.mark.parametrize(
    ("change", "status", "name"),
    [
        ({"days": 31}, 422, "days"),
        ({"days": 0}, 422, "days"),
        ({"name": " "}, 422, "name"),
        ({"grant": {"role": "librarian", "scope": "gate", "place": "z"}}, 422, "grant"),
        (
            {"grant": {"role": "homeroom_teacher", "scope": "homeroom", "homeroom_id": 99}},
            422,
            "grant",
        ),
        ({"grant": {"role": "district_admin", "scope": "district"}}, 403, None),
    ],
    ids=str,
)
def test_a_token_makes_none_that_is_more_than_itself(
    program: Program,
    sessions: sessionmaker[Session],
    change: dict[str, object],
    status: int,
    name: str | None,
) -> None:
    answer = program.ask("POST", "/tokens", json=TOKEN | change)
    assert answer.status_code == status, answer.text
    if name:
        assert [one["name"] for one in answer.json["errors"]] == [name]
    with sessions() as session:
        assert session.query(ApiToken).count() == 1


def test_a_token_of_its_last_day_makes_none_at_all(
    program: Program, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        row = session.get_one(ApiToken, program.id)
        row.expires_at = datetime.now(UTC) + timedelta(hours=23)
    assert program.ask("POST", "/tokens", json=TOKEN | {"days": 1}).status_code == 422


def test_the_logo_is_put_shown_replaced_and_removed(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert program.get("/school/logo").status_code == 404
    sent = program.ask("PUT", "/school/logo", data=PNG, content_type="image/png")
    assert (sent.status_code, sent.data) == (204, b"")
    shown = program.get("/school/logo")
    assert (shown.data, shown.content_type) == (PNG, "image/png")
    tag = shown.headers["ETag"]
    assert program.get("/school/logo", If_None_Match=tag).status_code == 304
    # By its bytes, whatever the program calls it.
    for seen, status in ((tag, 204), (tag, 412)):
        headers = {"If-Match": seen}
        answer = program.ask(
            "PUT", "/school/logo", data=JPEG, content_type="image/png", headers=headers
        )
        assert answer.status_code == status
    assert program.get("/school/logo").content_type == "image/jpeg"
    assert program.ask("DELETE", "/school/logo", headers={"If-Match": tag}).status_code == 412
    assert program.ask("DELETE", "/school/logo").status_code == 204
    assert program.ask("DELETE", "/school/logo", headers={"If-Match": "*"}).status_code == 412
    assert program.ask("DELETE", "/school/logo").status_code == 204
    with sessions() as session:
        assert session.get(SchoolLogo, school.id) is None
    actions = [
        one["action"] for one in program.get(f"/history?subject=school:{school.id}").json["items"]
    ]
    assert actions == ["school.logo_removed", "school.logo_changed", "school.logo_changed"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"<svg/>", 422, "no PNG"),
        (b"", 422, "Choose a file"),
        (PNG + bytes(MAX_BYTES), 422, "200 KB"),
        (PNG + bytes(1024 * 1024), 413, ""),
    ],
    ids=["svg", "nothing", "large", "huge"],
)
def test_what_is_no_logo_is_refused(program: Program, body: bytes, status: int, said: str) -> None:
    answer = program.ask("PUT", "/school/logo", data=body, content_type="image/png")
    assert answer.status_code == status
    assert said in answer.json["detail"]
    assert program.get("/school/logo").status_code == 404


def test_a_locked_account_is_unlocked(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session], app: Flask
) -> None:
    browser = app.test_client()
    app.config["WTF_CSRF_ENABLED"] = False
    for _ in range(5):
        browser.post("/log-in", data={"login": school.login, "password": "wrong password"})
    with sessions() as session:
        assert lockout.is_locked(session, 1, datetime.now(UTC))
    answer = program.ask("POST", "/staff/1/unlock")
    assert answer.json["login"] == school.login
    with sessions() as session:
        assert not lockout.is_locked(session, 1, datetime.now(UTC))
    assert program.ask("POST", "/staff/1/code-off").status_code == 200
    history = program.get("/history?subject=staff:1").json["items"]
    assert [one["action"] for one in history] == ["staff.code_switched_off", "staff.unlocked"]


def test_history_says_who_from_what_to_what(program: Program, school: SmallSchool) -> None:
    path = f"/readers/{school.readers[0]}"
    program.ask("PATCH", path, json={"place": "北门", "byte_order": "reversed"})
    [change] = program.get(f"/history?subject=reader:{school.readers[0]}").json["items"]
    assert change["actor"] == {"kind": "token", "id": program.id, "name": "看板"}
    assert sorted(change["values"], key=lambda one: str(one["field"])) == [
        {"field": "byte_order", "before": "as-sent", "after": "reversed"},
        {"field": "place", "before": "校门", "after": "北门"},
    ]


def test_another_schools_history_is_not_there(
    program: Program, app: Flask, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
    theirs = make_program(app, sessions, other, DISTRICT)
    theirs.ask("PATCH", "/school", json={"late_after": "07:10"})
    assert theirs.get(f"/history?subject=school:{other.id}").json["items"]
    assert program.get(f"/history?subject=school:{other.id}").json["items"] == []


def test_the_district_sees_each_schools_day_and_opens_another_school(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        make_school(session, "no2", students=3)
        add_tap(session, school, 0, late_minutes=4)
    district = make_program(app, sessions, school, DISTRICT)
    first, second = district.get("/district").json["items"]
    assert (first["code"], first["students"], first["arrived"], first["late"]) == ("no1", 8, 1, 1)
    assert (second["code"], second["students"], second["readers"]) == ("no2", 3, 2)
    body = {
        "code": "no3",
        "name": "第三中学",
        "signature": "三中",
        "zone": "Asia/Shanghai",
        "login": "third",
        "admin_name": "周老师",
    }
    made = district.ask("POST", "/schools", json=body)
    assert made.status_code == 201
    assert made.json["school"]["code"] == "no3"
    assert made.json["admin"]["login"] == "third"
    assert len(made.json["admin"]["one_time_password"]) > 8
    taken = district.ask("POST", "/schools", json=body | {"login": "fourth"})
    assert (taken.status_code, taken.json["type"]) == (409, PREFIX + "conflict")
    assert [one["code"] for one in district.get("/schools").json["items"]] == ["no1", "no2", "no3"]

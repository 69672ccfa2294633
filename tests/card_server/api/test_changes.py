"""What programs change: by the rules of the pages, all or nothing, noted as the token's doing."""

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.scope import Grant
from schema.tables.audit import AuditEntry
from schema.tables.school import School
from schema.tables.staff import Role, Scope, Staff
from tests.card_server.api.programs import Program, grants_of, make_maker, make_program
from tests.card_server.web.campus_things import add_mark, add_presence
from tests.card_server.web.small_school import SmallSchool, make_school

LIBRARIAN = {"login": "Lib", "name": "李老师", "grants": [{"role": "librarian", "scope": "school"}]}


def test_a_patch_changes_what_it_names_and_nothing_else(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    before = program.get("/school").json
    changed = program.ask("PATCH", "/school", json={"late_after": "07:45", "double_tap_s": 0}).json
    assert changed == before | {"late_after": "07:45", "double_tap_s": 0}
    with sessions() as session:
        assert session.get_one(School, school.id).late_after == "07:45"
        noted = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "school.changed")
        ).one()
    assert (noted.actor_kind, noted.actor_id) == ("token", program.id)


def test_homerooms_are_made_and_renamed(program: Program) -> None:
    made = program.ask("POST", "/homerooms", json={"grade": 2, "name": "高二(1)班"})
    assert made.status_code == 201
    path = f"/homerooms/{made.json['id']}"
    changed = program.ask("PATCH", path, json={"name": "高二(2)班"}).json
    assert changed == made.json | {"name": "高二(2)班"}


def test_readers_are_made_and_changed(program: Program, school: SmallSchool) -> None:
    body = {"code": "north", "name": "北门", "place": "北门", "direction": "in"}
    made = program.ask("POST", "/readers", json=body)
    assert made.status_code == 201
    path = f"/readers/{made.json['id']}"
    assert program.ask("PATCH", path, json={"name": "北一门"}).json["direction"] == "in"
    changed = program.ask("PATCH", path, json={"direction": None, "byte_order": "reversed"}).json
    assert changed == program.get(path).json
    assert (changed["name"], changed["direction"], changed["byte_order"]) == (
        "北一门",
        None,
        "reversed",
    )
    [campus] = school.campuses
    of_one = program.ask("PATCH", path, json={"campus_id": campus}).json
    assert of_one == changed | {"campus_id": campus}
    assert program.ask("PATCH", path, json={"name": "北门"}).json["campus_id"] == campus
    assert program.ask("PATCH", path, json={"campus_id": None}).json["campus_id"] is None
    assert program.ask("PATCH", path, json={"campus_id": campus + 99}).status_code == 422


def test_a_reader_is_retired_listed_apart_and_used_again(
    program: Program, school: SmallSchool
) -> None:
    path, reader_id = f"/readers/{school.readers[1]}", school.readers[1]
    retired = program.ask("POST", f"{path}/retire", json={"reason": "北门拆除"}).json
    assert retired["retired_at"] is not None
    assert retired == program.get(path).json
    assert program.ask("POST", f"{path}/retire", json={"reason": "再来"}).status_code == 409
    assert program.ask("POST", f"{path}/bring-back", json={}).status_code == 422
    listed = {
        use: [one["id"] for one in program.get(f"/readers?use={use}").json["items"]]
        for use in ("current", "retired", "all")
    }
    assert listed["all"] == school.readers
    assert listed["retired"] == [reader_id]
    assert listed["current"] == [school.readers[0]]
    assert program.get("/readers").json == program.get("/readers?use=current").json
    back = program.ask("POST", f"{path}/bring-back", json={"reason": "装回"}).json
    assert back["retired_at"] is None


def test_who_is_marked_present_without_a_tap_is_listed_apart(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_presence(session, school, 0)
        add_mark(session, school, 1)
        add_mark(session, school, 2)
    found = program.get("/attendance/campus").json
    assert (found["inside"], found["marked"], len(found["items"])) == (1, 2, 1)
    first = program.get("/attendance/campus?show=marked&limit=1").json
    assert [one["student_id"] for one in first["items"]] == [school.students[1]]
    rest = program.get(first["next"].removeprefix("/api/v1")).json
    assert [one["student_id"] for one in rest["items"]] == [school.students[2]]
    begun = program.ask("POST", "/attendance/evacuations", json={"reason": "消防演练"}).json
    assert [one["student_id"] for one in begun["people"] if one["is_marked"]] == [
        school.students[2],
        school.students[1],
    ]
    path = f"/attendance/evacuations/{begun['id']}"
    tick = {"ticks": [{"student_id": school.students[4], "is_found": True}]}
    ticked = program.ask("POST", f"{path}/ticks", json=tick).json
    assert ticked["students"] == [school.students[4]]
    after = program.get(path).json
    assert [one["student_id"] for one in after["people"] if one["is_added"]] == [school.students[4]]
    assert sum(one["added"] for one in after["rooms"]) == 1


def test_an_account_is_made_changed_disabled_and_enabled(program: Program) -> None:
    made = program.ask("POST", "/staff", json=LIBRARIAN)
    assert made.status_code == 201
    assert made.json["login"] == "lib"
    path = f"/staff/{made.json['id']}"
    again = program.ask("POST", f"{path}/password").json
    assert again["one_time_password"] != made.json["one_time_password"]
    grants = [{"role": "lab_teacher", "scope": "lab", "place": "机房"}]
    changed = program.ask("PATCH", path, json={"grants": grants, "is_disabled": True}).json
    assert [one["role"] for one in changed["grants"]] == ["lab_teacher"]
    assert changed["disabled_at"] is not None
    assert program.ask("PATCH", path, json={"is_disabled": False}).json["disabled_at"] is None


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "name"),
    [
        ("PATCH", "/school", {"zone": "Moon/Tycho"}, 422, "zone"),
        ("PATCH", "/school", {"name": " "}, 422, "name"),
        ("PATCH", "/school", {"code": "no9"}, 422, "code"),
        ("PATCH", "/school", {"double_tap_s": "5"}, 422, "double_tap_s"),
        ("POST", "/homerooms", {"grade": 1, "name": "高一(1)班"}, 409, "name"),
        ("POST", "/readers", {"code": "gate-in", "name": "z", "place": "z"}, 409, "code"),
        ("POST", "/staff", LIBRARIAN | {"login": "admin-no1"}, 409, "login"),
        ("POST", "/staff", LIBRARIAN | {"grants": []}, 422, "grants"),
        (
            "POST",
            "/staff",
            LIBRARIAN | {"grants": [{"role": "librarian", "scope": "gate", "place": "z"}]},
            422,
            "grants",
        ),
        (
            "POST",
            "/staff",
            LIBRARIAN | {"grants": [{"role": "homeroom_teacher", "scope": "homeroom"}]},
            422,
            "grants",
        ),
    ],
    ids=str,
)
def test_a_rule_that_is_broken_is_named_and_nothing_is_changed(
    program: Program,
    sessions: sessionmaker[Session],
    method: str,
    path: str,
    body: dict[str, object],
    status: int,
    name: str,
) -> None:
    answer = program.ask(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert [one["name"] for one in answer.json["errors"]] == [name]
    with sessions() as session:
        actions = session.scalars(select(AuditEntry.action)).all()
    assert {*actions} == {"token.made"}


def test_a_token_gives_nobody_more_than_it_has_itself(program: Program) -> None:
    grants = [{"role": "district_admin", "scope": "district"}]
    answer = program.ask("POST", "/staff", json=LIBRARIAN | {"grants": grants})
    assert answer.status_code == 403


def test_a_change_that_is_half_refused_is_refused_whole(
    program: Program, sessions: sessionmaker[Session]
) -> None:
    """The school's only administrator can be renamed, but not disabled."""
    body = {"name": "别人", "is_disabled": True}
    assert program.ask("PATCH", "/staff/1", json=body).status_code == 409
    with sessions() as session:
        assert session.get_one(Staff, 1).name == "王老师"


def test_another_schools_things_are_not_there(
    program: Program, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
        grant = Grant(Role.LIBRARIAN, Scope.SCHOOL)
        theirs = make_maker(session, other, grant, "theirs").staff_id
    for path, body in (
        (f"/homerooms/{other.homerooms[0]}", {"name": "z"}),
        (f"/readers/{other.readers[0]}", {"name": "z"}),
        (f"/staff/{theirs}", {"name": "z"}),
    ):
        assert program.ask("PATCH", path, json=body).status_code == 404, path


def test_the_log_is_read_in_parts_and_a_look_at_a_detail_is_noted(
    app: Flask, program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    for minute in range(3):
        program.ask("PATCH", "/school", json={"late_after": f"07:4{minute}"})
    auditor = make_program(app, sessions, school, grants_of(school)[Role.AUDITOR])
    first = auditor.get("/audit?limit=2&action=school.changed").json
    rest = auditor.get(first["next"].removeprefix("/api/v1")).json
    entries = first["items"] + rest["items"]
    assert len({one["seq"] for one in entries}) == 3
    assert entries[0]["actor"] == {"kind": "token", "id": program.id, "name": "看板"}
    looked = auditor.ask("POST", f"/audit/{entries[0]['seq']}").json
    assert looked["details"] == {"late_after": ["07:41", "07:42"]}
    newest = auditor.get("/audit?limit=1").json["items"][0]
    assert (newest["action"], newest["subject"]) == (
        "audit.detail_seen",
        f"audit:{entries[0]['seq']}",
    )
    assert newest["actor"]["id"] == auditor.id
    assert auditor.ask("POST", "/audit/999999").status_code == 404

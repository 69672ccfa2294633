"""Students and guardians through the API: added, changed, moved, sent away, and shown masked."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.audit import AuditEntry
from tests.card_server.api.programs import Program
from tests.card_server.web.small_school import SmallSchool, make_school

_PAPER = "11010519491231002X"
_NEW = {"number": "20269999", "name": "单小雨", "homeroom_id": 1, "on": "2026-09-01"}
_FATHER = {"name": "张伟", "relation": "父亲", "phone": "139 0013 9000"}


def _add(program: Program, **more: object) -> Any:
    answer = program.ask("POST", "/students", json=_NEW | more)
    assert answer.status_code == 201, answer.text
    return answer.json


def test_a_student_is_added_found_and_changed(program: Program) -> None:
    made = _add(program, identity=_PAPER)
    assert (made["sex"], made["born_on"], made["identity_tail"]) == ("female", "1949-12-31", "002X")
    assert [one["homeroom"] for one in made["stays"]] == ["高一(1)班"]
    found = program.ask("POST", "/students/search", json={"words": "shan xiao"}).json["items"]
    assert [one["id"] for one in found] == [made["id"]]
    path = f"/students/{made['id']}/record"
    seen = program.get(path).headers["ETag"]
    changed = program.ask("PATCH", path, json={"name": "单小雪"}, headers={"If-Match": seen})
    assert changed.json == made | {"name": "单小雪"}
    stale = program.ask("PATCH", path, json={"name": "x"}, headers={"If-Match": seen})
    assert stale.status_code == 412


def test_a_student_moves_boards_and_leaves(program: Program) -> None:
    path, on = f"/students/{_add(program)['id']}", "2026-11-20"
    moved = program.ask("POST", f"{path}/moves", json={"homeroom_id": 2, "on": on}).json
    assert [one["homeroom"] for one in moved["stays"]] == ["高一(2)班", "高一(1)班"]
    boards = program.ask("POST", f"{path}/boarding", json={"is_boarding": True, "on": on}).json
    assert boards["boards_since"] == on
    left = program.ask("POST", f"{path}/status", json={"status": "transferred", "on": on}).json
    assert (left["status"], left["boards_since"]) == ("transferred", None)
    again = program.ask("POST", f"{path}/moves", json={"homeroom_id": 1, "on": on})
    assert again.status_code == 409


def test_a_program_says_on_which_coming_day_a_student_boards(program: Program) -> None:
    path = f"/students/{_add(program)['id']}"
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    begin, end = ((today + timedelta(days=n)).isoformat() for n in (40, 300))
    for is_boarding, on in ((True, begin), (False, end)):
        sent = {"is_boarding": is_boarding, "on": on}
        told = program.ask("POST", f"{path}/boarding", json=sent).json
    names = ("boards_since", "boards_until", "boards_from")
    assert [told[name] for name in names] == [None, None, begin]
    assert told["boardings"] == [{"from_on": begin, "until_on": end}]
    for is_boarding, on in ((True, today.isoformat()), (False, end)):
        sent = {"is_boarding": is_boarding, "on": on}
        told = program.ask("POST", f"{path}/boarding", json=sent).json
    assert [told[name] for name in names] == [today.isoformat(), end, None]
    assert program.get(f"{path}/record").json == told
    far = {"is_boarding": True, "on": (today + timedelta(days=400)).isoformat()}
    assert program.ask("POST", f"{path}/boarding", json=far).status_code == 422


def test_hidden_numbers_are_told_with_a_reason_which_is_noted(
    program: Program, sessions: sessionmaker[Session]
) -> None:
    path = f"/students/{_add(program, identity=_PAPER)['id']}/numbers"
    assert program.ask("POST", path, json={}).status_code == 422
    shown = program.ask("POST", path, json={"reason": "学籍核对"}).json
    assert shown == {"identity": _PAPER, "registry": None}
    with sessions() as session:
        assert "student.numbers_seen" in session.scalars(select(AuditEntry.action)).all()
    assert program.ask("DELETE", path).status_code == 204
    assert program.ask("POST", path, json={"reason": "核对"}).json["identity"] is None


def test_a_guardian_is_masked_changed_and_parted(program: Program) -> None:
    path = f"/students/{_add(program)['id']}/guardians"
    made = program.ask("POST", path, json=_FATHER)
    assert made.status_code == 201
    assert made.json["phone_tail"] == "9000"
    assert "13900139000" not in program.get(path).text
    one = f"{path}/{made.json['id']}"
    changed = program.ask("PATCH", one, json={"further": ["010-62345678"], "priority": 2}).json
    assert (changed["name"], changed["priority"]) == ("张伟", 2)
    phones = program.ask("POST", f"{one}/numbers", json={"reason": "家访"}).json["items"]
    assert phones == ["+8613900139000", "+861062345678"]
    assert program.ask("DELETE", one).status_code == 204
    assert program.get(path).json == {"items": []}


@pytest.mark.parametrize(
    ("path", "body", "status", "name"),
    [
        ("/students", _NEW | {"number": "20260000"}, 409, "number"),
        ("/students", _NEW | {"homeroom_id": 999}, 422, "homeroom_id"),
        ("/students", _NEW | {"on": "2099-01-01"}, 422, "on"),
        ("/students", _NEW | {"number": "学号"}, 422, "number"),
        ("/students/1/guardians", _FATHER | {"phone": "12345"}, 422, "phone"),
        ("/students/1/guardians", {"name": "x", "relation": "父亲"}, 422, "phone"),
        ("/campuses", {"name": "本部"}, 409, "name"),
    ],
    ids=str,
)
def test_a_rule_that_is_broken_is_named(
    program: Program, path: str, body: dict[str, object], status: int, name: str
) -> None:
    answer = program.ask("POST", path, json=body)
    assert answer.status_code == status, answer.text
    assert [one["name"] for one in answer.json["errors"]] == [name]


def test_terms_are_made_and_changed(program: Program, school: SmallSchool) -> None:
    path = f"/terms/{school.terms[0]}"
    assert program.ask("PATCH", path, json={"name": "秋季学期"}).json["name"] == "秋季学期"
    into = {"school_year": 2026, "name": "x", "starts_on": "2027-01-22", "ends_on": "2027-02-01"}
    assert program.ask("POST", "/terms", json=into).status_code == 409


def test_another_schools_people_are_not_there(
    program: Program, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
    student, guardian = other.students[0], other.guardians[0]
    for method, path, body in (
        ("GET", f"/students/{student}/record", None),
        ("PATCH", f"/students/{student}/record", {"name": "z"}),
        ("POST", f"/students/{student}/notes", {"body": "z"}),
        ("POST", f"/students/{student}/moves", {"homeroom_id": 1, "on": "2026-11-01"}),
        ("GET", f"/students/{student}/guardians", None),
        ("POST", f"/students/{student}/guardians", _FATHER),
        ("POST", f"/students/1/guardians/{guardian}/numbers", {"reason": "家访"}),
        ("PATCH", f"/terms/{other.terms[0]}", {"name": "z"}),
        ("DELETE", f"/campuses/{other.campuses[0]}", None),
    ):
        more = {"json": body} if body else {}
        assert program.ask(method, path, **more).status_code == 404, path

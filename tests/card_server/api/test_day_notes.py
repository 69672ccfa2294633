"""What teachers say of days by program: notes, minutes, and a whole homeroom taken back."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.school import Term
from schema.tables.staff import Role
from tests.card_server.api.programs import Program, grants_of, make_program
from tests.card_server.leave.leave_school import add_hours
from tests.card_server.people.people_school import ZONE
from tests.card_server.web.sheet_month import TUESDAY, add_month
from tests.card_server.web.small_school import SmallSchool

CALLED = "已联系家长，十点到校"


@pytest.fixture
def head(app: Flask, sessions: sessionmaker[Session], school: SmallSchool) -> Program:
    return make_program(app, sessions, school, grants_of(school)[Role.SCHOOL_ADMIN])


@pytest.fixture
def term(school: SmallSchool, sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        return add_month(session, school)


@pytest.fixture
def school_day(school: SmallSchool, sessions: sessionmaker[Session]) -> str:
    """The newest day of lessons before today, in a term that goes on."""
    today = datetime.now(ZONE).date()
    with sessions.begin() as session:
        days = {"starts_on": today - timedelta(days=40), "ends_on": today + timedelta(days=40)}
        session.execute(update(Term).values(**days))
        add_hours(session, school.id, days["starts_on"])
    day = today - timedelta(days=1)
    while day.isoweekday() > 5:
        day -= timedelta(days=1)
    return day.isoformat()


def test_a_note_is_written_listed_and_taken_back(
    teacher: Program, school: SmallSchool, school_day: str
) -> None:
    notes = f"/students/{school.students[0]}/days/{school_day}/notes"
    made = teacher.ask("POST", notes, json={"body": CALLED})
    assert made.status_code == 201
    assert made.json["body"] == CALLED
    assert made.json["ended_at"] is None
    assert teacher.get(notes).json["items"] == [made.json]
    corrections = notes.replace("/notes", "/corrections")
    assert teacher.get(corrections).json["items"] == []
    ended = teacher.ask("POST", f"/day-notes/{made.json['id']}/end")
    assert ended.json["ended_by"] == ended.json["made_by"]
    assert teacher.ask("POST", f"/day-notes/{made.json['id']}/end").status_code == 409
    assert teacher.get(notes).json["items"] == [ended.json]


def test_notes_of_others_are_not_there_or_not_one_s_own(
    teacher: Program, head: Program, school: SmallSchool, school_day: str
) -> None:
    others = f"/students/{school.students[1]}/days/{school_day}/notes"
    assert teacher.ask("POST", others, json={"body": CALLED}).status_code == 404
    assert teacher.get(others).status_code == 404
    made = head.ask("POST", others, json={"body": CALLED}).json
    assert teacher.ask("POST", f"/day-notes/{made['id']}/end").status_code == 404


@pytest.mark.parametrize("body", ["", "字" * 201, None])
def test_a_note_is_neither_empty_nor_long(
    teacher: Program, school: SmallSchool, school_day: str, body: str | None
) -> None:
    notes = f"/students/{school.students[0]}/days/{school_day}/notes"
    assert teacher.ask("POST", notes, json={"body": body}).status_code == 422


def test_sheet_and_term_have_the_notes(head: Program, school: SmallSchool, term: int) -> None:
    student = school.students[0]
    notes = f"/students/{student}/days/{TUESDAY}/notes"
    made = [head.ask("POST", notes, json={"body": text}).json for text in (CALLED, "写错了")]
    head.ask("POST", f"/day-notes/{made[1]['id']}/end")
    room = school.homerooms[0]
    sheet = head.get(f"/attendance/homerooms/{room}/day?day={TUESDAY}").json
    assert [[one["body"] for one in line["notes"]] for line in sheet["students"]] == [
        [CALLED],
        [],
        [],
        [],
    ]
    found = head.get(f"/attendance/students/{student}/term?term={term}").json
    noted = {one["day"]: one["notes"] for one in found["days"]}[f"{TUESDAY}"]
    assert [(one["body"], one["ended_at"] is None) for one in noted] == [
        ("写错了", False),
        (CALLED, True),
    ]


def test_minutes_are_said_and_given_back(head: Program, school: SmallSchool, term: int) -> None:
    address = f"/students/{school.students[4]}/corrections"
    said = {"day": f"{TUESDAY}", "position": 1, "status": "late", "minutes": 12, "reason": "看见了"}
    assert head.ask("POST", address, json=said | {"position": 0}).status_code == 422
    assert head.ask("POST", address, json=said | {"minutes": 0}).status_code == 422
    assert head.ask("POST", address, json=said | {"minutes": 601}).status_code == 422
    made = head.ask("POST", address, json=said)
    assert (made.status_code, made.json["minutes"]) == (201, 12)
    room = school.homerooms[0]
    line = head.get(f"/attendance/homerooms/{room}/day?day={TUESDAY}").json["students"][2]
    assert line["late_minutes"] == 12
    assert [one["minutes"] for one in line["corrections"]] == [None, 12]
    plain = head.ask("POST", address, json=said | {"minutes": None})
    assert plain.json["minutes"] is None


def test_a_whole_homeroom_is_taken_back(
    teacher: Program, school: SmallSchool, school_day: str
) -> None:
    address = f"/homerooms/{school.homerooms[0]}/corrections"
    marked = teacher.ask(
        "POST", address, json={"day": school_day, "position": 0, "reason": "停电"}
    ).json
    assert marked["students"] == 4
    again = teacher.ask(
        "POST", address, json={"day": school_day, "position": 0, "reason": "停电"}
    ).json
    assert again == {"students": 0, "marking_id": None}
    wanted = {"day": school_day, "marking_id": marked["marking_id"]}
    assert teacher.ask("POST", f"{address}/end", json=wanted).json == {"students": 4}
    assert teacher.ask("POST", f"{address}/end", json=wanted).status_code == 409
    assert teacher.ask("POST", f"{address}/end", json={"day": school_day}).status_code == 409
    teacher.ask("POST", address, json={"day": school_day, "position": 1, "reason": "停电"})
    assert teacher.ask("POST", f"{address}/end", json={"day": school_day}).json == {"students": 4}
    other = f"/homerooms/{school.homerooms[1]}/corrections/end"
    assert teacher.ask("POST", other, json={"day": school_day}).status_code == 404

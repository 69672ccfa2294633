"""Students by attendance and findings by program: of a grade or homeroom, in an order, by words."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.findings import PairKind
from schema.tables.school import Homeroom
from tests.card_server.api.programs import Program
from tests.card_server.web.odd_things import add_day, add_pair
from tests.card_server.web.small_school import SmallSchool
from tests.harness.clock import NOW, TODAY, stop_clock

RANGE = {"first": f"{TODAY - timedelta(days=6)}", "last": f"{TODAY}"}


@pytest.fixture(autouse=True)
def days(app: Flask, school: SmallSchool, sessions: sessionmaker[Session]) -> None:
    """张三 of grade 1 was late twice, 李四 of grade 2 once and long; both have a finding."""
    stop_clock(app)
    with sessions.begin() as session:
        session.get_one(Homeroom, school.homerooms[1]).grade = 2
        add_day(session, school, 0, TODAY, late=2, late_minutes=9, findings="missed_exit")
        add_day(session, school, 1, TODAY, late=1, late_minutes=40, findings="missed_exit")
        add_pair(session, school, 1, NOW - timedelta(seconds=5), PairKind.TRAVEL)


def _names(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [one["name"] for one in answer["items"]]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("", ["张三", "李四"]),
        ("&sort=-late_minutes", ["李四", "张三"]),
        ("&grade=2", ["李四"]),
        ("&grade=3", []),
    ],
)
def test_students_are_of_a_grade(program: Program, asked: str, names: list[str]) -> None:
    path = f"/attendance/students?first={RANGE['first']}&last={RANGE['last']}{asked}"
    assert _names(program.get(path).json) == names


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, ["张三", "李四"]),
        ({"sort": "-late_minutes"}, ["李四", "张三"]),
        ({"grade": 2}, ["李四"]),
        ({"room": 0}, ["张三"]),
        ({"room": 0, "grade": 2}, []),
    ],
)
def test_the_search_takes_homeroom_grade_and_order(
    program: Program, school: SmallSchool, asked: dict[str, object], names: list[str]
) -> None:
    sent = {**RANGE, "words": "2026", **asked}
    if "room" in sent:
        sent["homeroom"] = school.homerooms[int(str(sent.pop("room")))]
    answer = program.ask("POST", "/attendance/students/search", json=sent)
    assert _names(answer.json) == names


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ({"words": "zs"}, [("张三", "missed_exit")]),
        ({"words": "李四"}, [("李四", "missed_exit"), ("李四", "travel")]),
        ({"words": "李四", "kind": "travel"}, [("李四", "travel")]),
        ({"words": "2026", "grade": 1}, [("张三", "missed_exit")]),
        ({"words": "2026", "looked_at": "yes"}, []),
        ({"words": "nobody"}, []),
    ],
)
def test_findings_are_found_by_words_in_a_body(
    program: Program, sent: dict[str, object], found: list[tuple[str, str]]
) -> None:
    answer = program.ask("POST", "/attendance/findings/search", json=sent).json
    assert [(one["name"], one["kind"]) for one in answer["items"]] == found


def test_findings_are_of_a_grade(program: Program) -> None:
    assert _names(program.get("/attendance/findings?grade=1").json) == ["张三"]
    assert _names(program.get("/attendance/findings?grade=2&kind=missed_exit").json) == ["李四"]
    assert program.get("/attendance/findings?words=zs").status_code == 422


def test_a_homeroom_teacher_finds_the_own_students_alone(teacher: Program) -> None:
    found = teacher.ask("POST", "/attendance/findings/search", json={"words": "2026"}).json
    assert _names(found) == ["张三"]
    assert _names(teacher.get("/attendance/findings?grade=2").json) == []

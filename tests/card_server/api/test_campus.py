"""Who is on campus, and who was held at the gates, by program: as the pages have it."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session, sessionmaker

from schema.messages import Refusal
from schema.tables.leave import LeaveState
from schema.tables.people import Boarding
from schema.tables.staff import Role
from tests.card_server.api.programs import Program, grants_of, make_program
from tests.card_server.web.campus_things import add_presence
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.small_school import SmallSchool, add_tap

PATH = "/attendance/campus"


@pytest.fixture
def inside(school: SmallSchool, sessions: sessionmaker[Session]) -> SmallSchool:
    """张三 boards, 李四 has leave, 王小明 came by hand; nobody saw 赵雪 and 欧阳娜 leave."""
    now = datetime.now(UTC)
    with sessions.begin() as session:
        for student in range(3):
            reader = 0 if student == 2 else None
            add_presence(session, school, student, now - timedelta(minutes=20), reader_id=reader)
        for student in (3, 4):
            add_presence(session, school, student, now, is_inside=False, is_closed=True)
        first = school.students[0]
        on = (now - timedelta(days=3)).date()
        session.add(Boarding(school_id=school.id, student_id=first, from_on=on))
        slip = make_slip(school, 1, now - timedelta(hours=1))
        slip.state = LeaveState.APPROVED
        session.add(slip)
    return school


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("", ["张三", "李四", "王小明"]),
        ("?boarding=yes", ["张三"]),
        ("?boarding=no", ["李四", "王小明"]),
        ("?leave=yes", ["李四"]),
        ("?leave=no&boarding=no", ["王小明"]),
        ("?gate=0", ["王小明"]),
        ("?show=unsure", ["赵雪", "欧阳娜"]),
        ("?show=unsure&leave=yes", []),
    ],
)
def test_those_on_campus_are_filtered_as_on_the_page(
    program: Program, inside: SmallSchool, asked: str, names: list[str]
) -> None:
    found = program.get(PATH + asked).json
    assert [one["name"] for one in found["items"]] == names
    assert {one["is_unsure"] for one in found["items"]} <= {"unsure" in asked}
    assert (found["inside"], found["unsure"]) == (3, 2)


def test_whom_nobody_saw_leave_come_in_parts(program: Program, inside: SmallSchool) -> None:
    first = program.get(f"{PATH}?show=unsure&limit=1").json
    rest = program.get(first["next"].removeprefix("/api/v1")).json
    assert [one["name"] for one in first["items"] + rest["items"]] == ["赵雪", "欧阳娜"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("sent", "names"),
    [
        ({"words": "zs"}, ["张三"]),
        ({"words": "20260001", "leave": "yes"}, ["李四"]),
        ({"words": "zs", "boarding": "no"}, []),
        ({"words": "赵"}, []),
        ({"words": "赵", "show": "unsure"}, ["赵雪"]),
    ],
)
def test_they_are_found_by_words_in_a_body(
    program: Program, inside: SmallSchool, sent: dict[str, str], names: list[str]
) -> None:
    found = program.ask("POST", f"{PATH}/search", json=sent).json["items"]
    assert [one["name"] for one in found] == names


def test_a_homeroom_teacher_finds_the_own_students_alone(
    app: Flask, inside: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    teacher = make_program(app, sessions, inside, grants_of(inside)[Role.HOMEROOM_TEACHER])
    found = teacher.ask("POST", f"{PATH}/search", json={"words": "2026"}).json["items"]
    assert [one["name"] for one in found] == ["张三", "王小明"]
    unsure = teacher.get(f"{PATH}?show=unsure").json["items"]
    assert [one["name"] for one in unsure] == ["欧阳娜"]


def test_a_held_exit_says_who_where_and_how_it_ended(
    app: Flask, program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert program.get("/gate/held").json == {"items": []}
    with sessions.begin() as session:
        add_tap(session, school, 0, reason=Refusal.HELD)
        add_tap(session, school, 1, reason=Refusal.LOST)
    program.ask(
        "POST",
        f"/students/{school.students[0]}/passages",
        json={"direction": "out", "reason": "家长来接"},
    )
    [one] = program.get("/gate/held").json["items"]
    assert (one["student_id"], one["name"]) == (school.students[0], "张三")
    assert (one["reader_id"], one["gate"]) == (school.readers[0], "东门进")
    assert one["state"] == "let_out"
    guard = make_program(app, sessions, school, grants_of(school)[Role.GATE_GUARD])
    assert guard.get("/gate/held").json["items"] == [one]

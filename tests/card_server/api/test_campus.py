"""Who is on campus, and who was held at the gates, by program: as the pages have it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session, sessionmaker

from schema.messages import Refusal
from schema.tables.leave import LeaveState
from schema.tables.people import Boarding
from schema.tables.staff import Role
from tests.card_server.api.programs import Program, grants_of, make_program
from tests.card_server.web.campus_things import add_presence, add_timetable
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.small_school import SmallSchool, add_tap
from tests.harness.clock import NOW, stop_clock

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


def test_boarders_whom_nobody_saw_since_lessons_are_found_and_counted(
    app: Flask, program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    """张三 and 李四 board, and 王小明 does not; of 张三 and 王小明 nothing was seen for long."""
    stop_clock(app)
    with sessions.begin() as session:
        add_timetable(session, school, date(2026, 9, 1))
        for number, days_ago in enumerate((20, 0, 20)):
            add_presence(session, school, number, NOW - timedelta(days=days_ago, minutes=1))
        for student in school.students[:2]:
            board = {"student_id": student, "from_on": date(2026, 9, 1)}
            session.add(Boarding(school_id=school.id, **board))

    def names(answer: dict[str, list[dict[str, str]]]) -> list[str]:
        return [one["name"] for one in answer["items"]]

    found = program.get(f"{PATH}?boarding=unseen").json
    assert names(found) == ["张三"]
    assert (found["unseen"], found["inside"]) == (1, 3)
    assert program.get(PATH).json["unseen"] == 1
    assert names(program.get(f"{PATH}?boarding=yes").json) == ["张三", "李四"]
    for words, there in (("2026", ["张三"]), ("ls", [])):
        sent = {"words": words, "boarding": "unseen"}
        assert names(program.ask("POST", f"{PATH}/search", json=sent).json) == there
    assert program.get(f"{PATH}?boarding=maybe").status_code == 422


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
    teacher: Program, inside: SmallSchool
) -> None:
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

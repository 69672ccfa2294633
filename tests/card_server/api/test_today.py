"""Today by program: who is absent, not judged, late, on leave or gone early, and the arrivals."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session, sessionmaker

from tests.card_server.api.programs import Program
from tests.card_server.web.odd_things import add_plan
from tests.card_server.web.small_school import SmallSchool, add_tap
from tests.card_server.web.today_things import add_today

PATH = "/board/students"


@pytest.fixture
def today(school: SmallSchool, sessions: sessionmaker[Session]) -> SmallSchool:
    """张三 is absent, 李四 late, 王小明 on leave until tonight, 赵雪 went early; four wait."""
    with sessions.begin() as session:
        add_today(session, school)
    return school


def test_each_student_comes_with_what_the_page_says(program: Program, today: SmallSchool) -> None:
    found = program.get(PATH).json
    assert found["counts"] == {
        "students": 8, "absent": 1, "not_judged": 4, "late": 1, "left_early": 1, "on_leave": 1,
    }  # fmt: skip
    lines = {one["name"]: one for one in found["items"]}
    assert (lines["张三"]["statuses"], lines["张三"]["absent_from"]) == (["absent"], ["上午"])
    assert (lines["李四"]["statuses"], lines["李四"]["late_minutes"]) == (["late"], 4)
    leave = lines["王小明"]
    assert (leave["statuses"], leave["leave"]) == (["on_leave"], "sick")
    assert leave["leave_until"].endswith("T16:00:00Z")
    assert lines["赵雪"]["early_minutes"] == 25
    assert [one["waiting"] for one in found["items"]].count("not_due") == 4


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("status=absent", ["张三"]),
        ("status=late&grade=1", ["李四"]),
        ("status=late&grade=2", []),
        ("status=on_leave", ["王小明"]),
        ("status=left_early", ["赵雪"]),
    ],
)
def test_they_are_filtered(
    program: Program, today: SmallSchool, asked: str, names: list[str]
) -> None:
    assert [one["name"] for one in program.get(f"{PATH}?{asked}").json["items"]] == names


def test_they_come_in_parts(program: Program, today: SmallSchool) -> None:
    seen, address = [], f"{PATH}?homeroom={today.homerooms[0]}&limit=3"
    while address:
        part = program.get(address).json
        seen += [one["id"] for one in part["items"]]
        assert part["counts"]["students"] == 4
        address = (part["next"] or "").removeprefix("/api/v1")
    assert seen == today.students[0::2]


@pytest.mark.parametrize("asked", ["status=present", "grade=13", "homeroom=0", "words=zs"])
def test_what_cannot_be_asked_is_refused(program: Program, today: SmallSchool, asked: str) -> None:
    assert program.get(f"{PATH}?{asked}").status_code == 422


def test_they_are_found_by_words_in_a_body(program: Program, today: SmallSchool) -> None:
    def ask(**sent: object) -> list[str]:
        answer = program.ask("POST", f"{PATH}/search", json=sent)
        return [one["name"] for one in answer.json["items"]]

    assert ask(words="zs") == ["张三"]
    assert ask(words="zs", status="late") == []
    assert ask(words="李四", status="late", homeroom=today.homerooms[1]) == ["李四"]
    assert ask(words="李四", homeroom=today.homerooms[0]) == []


def test_a_homeroom_teachers_token_names_the_own_students_alone(
    teacher: Program, today: SmallSchool
) -> None:
    assert [one["id"] for one in teacher.get(PATH).json["items"]] == today.students[0::2]
    found = teacher.ask("POST", f"{PATH}/search", json={"words": "李四"}).json["items"]
    assert found == []


def test_the_board_has_the_arrivals_of_each_minute(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        for student, minute in ((0, 1), (1, 1), (2, 3)):
            add_tap(session, school, student, at=datetime(2026, 9, 1, 0, minute, 20, tzinfo=UTC))
        add_plan(session, school, datetime(2026, 9, 1, tzinfo=UTC).date())
    arrivals = program.get("/board?day=2026-09-01").json["arrivals"]
    assert [(one["at"], one["arrived"]) for one in arrivals] == [
        ("2026-09-01T00:01:00Z", 2),
        ("2026-09-01T00:02:00Z", 0),
        ("2026-09-01T00:03:00Z", 1),
    ]
    of_room = program.get(f"/board?day=2026-09-01&homeroom={school.homerooms[0]}").json["arrivals"]
    assert [one["arrived"] for one in of_room] == [1, 0, 1]
    assert program.get("/board?day=2026-09-02").json["arrivals"] == []

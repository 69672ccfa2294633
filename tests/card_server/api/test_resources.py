"""What the API answers: the school's things, in parts that neither repeat nor skip."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from schema.messages import Refusal
from schema.tables.messages import MessageState
from schema.tables.people import Student, StudentStatus
from schema.tables.taps import Tap
from tests.card_server.api.programs import Program
from tests.card_server.web.odd_things import add_plan
from tests.card_server.web.small_school import SmallSchool, add_health, add_message, add_tap


def test_a_token_says_what_it_is(program: Program, school: SmallSchool) -> None:
    found = program.get("/me").json
    assert found["name"] == "看板"
    assert found["school_id"] == school.id
    assert found["grant"]["role"] == "school_admin"
    assert found["expires_at"].endswith("Z")


def test_the_school_and_its_homerooms(program: Program, school: SmallSchool) -> None:
    assert program.get("/school").json["code"] == "no1"
    rooms = program.get("/homerooms").json["items"]
    assert [one["id"] for one in rooms] == school.homerooms


def test_students_come_in_parts_that_hold_each_once(program: Program, school: SmallSchool) -> None:
    seen, address = [], "/students?limit=3"
    for _ in range(3):
        part = program.get(address).json
        seen.append([one["id"] for one in part["items"]])
        address = (part["next"] or "").removeprefix("/api/v1")
    assert seen == [school.students[:3], school.students[3:6], school.students[6:]]
    assert address == ""


def test_students_of_one_homeroom_in_parts(program: Program, school: SmallSchool) -> None:
    part = program.get(f"/students?homeroom={school.homerooms[1]}&limit=3").json
    rest = program.get(part["next"].removeprefix("/api/v1")).json
    assert [one["id"] for one in part["items"] + rest["items"]] == school.students[1::2]
    assert rest["next"] is None


def test_students_are_those_who_are_enrolled_unless_another_status_is_asked(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    away = {1: StudentStatus.SUSPENDED, 3: StudentStatus.TRANSFERRED, 5: StudentStatus.GRADUATED}
    with sessions.begin() as session:
        for number, status in away.items():
            session.get_one(Student, school.students[number]).status = status

    def ask(query: str) -> list[tuple[int, str]]:
        items = program.get(f"/students{query}").json["items"]
        return [(school.students.index(one["id"]), one["status"]) for one in items]

    enrolled = [(number, "enrolled") for number in range(8) if number not in away]
    assert ask("") == ask("?status=enrolled") == enrolled
    for number, status in away.items():
        assert ask(f"?status={status}") == [(number, status)]
    assert len(ask("?status=all")) == 8
    assert len(ask(f"?status=all&homeroom={school.homerooms[1]}")) == 4
    parts = program.get("/students?status=all&limit=5").json
    assert "status=all" in parts["next"]
    assert program.get("/students?status=gone").status_code == 422


@pytest.mark.parametrize(("words", "name"), [("zs", "张三"), ("赵", "赵雪"), ("20260001", "李四")])
def test_students_are_found_by_words_in_a_body(program: Program, words: str, name: str) -> None:
    answer = program.ask("POST", "/students/search", json={"words": words})
    assert [one["name"] for one in answer.json["items"]] == [name]


def test_who_is_found_is_of_a_homeroom_and_in_an_order(
    program: Program, school: SmallSchool
) -> None:
    def ask(**sent: object) -> list[int]:
        answer = program.ask("POST", "/students/search", json={"words": "2026000", **sent})
        return [one["id"] for one in answer.json["items"]]

    first, second = school.students[0::2], school.students[1::2]
    assert ask() == ask(sort="homeroom") == first + second
    assert ask(sort="-homeroom") == (first + second)[::-1]
    assert ask(sort="number") == school.students
    assert ask(homeroom=school.homerooms[1]) == second
    assert ask(homeroom=school.homerooms[1], sort="-number") == second[::-1]
    assert ask(homeroom=999_999_999) == ask(words="  ") == []


@pytest.mark.parametrize("asked", [{"sort": "born_on"}, {"homeroom": "1"}, {"homeroom": 0}])
def test_a_search_takes_no_other_order_and_no_homeroom_that_is_none(
    program: Program, asked: dict[str, object]
) -> None:
    answer = program.ask("POST", "/students/search", json={"words": "zs", **asked})
    assert answer.status_code == 422


def test_one_student_and_a_day(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_tap(session, school, 0, at=datetime(2026, 9, 1, 0, 5, tzinfo=UTC), late_minutes=5)
    path = f"/students/{school.students[0]}"
    assert program.get(path).json["name"] == "张三"
    day = program.get(f"{path}/days/2026-09-01").json
    assert day["arrived_at"] == "2026-09-01T00:05:00Z"
    assert day["late_minutes"] == 5
    assert [one["effect"] for one in day["taps"]] == ["arrival"]
    assert program.get(f"{path}/days/2026-09-02").json["arrived_at"] is None


def test_the_board_of_a_day(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_tap(session, school, 0, at=datetime(2026, 9, 1, 0, 5, tzinfo=UTC), late_minutes=5)
        add_plan(session, school, date(2026, 9, 1))
    board = program.get("/board?day=2026-09-01").json
    assert board["total"] == {
        "students": 8,
        "expected": 8,
        "arrived": 1,
        "late": 1,
        "left_early": 0,
        "absent": 0,
        "on_leave": 0,
        "not_yet": 7,
        "inside": 1,
    }
    assert (board["late_after"], [one["kind"] for one in board["days"]]) == (450, ["lessons"])
    assert [one["name"] for one in board["late"]] == ["张三"]
    room = program.get(f"/board?day=2026-09-01&homeroom={school.homerooms[0]}").json
    assert room["total"]["students"] == len(room["not_yet"]) + 1 == 4
    assert program.get("/board").json["total"]["arrived"] == 0


def test_taps_come_newest_first_in_parts_and_since_a_moment(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        made = [str(add_tap(session, school, one)) for one in range(5)]
        made.append(str(add_tap(session, school, None, reason=Refusal.UNKNOWN)))
    first = program.get("/taps?limit=4").json
    rest = program.get(first["next"].removeprefix("/api/v1")).json
    assert [one["id"] for one in first["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None
    assert first["items"][0]["student"] is None
    since = first["items"][2]["received_at"]
    assert len(program.get(f"/taps?since={since}").json["items"]) == 3
    after = (datetime.now(UTC) + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert program.get(f"/taps?since={after}").json == {"items": [], "next": None}


def test_taps_of_the_same_moment_are_neither_repeated_nor_skipped(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    moment = datetime(2026, 9, 1, tzinfo=UTC)
    with sessions.begin() as session:
        made = {str(add_tap(session, school, None)) for _ in range(5)}
        session.query(Tap).update({Tap.received_at: moment})
    seen, address = [], "/taps?limit=2"
    while address:
        part = program.get(address).json
        seen += [one["id"] for one in part["items"]]
        address = (part["next"] or "").removeprefix("/api/v1")
    assert len(seen) == 5
    assert {*seen} == made


def test_messages_by_state_and_in_parts(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        for one in range(3):
            add_message(session, school, one)
        add_message(session, school, 3, MessageState.FAILED)
    failed = program.get("/messages?state=failed").json["items"]
    assert [one["error"] for one in failed] == ["30006: landline or unreachable"]
    first = program.get("/messages?limit=3").json
    rest = program.get(first["next"].removeprefix("/api/v1")).json
    assert len({one["id"] for one in first["items"] + rest["items"]}) == 4
    counts = program.get("/messages/counts").json
    assert (counts["accepted"], counts["failed"], counts["queued"]) == (3, 1, 0)


def test_readers_and_what_was_kept_aside(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_health(session, school, 0, datetime.now(UTC))
    well, unheard = program.get("/readers").json["items"]
    assert well["is_well"]
    assert well["health"]["state"] == "online"
    assert unheard["health"] is None
    assert program.get("/readers/aside").json == {"items": []}


def test_a_timetables_sessions_say_for_whom_they_are(program: Program, school: SmallSchool) -> None:
    session = {"name": "上午", "part": "morning", "arrive_from": "06:30", "late_after": "07:40"}
    session |= {"absent_after": "08:20", "leave_from": "11:40", "ends": "11:40"}
    evening = {"name": "晚自习", "part": "evening", "arrive_from": "18:00", "late_after": "18:30"}
    evening |= {"absent_after": "19:00", "leave_from": "21:00", "ends": "21:10"}
    path = f"/timetables/{school.timetables[0]}"
    sent = {"weekdays": [1], "sessions": [session, evening | {"for_whom": "boarders"}]}
    put = program.ask("PUT", f"{path}/hours", json=sent)
    assert put.status_code == 200
    monday = [one for one in program.get(path).json["sessions"] if one["weekday"] == 1]
    assert [one["for_whom"] for one in monday] == ["everybody", "boarders"]
    sent["sessions"][1] |= {"for_whom": "teachers"}  # type: ignore[index]
    assert program.ask("PUT", f"{path}/hours", json=sent).status_code == 422


def test_a_homerooms_days_say_for_whom_their_sessions_are(
    program: Program, school: SmallSchool
) -> None:
    made = program.ask("POST", "/timetables", json={"name": "秋季", "starts_on": "2026-09-01"}).json
    evening = {"name": "晚自习", "part": "evening", "arrive_from": "18:00", "late_after": "18:30"}
    evening |= {"absent_after": "19:00", "leave_from": "21:00", "ends": "21:10"}
    morning = {"name": "上午", "part": "morning", "arrive_from": "06:30", "late_after": "07:40"}
    morning |= {"absent_after": "08:20", "leave_from": "11:40", "ends": "11:40"}
    sent = {"weekdays": [1, 2], "sessions": [morning, evening | {"for_whom": "day_students"}]}
    assert program.ask("PUT", f"/timetables/{made['id']}/hours", json=sent).status_code == 200
    path = f"/homerooms/{school.homerooms[0]}/days?first=2026-11-22&last=2026-11-23"
    sunday, monday = (day["sessions"] for day in program.get(path).json["items"])
    told = [
        [one[name] for name in ("for_whom", "for_boarders", "is_return")]
        for one in (*sunday, *monday)
    ]
    assert told == [
        ["boarders", True, True],
        ["everybody", False, False],
        ["day_students", False, False],
    ]

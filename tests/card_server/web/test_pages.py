"""What the pages show."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.school_time import DISTRICT_ZONE, day_of
from schema.messages import Refusal
from schema.tables.messages import MessageState
from schema.tables.people import Student, StudentStatus
from schema.tables.readers import Aside
from tests.card_server.web.odd_things import add_plan
from tests.card_server.web.small_school import (
    SmallSchool,
    add_health,
    add_message,
    add_tap,
    make_school,
)

_PAGES = [
    "/board",
    "/board?homeroom={room}",
    "/taps",
    "/readers",
    "/messages",
    "/students/{student}/day",
]


def _number(text: str, name: str) -> int:
    found = re.search(rf'id="count-{name}">(\d+)<', text)
    assert found
    return int(found[1])


def _words(text: str) -> str:
    """A page's text without its tags, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_the_board_counts_and_names(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_tap(session, school, 0)
        add_tap(session, school, 1, late_minutes=7)
        add_plan(session, school, day_of(datetime.now(UTC), DISTRICT_ZONE))
    page = staff.get("/board").text
    counts = {name: _number(page, name) for name in ("students", "arrived", "late", "not-yet")}
    assert counts == {"students": 8, "arrived": 2, "late": 1, "not-yet": 6}
    assert "李四" in page
    room = staff.get(f"/board?homeroom={school.homerooms[0]}").text
    assert _number(room, "students") == 4
    assert _number(room, "not-yet") == 3
    assert "王小明" in room
    assert "张三" not in room


def test_an_empty_school_is_told_what_to_do(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert "Hold a card to a reader" in staff.get("/taps").text
    assert "The first arrival at a gate" in staff.get("/messages").text
    assert "Start its reader daemon" in staff.get("/readers").text
    assert "No tap on this day" in staff.get(f"/students/{school.students[0]}/day").text
    with sessions.begin() as session:
        session.execute(update(Student).values(status=StudentStatus.GRADUATED))
    assert "No students yet" in staff.get("/students").text


def test_lost_and_unknown_cards_stand_out(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_tap(session, school, 0)
        add_tap(session, school, 1, reason=Refusal.LOST)
        add_tap(session, school, None, uid="04C0FFEE000001", reason=Refusal.UNKNOWN)
    page = staff.get("/taps").text
    assert page.count('class="alarm"') == 2
    assert "lost card" in page
    assert "04 C0 FF EE 00 00 01" in page


@pytest.mark.parametrize("words", ["张三", "zhang san", "zhangsan", "ZS", "20260000"])
def test_a_student_is_found_by_name_pinyin_and_number(staff: FlaskClient, words: str) -> None:
    page = staff.post("/students", data={"words": words}, headers={"HX-Request": "true"}).text
    assert "张三" in page
    assert "李四" not in page


@pytest.mark.parametrize("words", ["%", "_", "'; DROP TABLE student; --", "{{7*7}}"])
def test_a_search_is_taken_literally(staff: FlaskClient, words: str) -> None:
    assert "Nobody found" in staff.post("/students", data={"words": words}).text


def test_a_name_is_shown_literally(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_tap(session, school, 0)
        add_message(session, school, 0, body="<script>alert(1)</script>{{7*7}}")
    page = staff.get(f"/students/{school.students[0]}/day").text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in page


def test_a_students_day_shows_taps_and_messages_of_that_day_only(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_tap(session, school, 0, late_minutes=5)
        add_message(session, school, 0)
    path = f"/students/{school.students[0]}/day"
    today = _words(staff.get(path).text)
    assert "Late 5 min" in today
    assert "fixed at the reader" in today
    assert "••••1000" in today
    yesterday = (datetime.now(UTC) - timedelta(days=2)).date()
    assert "No tap on this day" in staff.get(f"{path}?day={yesterday}").text
    assert "Late 5 min" in _words(staff.get(f"{path}?day=nonsense").text)


def test_a_reader_that_says_nothing_is_silent_whatever_it_said_last(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    now = datetime.now(UTC)
    with sessions.begin() as session:
        add_health(session, school, 0, now)
        add_health(session, school, 1, now - timedelta(seconds=50))
    page = staff.get("/readers").text
    alive, silent = page.split('id="reader-gate-in"')[1].split('id="reader-gate-out"')
    assert "online" in alive
    assert "silent" not in _words(alive)
    assert "silent" in silent


def test_what_was_kept_aside_is_shown_with_its_reason(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.add(
            Aside(
                school_id=school.id,
                topic="campus/v1/no1/gate-in/tap",
                reason="malformed",
                body=b"\xff<b>",
                digest=bytes(32),
                times=3,
                received_at=datetime.now(UTC),
            )
        )
    page = staff.get("/readers").text
    assert "malformed" in page
    assert "�&lt;b&gt;" in page


def test_the_outbox_counts_filters_and_masks(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_message(session, school, 0)
        add_message(session, school, 1, MessageState.FAILED)
        add_message(session, school, 2, MessageState.QUEUED)
    page = staff.get("/messages").text
    assert "1 message waits to be sent." in page
    assert "failed 1" in _words(page)
    assert "••••1001" in page
    failed = staff.get("/messages?state=failed").text
    assert "landline" in failed
    assert "••••1000" not in failed


def test_a_fragment_is_a_part_of_its_page(staff: FlaskClient) -> None:
    whole = staff.get("/board")
    part = staff.get("/board", headers={"HX-Request": "true"})
    assert "<html" in whole.text
    assert "<html" not in part.text
    assert part.text.strip() in whole.text
    assert "HX-Request" in part.headers["Vary"]


@pytest.mark.parametrize("path", _PAGES)
def test_a_page_asks_as_often_for_a_large_school_as_for_a_small_one(
    staff: FlaskClient,
    school: SmallSchool,
    sessions: sessionmaker[Session],
    engine: Engine,
    path: str,
) -> None:
    path = path.format(room=school.homerooms[0], student=school.students[0])
    with sessions.begin() as session:
        # As the clock keeps what a day is when it begins.
        add_plan(session, school, day_of(datetime.now(UTC), DISTRICT_ZONE))
    # Some things are asked for now and then only, and known from here on.
    staff.get(path)
    with _counting(engine) as few:
        assert staff.get(path).status_code == 200
    with sessions.begin() as session:
        large = make_school(session, "no9", 60)
        for number in range(60):
            add_tap(session, large, number)
        for number in range(8):
            add_tap(session, school, number, late_minutes=number)
            add_message(session, school, number)
    with _counting(engine) as many:
        assert staff.get(path).status_code == 200
    assert len(many) == len(few) <= 11


@contextmanager
def _counting(engine: Engine) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("language", "text"), [("en", "There is nothing here"), ("zh", "这里没有内容")]
)
def test_errors_speak_the_callers_language(client: FlaskClient, language: str, text: str) -> None:
    client.set_cookie("language", language)
    answer = client.get("/nothing")
    assert answer.status_code == 404
    assert text in answer.text


def test_a_fault_shows_a_page_without_details(
    staff: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("张三 13800000000")

    monkeypatch.setattr("card_server.web.tap_pages.list_taps", fail)
    answer = staff.get("/taps")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.text
    assert "张三" not in answer.text


def test_the_browsers_language_counts_until_the_switch_is_used(client: FlaskClient) -> None:
    client.delete_cookie("language")
    chinese = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}
    assert "登录名" in client.get("/log-in", headers=chinese).text
    assert "登录名" in client.get("/log-in", headers={"Accept-Language": "fr"}).text
    assert client.post("/language/en", data={"next": "/log-in"}).location == "/log-in"
    assert "Password" in client.get("/log-in", headers=chinese).text


def test_health_answers_on_the_pages_port(client: FlaskClient) -> None:
    assert client.get("/live").status_code == 200
    assert client.get("/ready").get_json() == {"ready": True, "wrong": {}}
    assert "python_info" in client.get("/metrics").text

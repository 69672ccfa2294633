"""The sheets by program: the same as on the pages, cell by cell, and of whom alone."""

import io
from typing import Any

import msgspec
import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.facts import SessionResult
from card_server.words.attendance import day_sign
from tests.card_server.api.programs import Program
from tests.card_server.web.sheet_month import MONDAY, TUESDAY, add_month
from tests.card_server.web.small_school import SmallSchool

_TOTALS = ("late", "left_early", "absent", "sick", "personal", "official")


@pytest.fixture
def term(school: SmallSchool, sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        return add_month(session, school)


def _signs(app: Flask, sessions: list[dict[str, Any]]) -> str:
    with app.test_request_context(headers={"Cookie": "language=en"}):
        return day_sign(msgspec.convert(sessions, list[SessionResult]))


def test_the_day_has_each_student_and_session(
    teacher: Program, school: SmallSchool, term: int
) -> None:
    room = school.homerooms[0]
    found = teacher.get(f"/attendance/homerooms/{room}/day?day={MONDAY}").json
    assert [one["name"] for one in found["sessions"]] == ["上午", "下午"]
    statuses = [[one["status"] for one in line["sessions"]] for line in found["students"]]
    assert statuses == [
        ["present", "present"],
        ["late", "left_early"],
        ["absent", "absent"],
        ["on_leave", "on_leave"],
    ]
    late = found["students"][1]
    assert (late["late_minutes"], late["early_minutes"]) == (6, 120)
    corrected = teacher.get(f"/attendance/homerooms/{room}/day?day={TUESDAY}").json["students"][2]
    assert [one["reason"] for one in corrected["corrections"]] == ["忘带卡"]


def test_the_file_of_the_month_is_what_the_api_says(
    app: Flask, teacher: Program, school: SmallSchool, sessions: sessionmaker[Session], term: int
) -> None:
    room = school.homerooms[0]
    found = teacher.get(f"/attendance/homerooms/{room}/month?month=2024-09").json
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.set_cookie("language", "en")
    client.post("/log-in", data={"login": school.login, "password": school.password})
    chosen = {"password": "correct horse battery", "again": "correct horse battery"}
    client.post("/password", data=chosen)
    file = client.get(f"/attendance/homeroom/{room}/month?month=2024-09&export=xlsx")
    _heads, *rows = load_workbook(io.BytesIO(file.data)).worksheets[0].values
    lines, under = rows[: len(found["students"])], rows[len(found["students"]) :]
    for row, line in zip(lines, found["students"], strict=True):
        known = {one["day"]: one["sessions"] for one in line["days"]}
        signs = [
            _signs(app, known.get(one["day"], [])) if known.get(one["day"]) else ""
            for one in found["days"]
        ]
        totals = [line["totals"][name] for name in _TOTALS]
        assert list(row) == [line["number"], line["name"], *signs, *totals]
    for row, name in zip(under, _TOTALS, strict=True):
        assert list(row[2:32]) == [one["totals"][name] for one in found["days"]]
        assert row[32 + _TOTALS.index(name)] == found["totals"][name]
    assert any(line["totals"]["absent"] for line in found["students"])


def test_a_term_has_its_taps_leave_and_corrections(
    teacher: Program, school: SmallSchool, term: int
) -> None:
    first = teacher.get(f"/attendance/students/{school.students[0]}/term?term={term}").json
    days = {one["day"]: one for one in first["days"]}
    taps = days[f"{MONDAY}"]["taps"]
    assert [one["direction"] for one in taps] == ["in", "out", "in", "out"]
    assert {one["direction_by"] for one in taps} == {"reader"}
    assert days[f"{MONDAY}"]["is_school_day"]
    third = teacher.get(f"/attendance/students/{school.students[4]}/term?term={term}").json
    said = {one["day"]: one["corrections"] for one in third["days"]}[f"{TUESDAY}"]
    assert [(one["made_by"], one["reason"]) for one in said] == [("班老师", "忘带卡")]
    fourth = teacher.get(f"/attendance/students/{school.students[6]}/term?term={term}").json
    assert [one["kind"] for one in fourth["slips"]] == ["sick"]
    assert fourth["totals"]["sick"] == 2


def test_other_homerooms_and_their_students_are_not_there(
    teacher: Program, school: SmallSchool, term: int
) -> None:
    other = school.homerooms[1]
    assert teacher.get(f"/attendance/homerooms/{other}/day").status_code == 404
    assert teacher.get(f"/attendance/homerooms/{other}/month").status_code == 404
    assert teacher.get(f"/attendance/students/{school.students[1]}/term").status_code == 404
    assert teacher.get(f"/attendance/students/{school.students[0]}/term?term=99").status_code == 404


@pytest.mark.parametrize("month", ["2024-13", "24-09", "2024-09-01", "x"])
def test_a_month_is_written_strictly(
    teacher: Program, school: SmallSchool, term: int, month: str
) -> None:
    room = school.homerooms[0]
    answer = teacher.get(f"/attendance/homerooms/{room}/month?month={month}")
    assert answer.status_code == 422

"""A homeroom's sheets on pages: the day, the month, the file of exactly that month, and whose."""

import io
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.attendance import Correction, SessionStatus
from schema.tables.people import Student
from tests.card_server.web.leave_things import make_day_note
from tests.card_server.web.people_pages import log_in_teacher
from tests.card_server.web.sheet_month import FESTIVAL, MONDAY, TUESDAY, add_month, judge_month
from tests.card_server.web.small_school import SmallSchool

HOSTILE = '=HYPERLINK("http://x","张三")'


@pytest.fixture(autouse=True)
def month(school: SmallSchool, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        add_month(session, school)


@pytest.fixture
def teacher(app: Flask, school: SmallSchool, sessions: sessionmaker[Session]) -> FlaskClient:
    return log_in_teacher(app, sessions, school)


def _day(school: SmallSchool, day: date, more: str = "") -> str:
    return f"/attendance/homeroom/{school.homerooms[0]}?day={day}{more}"


def _month(school: SmallSchool, more: str = "") -> str:
    return f"/attendance/homeroom/{school.homerooms[0]}/month?month=2024-09{more}"


def test_a_day_shows_each_student_and_session(teacher: FlaskClient, school: SmallSchool) -> None:
    page = teacher.get(_day(school, MONDAY)).text
    for name in ("张三", "王小明", "欧阳娜", "陈晨"):
        assert name in page
    assert "李四" not in page
    assert "08:06" in page
    assert "sick leave" in page
    assert f"/students/{school.students[4]}/corrections?day={MONDAY}" in page
    assert f"/homerooms/{school.homerooms[0]}/corrections?day={MONDAY}" in page


def test_the_days_beside_a_day_are_school_days(teacher: FlaskClient, school: SmallSchool) -> None:
    friday = teacher.get(_day(school, date(2024, 9, 6))).text
    assert "day=2024-09-05" in friday
    assert "day=2024-09-09" in friday
    assert "day=2024-09-16" in teacher.get(_day(school, date(2024, 9, 18))).text


def test_a_closed_day_says_so(teacher: FlaskClient, school: SmallSchool) -> None:
    page = teacher.get(_day(school, FESTIVAL)).text
    assert "中秋节" in page
    assert "nothing is expected" in page


def test_a_correction_is_a_footnote_with_who_and_why(
    teacher: FlaskClient, school: SmallSchool
) -> None:
    page = teacher.get(_day(school, TUESDAY)).text
    assert 'href="#said-1"' in page
    assert 'id="said-1"' in page
    assert "班老师: 忘带卡" in page


def test_a_note_is_a_footnote_after_the_corrections(
    teacher: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        ended = make_day_note(school, 0, TUESDAY)
        ended.body, ended.ended_by, ended.ended_at = "写错了", "班老师", datetime.now(UTC)
        session.add_all(
            [ended, make_day_note(school, 2, TUESDAY), make_day_note(school, 1, TUESDAY)]
        )
    page = teacher.get(_day(school, TUESDAY)).text
    assert 'href="#said-1"' in page
    assert 'href="#noted-2"' in page
    assert '<li id="noted-2">王小明 · 已联系家长，十点到校' in page
    assert "#noted-3" not in page
    assert "写错了" not in page
    filtered = teacher.get(_day(school, TUESDAY, "&show=noted")).text
    assert {name for name in ("张三", "王小明", "欧阳娜", "陈晨") if name in filtered} == {"王小明"}
    file = teacher.get(_day(school, TUESDAY, "&export=xlsx"))
    heads, *rows = load_workbook(io.BytesIO(file.data)).worksheets[0].values
    noted = [row[heads.index("Notes")] or "" for row in rows]
    assert noted == ["", "已联系家长，十点到校 (班老师)", "", ""]


def test_minutes_that_staff_said_stand_in_the_sheet(
    teacher: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        said = update(Correction).values(status=SessionStatus.LATE, position=1, minutes=12)
        session.execute(said)
        judge_month(session, school)
    page = teacher.get(_day(school, TUESDAY)).text
    assert "late 12 min" in page
    file = teacher.get(_day(school, TUESDAY, "&export=xlsx"))
    heads, *rows = load_workbook(io.BytesIO(file.data)).worksheets[0].values
    third = dict(zip(heads, rows[2], strict=True))
    assert third["上午"] == "12 min late, corrected"
    assert third["Minutes late"] == 12
    assert third["Corrections"] == "上午: late 12 min (班老师: 忘带卡)"


@pytest.mark.parametrize(
    ("show", "names"),
    [
        ("late", {"王小明"}),
        ("left_early", {"王小明"}),
        ("absent", {"欧阳娜"}),
        ("on_leave", {"陈晨"}),
        ("present", {"张三"}),
        ("corrected", set()),
    ],
)
def test_a_sheet_is_filtered(
    teacher: FlaskClient, school: SmallSchool, show: str, names: set[str]
) -> None:
    page = teacher.get(_day(school, MONDAY, f"&show={show}")).text
    everybody = {"张三", "王小明", "欧阳娜", "陈晨"}
    assert {name for name in everybody if name in page} == names


def test_a_sheet_is_searched_and_sorted(teacher: FlaskClient, school: SmallSchool) -> None:
    for words in ("王小", "wxm", "20260002"):
        for address in (_day(school, MONDAY), _month(school)):
            page = teacher.post(address, data={"words": words}).text
            assert "王小明" in page
            assert "张三" not in page
    by_late = teacher.get(_day(school, MONDAY, "&sort=-late")).text
    assert by_late.index("王小明") < by_late.index("张三")
    by_arrival = teacher.get(_day(school, MONDAY, "&sort=arrived")).text
    assert by_arrival.index("张三") < by_arrival.index("王小明") < by_arrival.index("欧阳娜")


def test_the_month_is_a_grid_with_totals(teacher: FlaskClient, school: SmallSchool) -> None:
    page = teacher.get(_month(school)).text
    assert page.count('<td class="day') == 4 * 30 + 6 * 30
    assert 'title="中秋节"' in page
    assert "17 中秋节" in page


def test_the_file_is_exactly_the_grid(
    teacher: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.execute(
            update(Student).where(Student.id == school.students[0]).values(name=HOSTILE)
        )
    answer = teacher.get(_month(school, "&export=xlsx"))
    rows = list(load_workbook(io.BytesIO(answer.data)).worksheets[0].values)
    heads, first, second, third, fourth, *under = rows
    assert heads[:4] == ("Student number", "Full name", "1", "2")
    assert heads[18] == "17 中秋节"
    assert first[1] == HOSTILE
    assert [row[3] for row in (first, second, third, fourth)] == ["✓", "LE", "A", "V"]
    assert [row[4] for row in (first, second, third, fourth)] == ["✓", "A", "✓*", "A"]
    assert first[2] == ""
    assert first[18] == ""
    assert second[-6:-3] == (1, 1, 38)
    assert third[-4:] == (38, 0, 0, 0)
    assert fourth[-3:] == (2, 0, 0)
    late, _early, absent, sick, *_ = under
    assert (late[1], late[3], late[4]) == ("late", 1, 0)
    assert (absent[3], absent[4]) == (1, 2)
    assert (sick[3], sick[-3]) == (1, 2)
    csv = teacher.get(_month(school, "&export=csv")).text
    assert f"'{HOSTILE[:4]}" in csv


def test_the_file_of_a_day_has_its_sessions(teacher: FlaskClient, school: SmallSchool) -> None:
    answer = teacher.get(_day(school, TUESDAY, "&export=xlsx"))
    heads, *rows = load_workbook(io.BytesIO(answer.data)).worksheets[0].values
    assert heads[4:6] == ("上午", "下午")
    assert [row[3] for row in rows] == ["张三", "王小明", "欧阳娜", "陈晨"]
    assert rows[2][4] == "present, corrected"
    assert "忘带卡" in rows[2][10]


def test_another_homeroom_is_nobody_s_business(teacher: FlaskClient, school: SmallSchool) -> None:
    other = f"/attendance/homeroom/{school.homerooms[1]}"
    assert teacher.get(other).status_code == 404
    assert teacher.get(f"{other}/month").status_code == 404
    assert teacher.post(other, data={"words": "李"}).status_code == 404
    begun = teacher.get(f"/attendance/homeroom?homeroom={school.homerooms[1]}&day={MONDAY}")
    assert begun.location == f"/attendance/homeroom/{school.homerooms[0]}?day={MONDAY}"
    assert "李四" not in teacher.get(_day(school, MONDAY)).text


def test_nonsense_in_the_address_is_today(teacher: FlaskClient, school: SmallSchool) -> None:
    room = f"/attendance/homeroom/{school.homerooms[0]}"
    for address in ("?day=x", "?day=9999-01-01", "/month?month=x", "/month?month=1066-10"):
        assert teacher.get(room + address).status_code == 200

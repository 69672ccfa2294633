"""Rankings and findings on pages: what they show, their files, and marking what was looked at."""

import csv
import io
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.findings import PairKind
from schema.tables.school import Homeroom
from tests.card_server.web.odd_things import add_day, add_pair
from tests.card_server.web.small_school import SmallSchool, add_students
from tests.harness.clock import NOW, TODAY, stop_clock

MONDAY = TODAY - timedelta(days=TODAY.weekday() + 21)
RANGE = f"from={TODAY - timedelta(days=6)}&to={TODAY}"


@pytest.fixture(autouse=True)
def days(app: Flask, school: SmallSchool, sessions: sessionmaker[Session]) -> None:
    stop_clock(app)
    with sessions.begin() as session:
        for student in range(8):
            add_day(session, school, student, TODAY)
        add_day(session, school, 0, TODAY, late=2, late_minutes=9, findings="missed_exit")
        add_pair(session, school, 2, NOW, PairKind.TRAVEL)


def _lines(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def test_homerooms_stand_with_rate_points_and_rank(staff: FlaskClient) -> None:
    page = staff.get(f"/attendance/homerooms?{RANGE}").text
    assert page.index("高一(2)班</a></th>") < page.index("高一(1)班</a></th>")
    assert '<td class="number" data-label="Points taken">1.0</td>' in page


def test_the_file_has_the_same_figures(staff: FlaskClient, school: SmallSchool) -> None:
    heads, *rows = _lines(staff.get(f"/attendance/homerooms?{RANGE}&export=csv").data)
    found = {row[heads.index("Homeroom")]: row[heads.index("Late")] for row in rows}
    assert found == {"高一(1)班": "2", "高一(2)班": "0", "together": "2"}


@pytest.fixture
def two_weeks(school: SmallSchool, sessions: sessionmaker[Session]) -> str:
    """The last week and the one before it: late twice then, absent before."""
    with sessions.begin() as session:
        add_day(session, school, 0, MONDAY, absent=1, present=1)
        add_day(session, school, 2, MONDAY, present=2)
        add_day(session, school, 0, MONDAY + timedelta(days=7), late=2, present=2)
    return f"from={MONDAY}&to={MONDAY + timedelta(days=8)}"


def test_the_file_has_each_week_of_each_homeroom_beside_the_sums(
    staff: FlaskClient, two_weeks: str
) -> None:
    path = f"/attendance/homerooms?{two_weeks}&export="
    heads, *rows = _lines(staff.get(path + "csv").data)
    weeks = [f"{MONDAY}", f"{MONDAY + timedelta(days=7)}"]
    figures = ["Attendance rate, per cent", "Late", "Left early", "Absent", "On leave"]
    figures.append("Points taken")
    assert heads[-12:] == [f"{week} {figure}" for week in weeks for figure in figures]
    by_name = {row[heads.index("Homeroom")]: row[-12:] for row in rows}
    one = ["100.0", "0", "0", "1", "0", "2.0", "100.0", "2", "0", "0", "0", "1.0"]
    assert by_name == {
        "高一(1)班": one,
        "together": one,
        "高一(2)班": ["", "0", "0", "0", "0", "0.0"] * 2,
    }

    book = load_workbook(io.BytesIO(staff.get(path + "xlsx").data))
    first, second = book.worksheets
    assert len(next(first.values)) == len(heads) - 12
    assert second.title == "weeks"
    names, *lines = second.values
    assert list(names) == ["Week from", "Grade", "Homeroom", *figures]
    found = [(f"{line[0]:%Y-%m-%d}", line[2], line[4], line[6]) for line in lines]
    assert sorted(found) == sorted(
        (week, name, late, absent)
        for week, late, absent in ((weeks[0], 0, 1), (weeks[1], 2, 0))
        for name, late, absent in (
            ("高一(1)班", late, absent),
            ("高一(2)班", 0, 0),
            ("together", late, absent),
        )
    )


def test_one_week_alone_has_no_chart_of_weeks(staff: FlaskClient, two_weeks: str) -> None:
    hint = "A longer time shows how it goes from week to week."
    both = staff.get(f"/attendance/homerooms?{two_weeks}").text
    assert 'id="trend"' in both
    assert hint not in both
    one = staff.get(f"/attendance/homerooms?from={MONDAY}&to={MONDAY + timedelta(days=6)}").text
    assert 'id="trend"' not in one
    assert hint in one


def test_the_weeks_stand_as_a_table_for_paper(staff: FlaskClient, two_weeks: str) -> None:
    page = staff.get(f"/attendance/homerooms?{two_weeks}").text
    table = page.partition('<section class="paper-only">')[2].partition("</section>")[0]
    assert table.count("<tr>") == 1 + 2
    assert f'<th scope="row">{MONDAY}</th>' in table


def test_students_and_findings_are_printed_whole(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_students(session, school, range(8, 128))
        for student in range(8, 128):
            add_day(session, school, student, TODAY, late=1, present=1, findings="missed_exit")
    for path in (f"/attendance/students?{RANGE}", f"/attendance/findings?{RANGE}&kind=missed_exit"):
        page = staff.get(path).text
        [link] = re.findall(r'href="([^"]*print=all)"', page)
        paper = staff.get(link.replace("&amp;", "&")).text
        assert paper.count("<tr>") == 1 + 121
        assert "121 rows" in paper
        assert f"When: {TODAY - timedelta(days=6)} – {TODAY}" in paper
        assert "<form" not in paper.partition("<main")[2]
        of_room = staff.get(f"{path}&print=all&homeroom={school.homerooms[1]}").text
        assert of_room.count("<tr>") == 1 + 60
        assert "Homeroom: 高一(2)班" in of_room
    assert "in again without having gone out" in paper
    assert "print=all" not in staff.post(path, data={"words": "zs"}).text


def test_a_print_says_when_it_is_not_all(
    staff: FlaskClient,
    school: SmallSchool,
    sessions: sessionmaker[Session],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("card_server.web.ranking_pages.MOST_ROWS", 1)
    with sessions.begin() as session:
        add_day(session, school, 2, TODAY, late=1, present=1)
    paper = staff.get(f"/attendance/students?{RANGE}&print=all").text
    assert paper.count("<tr>") == 1 + 1
    assert "Only the first 1 rows are here" in paper
    assert "2 rows" in paper


@pytest.mark.parametrize(
    "asked", ["from=nonsense", "from=2026-09-09&to=2026-09-01", "to=9999-12-31"]
)
def test_a_time_that_is_none_is_this_week(staff: FlaskClient, asked: str) -> None:
    monday = TODAY - timedelta(days=TODAY.weekday())
    assert f"<small>{monday} – {TODAY}</small>" in staff.get(f"/attendance/homerooms?{asked}").text


def test_students_are_listed_found_and_taken_away(staff: FlaskClient, school: SmallSchool) -> None:
    path = f"/attendance/students?{RANGE}"
    assert "张三" in staff.get(path).text
    assert "王小明" not in staff.get(path).text
    assert "张三" in staff.post(path, data={"words": "zs"}).text
    assert "Nobody found" in staff.post(path, data={"words": "lisi"}).text
    _heads, *rows = _lines(staff.get(f"{path}&export=csv").data)
    assert [row[:4] for row in rows] == [["20260000", "张三", "高一(1)班", "2"]]


def test_a_finding_is_looked_at_and_opened_again(staff: FlaskClient, school: SmallSchool) -> None:
    page = staff.get("/attendance/findings").text
    assert "in again without having gone out" in page
    assert "at two places at once" in page
    assert f"/students/{school.students[0]}/day?day={TODAY}" in page
    key = f"missed_exit:{school.students[0]}:{TODAY}"
    assert staff.post("/attendance/findings/look", data={"key": key}).status_code == 302
    assert key not in staff.get("/attendance/findings").text
    looked = staff.get("/attendance/findings?looked=yes").text
    assert key in looked
    assert "王老师" in looked
    staff.post("/attendance/findings/reopen", data={"key": key, "looked": "yes"})
    assert key in staff.get("/attendance/findings").text


def test_whoever_looks_at_a_finding_stays_where_they_are(staff: FlaskClient) -> None:
    page = staff.get(f"/attendance/findings?{RANGE}&kind=missed_exit&sort=-name&page=2").text
    form = page.partition('action="/attendance/findings/look"')[2].partition("</form>")[0]
    sent = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    back = staff.post("/attendance/findings/look", data=sent).location
    assert {"kind=missed_exit", "sort=-name", "page=2"} < {*back.partition("?")[2].split("&")}


def test_a_finding_that_is_none_is_not_found(staff: FlaskClient) -> None:
    assert staff.post("/attendance/findings/look", data={"key": "nonsense"}).status_code == 404


def test_findings_are_taken_away_as_a_file(staff: FlaskClient, school: SmallSchool) -> None:
    _heads, *rows = _lines(staff.get("/attendance/findings?export=csv").data)
    assert sorted(row[2] for row in rows) == ["张三", "王小明"]


def test_students_and_findings_are_of_a_grade_when_one_is_chosen(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    paths = (f"/attendance/students?{RANGE}", f"/attendance/findings?{RANGE}")
    for path in paths:
        assert 'name="grade"' not in staff.get(path).text, "a school of one grade has no choice"
    with sessions.begin() as session:
        session.get_one(Homeroom, school.homerooms[1]).grade = 2
        add_day(session, school, 1, TODAY, late=1, late_minutes=9, findings="missed_exit")
    for path in paths:
        for grade, there, elsewhere in ((1, "张三", "李四"), (2, "李四", "张三")):
            page = staff.get(f"{path}&grade={grade}").text
            assert there in page, (path, grade)
            assert elsewhere not in page, (path, grade)
            assert f'<option value="{grade}" selected>' in page
            rows = _lines(staff.get(f"{path}&grade={grade}&export=csv").data)
            names = {name for row in rows for name in row}
            assert there in names, (path, grade)
            assert elsewhere not in names, (path, grade)

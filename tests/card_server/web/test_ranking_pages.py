"""Rankings and findings on pages: what they show, their files, and marking what was looked at."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from card_server.school_time import DISTRICT_ZONE, day_of
from schema.tables.findings import PairKind
from tests.card_server.web.odd_things import add_day, add_pair
from tests.card_server.web.small_school import SmallSchool

TODAY = day_of(datetime.now(UTC), DISTRICT_ZONE)
RANGE = f"from={TODAY - timedelta(days=6)}&to={TODAY}"


@pytest.fixture(autouse=True)
def days(school: SmallSchool, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        for student in range(8):
            add_day(session, school, student, TODAY)
        add_day(session, school, 0, TODAY, late=2, late_minutes=9, findings="missed_exit")
        add_pair(session, school, 2, datetime.now(UTC), PairKind.TRAVEL)


def _lines(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def test_homerooms_stand_with_rate_points_and_rank(staff: FlaskClient) -> None:
    page = staff.get(f"/attendance/homerooms?{RANGE}").text
    assert page.index("高一(2)班</a></th>") < page.index("高一(1)班</a></th>")
    assert '<td class="number" data-label="Points taken">1.0</td>' in page
    assert 'data-chart="line"' in page


def test_the_file_has_the_same_figures(staff: FlaskClient, school: SmallSchool) -> None:
    heads, *rows = _lines(staff.get(f"/attendance/homerooms?{RANGE}&export=csv").data)
    found = {row[heads.index("Homeroom")]: row[heads.index("Late")] for row in rows}
    assert found == {"高一(1)班": "2", "高一(2)班": "0", "together": "2"}


@pytest.mark.parametrize(
    "asked", ["from=nonsense", "from=2026-09-09&to=2026-09-01", "to=9999-12-31"]
)
def test_a_time_that_is_none_is_this_week(staff: FlaskClient, asked: str) -> None:
    monday = TODAY - timedelta(days=TODAY.weekday())
    written = f"{monday}" if monday == TODAY else f"{monday} – {TODAY}"
    assert f"<small>{written}</small>" in staff.get(f"/attendance/homerooms?{asked}").text


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


def test_a_finding_that_is_none_is_not_found(staff: FlaskClient) -> None:
    assert staff.post("/attendance/findings/look", data={"key": "nonsense"}).status_code == 404


def test_findings_are_taken_away_as_a_file(staff: FlaskClient, school: SmallSchool) -> None:
    _heads, *rows = _lines(staff.get("/attendance/findings?export=csv").data)
    assert sorted(row[2] for row in rows) == ["张三", "王小明"]

"""Today's students by name as a page: the board leads to it, it is searched and taken away."""

import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.school_time import DISTRICT_ZONE, day_of
from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant
from schema.tables.audit import AuditEntry
from schema.tables.school import Homeroom
from schema.tables.staff import Role, Scope
from tests.card_server.web.conftest import CHOSEN_PASSWORD
from tests.card_server.web.small_school import SmallSchool, add_students
from tests.card_server.web.test_export import read_csv, read_xlsx
from tests.card_server.web.today_things import add_today

PATH = "/board/students"


@pytest.fixture
def today(school: SmallSchool, sessions: sessionmaker[Session]) -> SmallSchool:
    """张三 is absent, 李四 late, 王小明 on leave until tonight, 赵雪 went early; four wait."""
    with sessions.begin() as session:
        add_today(session, school)
    return school


def _names(page: str) -> list[str]:
    return re.findall(r'class="lead"><a [^>]*>([^<]+)<', page)


def test_each_number_of_the_board_leads_to_who_they_are(
    staff: FlaskClient, today: SmallSchool
) -> None:
    first = today.homerooms[0]
    for address in ("/board", f"/board?homeroom={first}"):
        page = staff.get(address).text
        links = re.findall(rf'<a href="({PATH}[^"]*)"[^>]*>(\d+)</a>', page)
        assert len(links) > 5
        for path, number in links:
            assert len(_names(staff.get(path.replace("&amp;", "&")).text)) == int(number), path
    wall = staff.get("/board?wall").text
    assert PATH not in wall


def test_each_line_says_what_belongs_to_it(staff: FlaskClient, today: SmallSchool) -> None:
    page = staff.get(PATH).text
    assert len(_names(page)) == 8
    day = day_of(datetime.now(UTC), DISTRICT_ZONE)
    for text in ("上午", "4 min late", f"sick leave until {day}", "25 min early"):
        assert text in page
    assert page.count("absence is judged from 00:00 on") == 4
    assert "Absent <b>1</b>" in page
    assert "Not judged <b>4</b>" in page


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("status=absent", ["张三"]),
        ("status=late", ["李四"]),
        ("status=on_leave", ["王小明"]),
        ("status=left_early", ["赵雪"]),
        ("status=nonsense&sort=status&grade=9", []),
        ("status=nonsense&sort=-number", None),
    ],
)
def test_it_is_filtered(
    staff: FlaskClient, today: SmallSchool, asked: str, names: list[str] | None
) -> None:
    found = _names(staff.get(f"{PATH}?{asked}").text)
    assert len(found) == 8 if names is None else found == names


def test_a_grade_chosen_after_a_homeroom_of_another_one_is_shown_whole(
    staff: FlaskClient, today: SmallSchool
) -> None:
    first = today.homerooms[0]
    assert len(_names(staff.get(f"{PATH}?homeroom={first}").text)) == 4
    assert len(_names(staff.get(f"{PATH}?homeroom={first}&grade=1").text)) == 4
    assert len(_names(staff.get(f"{PATH}?homeroom=999999&grade=1").text)) == 8


def test_file_and_paper_are_of_the_same_grade_as_the_page(
    staff: FlaskClient, today: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    first, second = today.homerooms
    with sessions.begin() as session:
        session.get_one(Homeroom, second).grade = 2
    asked = f"{PATH}?homeroom={first}&grade=2"
    page = staff.get(asked).text
    assert len(_names(page)) == 4
    links = re.findall(r'href="([^"]+(?:export|print)=[^"]+)"', page)
    assert len(links) == 3
    assert not any("homeroom" in one for one in links)
    _, *rows = read_csv(staff.get(f"{asked}&export=csv").data)
    assert [row[2] for row in rows] == _names(page)
    paper = staff.get(f"{asked}&print=all").text
    assert "Grade: " in paper
    assert "Homeroom: " not in paper


@pytest.mark.parametrize("status", ["late", "left_early"])
def test_a_word_of_staff_without_minutes_names_no_minutes(
    staff: FlaskClient, today: SmallSchool, status: str
) -> None:
    day = day_of(datetime.now(UTC), DISTRICT_ZONE)
    student = today.students[4]
    said = {"position": "1", "status": status, "reason": "x"}
    staff.post(f"/students/{student}/corrections?day={day}", data=said)
    page = staff.get(f"{PATH}?status={status}").text
    assert "欧阳娜" in _names(page)
    line = page.partition(f'href="/students/{student}"')[2].partition("</tr>")[0]
    assert " min " not in line


def test_pages_and_order_of_a_search_keep_its_words(
    staff: FlaskClient, today: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_students(session, today, range(8, 78))
    found = staff.post(PATH, data={"words": "2026"}).text
    link = re.search(r'<a href="([^"]+)" hx-post="([^"]+)" hx-include="#words"[^>]*>Next', found)
    assert link
    assert link[1] == link[2] == f"{PATH}?page=2"
    assert f'hx-post="{PATH}?sort=name"' in found
    second = staff.post(f"{PATH}?page=2", data={"words": "2026"}).text
    assert 0 < len(_names(second)) < 50
    assert not set(_names(second)) & {"张三"}
    assert "hx-include" not in staff.get(PATH).text.partition("Next page")[0].rpartition("<a ")[2]


def test_a_name_is_looked_for_in_the_body_and_never_in_an_address(
    staff: FlaskClient, today: SmallSchool
) -> None:
    headers = {"HX-Request": "true"}
    part = staff.post(PATH, data={"words": "zs"}, headers=headers).text
    assert _names(part) == ["张三"]
    assert "<html" not in part
    assert "export=" not in part
    assert len(_names(staff.get(f"{PATH}?words=zs").text)) == 8
    within = staff.post(f"{PATH}?status=late", data={"words": "张三"}, headers=headers).text
    assert "Nobody found" in within


def test_what_is_taken_away_is_what_the_page_shows_and_is_noted(
    staff: FlaskClient, today: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    room = today.homerooms[0]
    body = staff.get(f"{PATH}?homeroom={room}&sort=name&export=csv").data
    heads, *rows = read_csv(body)
    assert heads[:5] == ["Homeroom", "Student number", "Full name", "Status", "Absent from"]
    shown = _names(staff.get(f"{PATH}?homeroom={room}&sort=name").text)
    assert [row[2] for row in rows] == shown
    by_name = {row[2]: row for row in rows}
    assert by_name["张三"][3:5] == ["Absent", "上午"]
    assert by_name["王小明"][3] == "On leave"
    assert by_name["王小明"][5] == "sick leave"
    assert {row[11] for row in rows if row[3] == "Not judged"} == {"not due yet"}
    sheet = read_xlsx(staff.get(f"{PATH}?status=late&export=xlsx").data)
    assert [(row[2], row[3], row[8]) for row in sheet[1:] if row[2]] == [("李四", "Late", 4)]
    with sessions() as session:
        notes = session.scalars(
            select(AuditEntry.action).where(AuditEntry.action == "export.taken")
        ).all()
    assert len(notes) == 2


def test_a_long_list_has_pages_or_one_for_the_printer(
    staff: FlaskClient, today: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_students(session, today, range(8, 78))
    first = staff.get(f"{PATH}?status=not_judged").text
    assert len(_names(first)) == 50
    second = staff.get(f"{PATH}?status=not_judged&page=2").text
    assert len(_names(second)) == 24
    assert f'hx-post="{PATH}?status=not_judged&amp;page=2"' in second
    assert f"{PATH}?status=not_judged&amp;print=all" in first
    whole = staff.get(f"{PATH}?status=not_judged&print=all").text
    written = re.findall(r"<tr><td>([^<]+)</td>", whole)
    assert written == _names(first) + _names(second)
    assert "74 rows" in whole
    assert "Not judged" in whole.partition("<table")[0]


def test_a_teacher_sees_the_own_homeroom_and_a_guard_nobody(
    app: Flask, sessions: sessionmaker[Session], today: SmallSchool
) -> None:
    room = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=today.homerooms[1])
    teacher = _hire(app, sessions, today, room)
    page = teacher.get(PATH).text
    assert {"李四", "赵雪"} < {*_names(page)}
    assert "张三" not in page
    assert "张三" not in teacher.get(f"{PATH}?homeroom={today.homerooms[0]}&export=csv").text
    guard = _hire(app, sessions, today, Grant(Role.GATE_GUARD, Scope.GATE, place="校门"))
    assert guard.get(PATH).status_code == 403


def _hire(
    app: Flask, sessions: sessionmaker[Session], school: SmallSchool, grant: Grant
) -> FlaskClient:
    with sessions.begin() as session:
        password = create_staff(session, school.id, f"as-{grant.role}", "某老师", grant)
    client = app.test_client()
    client.set_cookie("language", "en")
    client.post("/log-in", data={"login": f"as-{grant.role}", "password": password})
    client.post("/password", data={"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD})
    return client

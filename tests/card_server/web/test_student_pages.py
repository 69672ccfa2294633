"""The students' list and record: found, filtered, exported, changed, within one's reach."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.people.boarding import set_boarding
from card_server.people.stays import list_stays
from schema.messages import CardState
from schema.tables.audit import AuditEntry
from schema.tables.cards import Card
from schema.tables.people import Sex, Student, StudentStatus
from tests.card_server.web.people_pages import log_in_teacher
from tests.card_server.web.small_school import SmallSchool
from tests.card_server.web.test_settings import seen_in

_PAPER = "11010519491231002X"
_NEW = {"name": "单小雨", "number": "20269999", "on": "2026-09-01"}


def _names(page: str) -> list[str]:
    return re.findall(r'class="lead"><(?:a href="[^"]*"|span)>([^<]+)<', page)


def test_the_list_is_by_homeroom_and_can_be_ordered_and_filtered(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert _names(staff.get("/students").text)[:2] == ["张三", "王小明"]
    assert _names(staff.get("/students?sort=-number").text)[0] == "杨柳"
    room = staff.get(f"/students?homeroom={school.homerooms[1]}").text
    assert _names(room) == ["李四", "赵雪", "刘洋", "杨柳"]
    with sessions.begin() as session:
        session.get_one(Student, school.students[0]).status = StudentStatus.SUSPENDED
        on = session.get_one(Student, school.students[1])
        noon, zone = datetime(2026, 9, 1, 4, tzinfo=UTC), ZoneInfo("Asia/Shanghai")
        set_boarding(session, SYSTEM, school.id, on.id, True, noon.date(), noon, zone)
    assert "张三" not in _names(staff.get("/students").text)
    assert _names(staff.get("/students?status=suspended").text) == ["张三"]
    assert len(_names(staff.get("/students?status=all").text)) == 8
    assert _names(staff.get("/students?boarding=yes").text) == ["李四"]
    assert len(_names(staff.get("/students?boarding=no").text)) == 6
    assert "No student fits" in staff.get("/students?status=graduated").text


def test_words_find_whoever_left_as_well(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.get_one(Student, school.students[0]).status = StudentStatus.TRANSFERRED
    assert _names(staff.post("/students", data={"words": "zs"}).text) == ["张三"]
    assert "Nobody found" in staff.post("/students?status=enrolled", data={"words": "zs"}).text


def test_who_is_found_stands_in_the_order_that_the_heads_show(
    staff: FlaskClient, school: SmallSchool
) -> None:
    def ask(asked: str) -> list[str]:
        return _names(staff.post(f"/students?{asked}", data={"words": "2026000"}).text)

    by_number = ["张三", "李四", "王小明", "赵雪", "欧阳娜", "刘洋", "陈晨", "杨柳"]
    assert ask("") == by_number[0::2] + by_number[1::2]
    assert ask("sort=number") == by_number
    assert ask("sort=-number") == by_number[::-1]
    assert ask(f"sort=-number&homeroom={school.homerooms[1]}") == by_number[:0:-2]


def test_full_width_letters_and_digits_find_as_the_ordinary_ones(
    staff: FlaskClient, school: SmallSchool
) -> None:
    assert _names(staff.post("/students", data={"words": "ＺＳ"}).text) == ["张三"]
    assert _names(staff.post("/students", data={"words": "２０２６０００１"}).text) == ["李四"]


def test_who_has_left_is_offered_no_card(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    here, left = school.students[:2]
    with sessions.begin() as session:
        session.get_one(Student, left).status = StudentStatus.TRANSFERRED
    for page in ("", "/cards"):
        assert "Give a card at the desk" in staff.get(f"/students/{here}{page}").text
        assert "Give a card at the desk" not in staff.get(f"/students/{left}{page}").text
    assert 'id="lend"' not in staff.get(f"/students/{left}/cards").text


def test_an_export_has_what_the_filter_shows_and_no_phone(
    staff: FlaskClient, school: SmallSchool
) -> None:
    answer = staff.get(f"/students?homeroom={school.homerooms[0]}&export=csv")
    lines = answer.text.lstrip("\ufeff").splitlines()
    assert len(lines) == 5
    assert lines[1].startswith("20260000,张三,")
    assert "1000" not in answer.text


def test_a_record_shows_what_is_kept_and_the_look_is_noted(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    page = staff.get(f"/students/{school.students[0]}").text
    for said in ("张三", "高一(1)班", "母亲", "••••1000", "04 00 01"):
        assert said in page, said
    with sessions() as session:
        noted = session.scalars(select(AuditEntry.action)).all()
    assert "student.seen" in noted


def test_a_student_is_added_with_homeroom_and_sealed_number(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    form = _NEW | {"homeroom_id": str(school.homerooms[1]), "identity": _PAPER}
    made = staff.post("/students/new", data=form)
    assert made.status_code == 302
    page = staff.get(made.location).text
    assert "••••002X" in page
    assert _PAPER not in page
    with sessions() as session:
        row = session.scalars(select(Student).where(Student.number == "20269999")).one()
        assert (row.pinyin, row.sex) == ("shan xiao yu shanxiaoyu sxy", Sex.FEMALE)
        assert [one.homeroom for one in list_stays(session, school.id, row.id)] == ["高一(2)班"]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"number": "20260000"}, "number"),
        ({"name": ""}, "name"),
        ({"homeroom_id": ""}, "homeroom_id"),
        ({"homeroom_id": "999"}, "homeroom_id"),
        ({"on": "2999-01-01"}, "on"),
        ({"identity": "123456789012345678"}, "identity"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_the_rest_stays(
    staff: FlaskClient, school: SmallSchool, typed: dict[str, str], field: str
) -> None:
    form = _NEW | {"homeroom_id": str(school.homerooms[0])} | typed
    answer = staff.post("/students/new", data=form)
    assert answer.status_code == 422
    assert f'id="{field}-wrong"' in answer.text
    assert f'value="{form["number"]}"' in answer.text


def test_a_student_is_changed_and_two_do_not_overwrite_each_other(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    path = f"/students/{school.students[0]}/edit"
    seen = seen_in(staff.get(path))
    form = {"name": "张叁", "number": "20260000", "sex": "male", "seen": seen}
    assert staff.post(path, data=form).status_code == 302
    assert staff.post(path, data=form | {"name": "张四"}).status_code == 409
    with sessions() as session:
        assert session.get_one(Student, school.students[0]).name == "张叁"


def test_a_student_moves_boards_leaves_and_comes_back(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    student = school.students[0]
    path, on = f"/students/{student}", {"on": "2026-11-20"}
    moved = staff.post(f"{path}/move", data=on | {"homeroom_id": school.homerooms[1]})
    assert moved.status_code == 302
    assert staff.post(f"{path}/boarding", data=on | {"boards": "yes"}).status_code == 302
    page = staff.get(path).text
    assert "boards since 2026-11-20" in page
    assert "高一(1)班" in page[page.index('id="history"') :]
    left = staff.post(f"{path}/status", data=on | {"status": "transferred", "reason": "搬家"})
    assert left.status_code == 302
    with sessions() as session:
        card = session.get_one(Card, school.cards[0])
        assert card.state is not CardState.ACTIVE
    early = staff.post(f"{path}/status", data={"on": "2026-11-19", "status": "enrolled"})
    assert early.status_code == 422
    assert 'id="status-on-wrong"' in early.text
    assert staff.post(f"{path}/status", data=on | {"status": "enrolled"}).status_code == 302
    assert staff.post(f"{path}/status", data=on | {"status": "gone"}).status_code == 422


def test_boarding_begins_and_ends_on_coming_days(staff: FlaskClient, school: SmallSchool) -> None:
    path = f"/students/{school.students[0]}"
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    begin, end = (today + timedelta(days=n) for n in (30, 200))
    for boards, on in (("yes", begin), ("no", end)):
        said = staff.post(f"{path}/boarding", data={"on": on.isoformat(), "boards": boards})
        assert said.status_code == 302
    page = staff.get(path).text
    assert f"day student · boards from {begin}" in page
    assert f"{begin} – {end}" in page
    edit = staff.get(f"{path}/edit").text
    assert f"boards from {begin}" in edit
    assert re.search(r'<option value="no"\s+selected', edit)
    assert _names(staff.get("/students?boarding=yes").text) == []
    now = {"on": today.isoformat(), "boards": "yes"}
    assert staff.post(f"{path}/boarding", data=now).status_code == 302
    assert f"boards since {today}" in staff.get(path).text
    later = {"on": end.isoformat(), "boards": "no"}
    assert staff.post(f"{path}/boarding", data=later).status_code == 302
    assert f"boards since {today} · at home again from {end}" in staff.get(path).text
    assert _names(staff.get("/students?boarding=yes").text) == ["张三"]
    too_far = {"on": (today + timedelta(days=400)).isoformat(), "boards": "yes"}
    refused = staff.post(f"{path}/boarding", data=too_far)
    assert refused.status_code == 422
    assert 'id="boarding-on-wrong"' in refused.text
    nothing = staff.post(f"{path}/boarding", data={"on": today.isoformat(), "boards": ""})
    assert nothing.status_code == 422


def test_hidden_numbers_need_a_reason_which_is_noted(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    form = _NEW | {"homeroom_id": str(school.homerooms[1]), "identity": _PAPER}
    path = staff.post("/students/new", data=form).location
    assert _PAPER not in staff.post(f"{path}/numbers", data={"reason": " "}).text
    assert _PAPER in staff.post(f"{path}/numbers", data={"reason": "学籍核对"}).text
    detail = "/audit?action=student.numbers_seen"
    assert "looked at a student's identity numbers" in staff.get(detail).text.replace("&#39;", "'")
    assert staff.post(f"{path}/numbers/remove").status_code == 302
    assert "002X" not in staff.get(path).text


def test_notes_are_kept_and_removed(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    path = f"/students/{school.students[0]}"
    body = "<b>对花生过敏</b>"
    assert staff.post(f"{path}/notes", data={"body": body}).status_code == 302
    page = staff.get(path).text
    assert "&lt;b&gt;对花生过敏" in page
    assert "王老师" in page
    empty = staff.post(f"{path}/notes", data={"body": " "})
    assert empty.status_code == 422
    assert staff.post(f"{path}/notes/1/remove").status_code == 302
    assert "花生" not in staff.get(path).text
    assert staff.post(f"{path}/notes/1/remove").status_code == 404


def test_a_homeroom_teacher_sees_one_homeroom_and_changes_notes_alone(
    app: Flask, staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    teacher = log_in_teacher(app, sessions, school)
    own, other = school.students[0], school.students[1]
    page = teacher.get("/students?status=all").text
    assert _names(page) == ["张三", "王小明", "欧阳娜", "陈晨"]
    assert "高一(2)班" not in page
    assert "Nobody found" in teacher.post("/students", data={"words": "李四"}).text
    record = teacher.get(f"/students/{own}").text
    assert "/edit" not in record
    assert teacher.post(f"/students/{own}/notes", data={"body": "爱画画"}).status_code == 302
    assert teacher.get(f"/students/{other}").status_code == 404
    assert teacher.post(f"/students/{other}/notes", data={"body": "x"}).status_code == 404
    assert teacher.get(f"/students/{own}/edit").status_code == 403
    export = teacher.get("/students?status=all&export=csv").text
    assert "李四" not in export
    moved = {"on": "2026-11-20", "homeroom_id": school.homerooms[1]}
    staff.post(f"/students/{own}/move", data=moved)
    assert teacher.get(f"/students/{own}").status_code == 404
    staff.post(f"/students/{other}/move", data=moved | {"homeroom_id": school.homerooms[0]})
    assert "高一(2)班" in teacher.get(f"/students/{other}").text, "where the own students were"

"""A student's photo, timeline, and all that is kept: who sees it, takes it away, erases it."""

import html
import io
import re
import zipfile
from io import BytesIO

from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.audit import AuditEntry
from schema.tables.people import Student, StudentPhoto, StudentStatus
from tests.card_server.web.people_pages import log_in_teacher, seal_phones
from tests.card_server.web.small_school import SmallSchool, add_message, add_tap


def _picture(kind: str = "JPEG") -> bytes:
    out = BytesIO()
    Image.new("RGB", (60, 80), "teal").save(out, kind)
    return out.getvalue()


def _send_photo(client: FlaskClient, student_id: int, body: bytes) -> str:
    data = {"photo": (BytesIO(body), "photo.jpg")}
    answer = client.post(f"/students/{student_id}/photo", data=data, follow_redirects=True)
    assert answer.status_code == 200
    return answer.text


def _actions(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        return list(session.scalars(select(AuditEntry.action)))


def test_a_photo_is_kept_sealed_shown_and_taken_away(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    student_id = school.students[0]
    address = f"/students/{student_id}/photo"
    assert staff.get(address).status_code == 404
    assert address in _send_photo(staff, student_id, _picture())
    shown = staff.get(address)
    assert (shown.mimetype, shown.headers["Cache-Control"]) == ("image/jpeg", "no-store")
    with sessions() as session:
        assert b"\xff\xd8\xff" not in session.get_one(StudentPhoto, student_id).body_sealed
    staff.post(f"{address}/remove")
    assert staff.get(address).status_code == 404
    assert {"student.photo_changed", "student.photo_removed"} <= {*_actions(sessions)}


def test_what_a_phone_wrote_beside_the_picture_is_not_kept(
    staff: FlaskClient, school: SmallSchool
) -> None:
    out, exif = BytesIO(), Image.Exif()
    exif[0x010E] = "taken at home"
    Image.new("RGB", (60, 80)).save(out, "JPEG", exif=exif)
    _send_photo(staff, school.students[0], out.getvalue())
    shown = staff.get(f"/students/{school.students[0]}/photo").data
    assert b"taken at home" in out.getvalue()
    assert b"taken at home" not in shown


def test_what_is_no_picture_or_too_large_is_refused_with_a_sentence(
    staff: FlaskClient, school: SmallSchool
) -> None:
    student_id = school.students[0]
    assert "no PNG, JPEG or WebP" in _send_photo(staff, student_id, b"<svg onload=alert(1)>")
    assert "no PNG, JPEG or WebP" in _send_photo(staff, student_id, _picture()[:200])
    assert "2 MB at most" in _send_photo(staff, student_id, b"\xff\xd8\xff" + bytes(2 * 1024**2))
    assert staff.get(f"/students/{student_id}/photo").status_code == 404


def test_another_homerooms_teacher_sees_no_photo_and_no_timeline(
    app: Flask, staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    for student_id in school.students[:2]:
        _send_photo(staff, student_id, _picture())
    teacher = log_in_teacher(app, sessions, school)
    own, other = school.students[:2]
    assert teacher.get(f"/students/{own}/photo").status_code == 200
    assert teacher.get(f"/students/{other}/photo").status_code == 404
    assert teacher.get(f"/students/{own}/timeline").status_code == 200
    assert teacher.get(f"/students/{other}/timeline").status_code == 404


def test_the_timeline_shows_taps_and_messages_and_can_be_narrowed(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_tap(session, school, 0)
        add_message(session, school, 0)
    address = f"/students/{school.students[0]}/timeline"
    page = staff.get(address).text
    assert "东门进" in page
    assert "家长您好" in page
    assert f'href="/messages/{school.messages[0]}"' in page
    only = staff.get(f"{address}?only=taps").text
    assert "东门进" in only
    assert "家长您好" not in only


def test_a_long_timeline_goes_on_where_the_page_ended(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        for _ in range(60):
            add_message(session, school, 0)
    first = staff.get(f"/students/{school.students[0]}/timeline").text
    assert first.count("家长您好") == 50
    assert re.search(r"\d+ rows on this page", first)
    older = re.search(r'<a href="([^"]+)" rel="next"', first)
    assert older
    second = staff.get(html.unescape(older[1])).text
    assert second.count("家长您好") == 10
    assert "Older" not in second


def test_everything_is_given_out_for_a_reason_that_is_noted(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    seal_phones(sessions)
    address = f"/students/{school.students[0]}/data"
    assert staff.post(f"{address}/export", data={"reason": ""}).status_code == 422
    assert "student.exported" not in _actions(sessions)
    answer = staff.post(f"{address}/export", data={"reason": "家长查阅"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "张三" not in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert "+8613800138000" in archive.read("data.json").decode()
        index = archive.read("index.html").decode()
    assert "What 第一中学 no1 keeps on 张三" in index
    assert "student.exported" in _actions(sessions)


def test_erasing_asks_for_the_number_and_leaves_a_student_without_a_name(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    address = f"/students/{school.students[0]}/data"
    right = {"number": "20260000", "reason": "书面申请"}
    assert staff.post(f"{address}/erase", data=right).status_code == 409
    with sessions.begin() as session:
        session.get_one(Student, school.students[0]).status = StudentStatus.TRANSFERRED
    wrong = staff.post(f"{address}/erase", data={**right, "number": "20260001"})
    assert wrong.status_code == 422
    assert "not the student&#39;s number" in wrong.text
    assert 'value="书面申请"' in wrong.text
    assert staff.post(f"{address}/erase", data=right).status_code == 302
    page = staff.get(f"/students/{school.students[0]}")
    assert page.status_code == 200
    assert "张三" not in page.text
    assert "张三" not in staff.get("/students?status=all").text

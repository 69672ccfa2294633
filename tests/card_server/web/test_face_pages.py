"""The card faces' page: the design, one card, a homeroom's, and names that cannot be printed."""

from io import BytesIO

from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.faces.design import find_design
from schema.tables.audit import AuditEntry
from schema.tables.card_faces import FaceField, FaceOrientation
from schema.tables.jobs import Job
from schema.tables.people import Student
from tests.card_server.web.people_pages import log_in_teacher
from tests.card_server.web.small_school import SmallSchool
from tests.card_server.web.test_settings import seen_in

_DESIGN = {"colour": "#aa0000", "orientation": "portrait", "qr": "1", "back_text": "拾到请还"}


def _text(answer_data: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(BytesIO(answer_data)).pages)


def test_the_design_is_changed_and_a_wrong_colour_comes_back_as_typed(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    seen = seen_in(staff.get("/cards/faces"))
    wrong = staff.post("/cards/faces", data={**_DESIGN, "colour": "red", "seen": seen})
    assert wrong.status_code == 422
    assert "拾到请还" in wrong.text
    assert staff.post("/cards/faces", data={**_DESIGN, "seen": seen}).status_code == 302
    with sessions() as session:
        kept = find_design(session, school.id)
    assert kept.orientation is FaceOrientation.PORTRAIT
    assert kept.fields == {FaceField.QR}
    again = staff.post("/cards/faces", data={**_DESIGN, "colour": "#000000", "seen": seen})
    assert again.status_code == 409


def test_a_homerooms_cards_are_its_students_and_nobody_elses(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    data = {"homeroom": school.homerooms[0], "output": "sheets"}
    answer = staff.post("/cards/faces/print", data=data)
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Cache-Control"] == "no-store"
    text = _text(answer.data)
    assert "张三" in text
    assert "李四" not in text
    with sessions() as session:
        assert "face.printed" in session.scalars(select(AuditEntry.action)).all()


def test_all_homerooms_go_to_the_background(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    answer = staff.post("/cards/faces/print", data={"homeroom": "", "output": "cards"})
    assert "/jobs/" in answer.headers["Location"]
    with sessions() as session:
        assert session.scalars(select(Job.kind)).all() == ["faces"]


def test_a_teacher_prints_the_own_homeroom_and_no_other(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    teacher = log_in_teacher(app, sessions, school)
    assert "张三" in _text(teacher.post(f"/students/{school.students[0]}/face").data)
    assert teacher.post(f"/students/{school.students[1]}/face").status_code == 404
    other = {"homeroom": school.homerooms[1], "output": "cards"}
    assert teacher.post("/cards/faces/print", data=other).status_code == 404


def test_a_name_that_cannot_be_printed_whole_is_said_before(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert "cannot be printed whole" not in staff.get("/cards/faces").text
    with sessions.begin() as session:
        session.get_one(Student, school.students[0]).name = "王\U0003134f"
    page = staff.get("/cards/faces").text
    assert "cannot be printed whole" in page
    assert "U+3134F" in page

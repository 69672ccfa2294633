"""Everything that is kept on a student as a zip: nothing is left out."""

import csv
import io
import json
import zipfile
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask_babel import Babel
from sqlalchemy.orm import Session, sessionmaker

from card_server.personal.package import Cover, write_index, write_package
from card_server.personal.sections import Asking
from schema.tables.metadata import Table
from tests.card_server.people.people_school import SEAL, ZONE
from tests.card_server.personal.canary import (
    FURTHER,
    MOTHER,
    NAME,
    NOTE,
    NUMBER,
    PAPER,
    PHONE,
    REGISTRY,
    SECRETS,
    add_canary,
    make_photo,
)


@pytest.fixture
def archive(sessions: sessionmaker[Session]) -> zipfile.ZipFile:
    with sessions.begin() as session:
        school = add_canary(session)
    made_at = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
    cover = Cover("第一中学", NUMBER, NAME, made_at, "王老师", ZONE)
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context(), sessions() as session:
        body = write_package(Asking(session, school.id, school.students[0], SEAL), cover)
    return zipfile.ZipFile(io.BytesIO(body))


def test_the_json_has_every_number_opened_and_every_row(archive: zipfile.ZipFile) -> None:
    text = archive.read("data.json").decode()
    missing = {one for one in SECRETS if one not in text} - {"simajinsique"}
    assert missing == set()
    data = json.loads(text)
    [student] = data["student"]
    assert (student["identity_number"], student["registry_number"]) == (PAPER, REGISTRY)
    mother = next(one for one in data["guardians"] if one["name"] == MOTHER)
    assert (mother["phone"], mother["further_phones"]) == (f"+86{PHONE}", f"+86{FURTHER}")
    assert [one["body"] for one in data["notes"]] == [NOTE]
    assert len(data["taps"]) == 1
    assert [one["state"] for one in data["messages"]] == ["accepted", "queued"]
    told = data["messages"][0]
    assert told["guardian"]
    assert told["guardian"] == data["guardians"][0]["name"]
    assert {"kind", "body", "created_at", "changed_at", "error"} <= told.keys()
    assert not {"to_sealed", "to_hash"} & told.keys()
    assert {"student.changed", "student.noted"} <= {one["action"] for one in data["log"]}
    assert [one["step"] for one in data["card-steps"]] == ["lost"]
    assert data["registrations"][0]["at"] == "2026-11-22T10:00:00+08:00"


def test_each_table_that_names_a_student_is_in_it(archive: zipfile.ZipFile) -> None:
    data = json.loads(archive.read("data.json"))
    sections = {
        "attendance": "days",
        "boarding": "boarding",
        "card_binding": "cards",
        "card_history": "card-steps",
        "guardianship": "guardians",
        "homeroom_stay": "homerooms",
        "message": "messages",
        "presence": "whereabouts",
        "registration": "registrations",
        "student_note": "notes",
        "correction": "corrections",
        "day_note": "day-notes",
        "evacuation_student": "evacuations",
        "exemption": "exemptions",
        "hand_passage": "passages",
        "leave_slip": "leave",
        "roll_call": "roll-calls",
        "student_photo": "photo",
        "tap": "taps",
        "tap_pair": "odd-taps",
    }
    naming = {table.name for table in Table.metadata.sorted_tables if "student_id" in table.columns}
    assert naming - sections.keys() == set()
    assert set(sections.values()) <= data.keys()


def test_the_tables_open_in_a_spreadsheet(archive: zipfile.ZipFile) -> None:
    text = archive.read("guardians.csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert f"'+86{PHONE}" in [row["phone"] for row in rows]
    assert archive.read("photo.jpg")[:3] == make_photo()[:3]


def test_the_index_speaks_both_languages_and_names_every_file(archive: zipfile.ZipFile) -> None:
    index = archive.read("index.html").decode()
    assert 'lang="zh"' in index
    assert 'lang="en"' in index
    for name in {*archive.namelist()} - {"index.html"}:
        assert name in index
    assert "<script" not in index


def test_a_name_cannot_run_in_the_index() -> None:
    cover = Cover("校", "1", "<img src=x>", datetime(2026, 1, 1, tzinfo=UTC), "王", ZONE)
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        assert "<img" not in write_index([], cover, "")

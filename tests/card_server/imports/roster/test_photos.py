"""Photos come in by student number: sealed, judged by their bytes, and what is none is listed."""

import io
import zipfile

import pytest
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.errors import AppError, Code
from card_server.imports.roster.apply import Importing
from card_server.imports.roster.photos import PhotoReport, import_photos
from card_server.people.photos import MOST_BYTES
from schema.tables.people import StudentPhoto
from tests.card_server.people.people_school import NOW, SEAL, ZONE, PeopleSchool, enrol
from tests.harness.pictures import picture

JPEG, PNG, WEBP = picture("JPEG", taken_by="Lin's phone"), picture("PNG"), picture("WEBP")


def zipped(**files: bytes) -> io.BytesIO:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, picture in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), picture)
    return body


def take(sessions: sessionmaker[Session], campus: PeopleSchool, body: io.BytesIO) -> PhotoReport:
    with sessions.begin() as session:
        return import_photos(session, Importing(campus.id, ZONE, SYSTEM, NOW, SEAL), body)


@pytest.fixture
def campus(sessions: sessionmaker[Session], campus: PeopleSchool) -> PeopleSchool:
    with sessions.begin() as session:
        for number in ("101", "102", "103"):
            enrol(session, campus, number)
    return campus


def test_pictures_are_kept_sealed_with_the_type_of_their_bytes(
    sessions: sessionmaker[Session], campus: PeopleSchool
) -> None:
    body = zipped(**{"101_jpg": JPEG, "folder__102_jpg": PNG, "103_webp": WEBP})
    assert take(sessions, campus, body) == PhotoReport(3, 0, (), ())
    with sessions() as session:
        rows = session.scalars(select(StudentPhoto).order_by(StudentPhoto.student_id)).all()
        assert [one.media_type for one in rows] == ["image/jpeg", "image/png", "image/webp"]
        opened = [SEAL.open_bytes(one.body_sealed) for one in rows]
        assert all(one.body_sealed[-20:] not in opened for one in rows)
        assert [Image.open(io.BytesIO(one)).size for one in opened] == [(60, 80)] * 3
        assert b"Lin's phone" in JPEG
        assert b"Lin's phone" not in opened[0], "what a phone wrote beside a picture is not kept"


def test_the_same_pictures_again_change_nothing(
    sessions: sessionmaker[Session], campus: PeopleSchool
) -> None:
    take(sessions, campus, zipped(**{"101_jpg": JPEG}))
    again = take(sessions, campus, zipped(**{"101_jpg": JPEG, "102_png": PNG}))
    assert (again.kept, again.unchanged) == (1, 1)


def test_what_an_operating_system_leaves_in_a_folder_is_passed_over(
    sessions: sessionmaker[Session], campus: PeopleSchool
) -> None:
    litter = {"folder__Thumbs_db": b"x", "desktop_ini": b"x", "_DS_Store": b"x"}
    assert take(sessions, campus, zipped(**{"101_jpg": JPEG}, **litter)) == PhotoReport(
        1, 0, (), ()
    )


def test_unknown_numbers_and_what_is_no_picture_are_listed_and_not_kept(
    sessions: sessionmaker[Session], campus: PeopleSchool
) -> None:
    files = {"999_jpg": JPEG, "101_svg": b"<svg/>", "102_png": PNG + bytes(MOST_BYTES)}
    report = take(sessions, campus, zipped(**files))
    assert report == PhotoReport(0, 0, ("999.jpg",), ("101.svg", "102.png"))
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(StudentPhoto)) == 0


def test_a_bomb_is_read_no_further_than_a_picture_may_be(
    sessions: sessionmaker[Session], campus: PeopleSchool
) -> None:
    report = take(sessions, campus, zipped(**{"101_png": PNG + bytes(200_000_000)}))
    assert report.refused == ("101.png",)


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04 no zip"])
def test_what_is_no_zip_is_refused(
    sessions: sessionmaker[Session], campus: PeopleSchool, body: bytes
) -> None:
    with pytest.raises(AppError) as refused:
        take(sessions, campus, io.BytesIO(body))
    assert refused.value.code is Code.INVALID

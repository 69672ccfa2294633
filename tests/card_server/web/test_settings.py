"""A school's settings, logo, homerooms and readers: kept, refused beside the field, noted."""

import io
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.test import TestResponse

from card_server.register.logos import MAX_BYTES
from schema.tables.readers import ByteOrder, Direction, Reader
from schema.tables.school import Campus, Homeroom, School, SchoolLogo
from tests.card_server.web.small_school import SmallSchool, make_school

_PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
_RULES = {
    "name": "第一中学",
    "signature": "一中",
    "zone": "Asia/Urumqi",
    "late_after": "09:50",
    "double_tap_s": "30",
    "stale_minutes": "20",
}
_LANE = {"name": "北门进", "place": "北门", "purpose": "gate", "direction": "in"}


def seen_in(answer: TestResponse) -> str:
    """What the form on a page says that it shows."""
    found = re.search(r'name="seen" value="([^"]*)"', answer.text)
    assert found
    return found[1]


def _send(staff: FlaskClient, path: str, form: dict[str, str]) -> TestResponse:
    """Open a page and send its form."""
    return staff.post(path, data={"seen": seen_in(staff.get(path)), **form})


def test_the_rules_of_a_school_are_changed_and_the_change_stands_below(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert _send(staff, "/settings", _RULES).location == "/settings"
    with sessions() as session:
        row = session.get_one(School, school.id)
        assert (row.signature, row.zone, row.late_after) == ("一中", "Asia/Urumqi", "09:50")
        assert (row.double_tap_s, row.stale_minutes) == (30, 20)
    page = staff.get("/settings").text
    assert "【一中】" in page
    history = page[page.index('id="history"') :]
    assert "王老师" in history
    assert "<del>08:00</del>" in history
    assert "<ins>09:50</ins>" in history


def test_what_was_typed_stays_and_what_is_wrong_stands_beside_it(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    typed = _RULES | {"name": "新名", "signature": "长" * 21, "late_after": "25:00"}
    answer = _send(staff, "/settings", typed)
    assert answer.status_code == 422
    assert 'id="signature-wrong"' in answer.text
    assert 'id="late_after-wrong"' in answer.text
    assert 'id="name-wrong"' not in answer.text
    assert 'value="新名"' in answer.text
    with sessions() as session:
        assert session.get_one(School, school.id).name != "新名"


def test_two_who_change_the_same_do_not_overwrite_each_other_silently(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    seen = seen_in(staff.get("/settings"))
    assert staff.post("/settings", data=_RULES | {"seen": seen}).status_code == 302
    late = _RULES | {"signature": "晚来"}
    refused = staff.post("/settings", data=late | {"seen": seen})
    assert refused.status_code == 409
    assert "Somebody else has changed this" in refused.text
    assert 'value="晚来"' in refused.text
    assert staff.post("/settings", data=late | {"seen": seen_in(refused)}).status_code == 302
    with sessions() as session:
        assert session.get_one(School, school.id).signature == "晚来"


def test_a_form_without_what_it_showed_changes_nothing(staff: FlaskClient) -> None:
    assert staff.post("/settings", data=_RULES).status_code == 409


def _send_logo(staff: FlaskClient, body: bytes) -> TestResponse:
    return staff.post("/settings/logo", data={"logo": (io.BytesIO(body), "logo.svg")})


def test_a_logo_is_served_by_the_type_of_its_bytes(staff: FlaskClient) -> None:
    assert staff.get("/settings/logo").status_code == 404
    assert _send_logo(staff, _PNG + bytes(100_000)).status_code == 302
    answer = staff.get("/settings/logo")
    assert answer.data == _PNG + bytes(100_000)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert staff.post("/settings/logo/remove").status_code == 302
    assert staff.get("/settings/logo").status_code == 404


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "Choose a file."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no PNG, JPEG or WebP"),
        (_PNG + bytes(MAX_BYTES), "200 KB at most"),
    ],
    ids=["nothing", "svg", "large"],
)
def test_what_is_no_small_picture_is_refused(
    staff: FlaskClient, sessions: sessionmaker[Session], body: bytes, said: str
) -> None:
    answer = _send_logo(staff, body)
    assert answer.status_code == 422
    assert said in answer.text
    with sessions() as session:
        assert session.scalars(select(SchoolLogo)).all() == []


def test_an_upload_without_end_is_cut_off(staff: FlaskClient) -> None:
    assert _send_logo(staff, bytes(2 * 1024 * 1024)).status_code == 413


def test_homerooms_are_added_and_renamed(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    added = {"name": "初一(3)班", "grade": "7"}
    assert staff.post("/settings/homerooms", data=added).status_code == 302
    assert "初一(3)班" in staff.get("/settings/homerooms").text
    again = staff.post("/settings/homerooms", data=added)
    assert again.status_code == 422
    assert 'id="name-wrong"' in again.text
    room = f"/settings/homerooms/{school.homerooms[0]}"
    assert _send(staff, room, {"name": "初一(3)班", "grade": "1"}).status_code == 422
    assert _send(staff, room, {"name": "高一(9)班", "grade": "13"}).status_code == 422
    assert _send(staff, room, {"name": "高一(9)班", "grade": "10"}).status_code == 302
    with sessions() as session:
        row = session.get_one(Homeroom, school.homerooms[0])
        assert (row.name, row.grade) == ("高一(9)班", 10)
    assert "<del>高一(1)班</del>" in staff.get(room).text


def test_a_reader_is_added_with_the_commands_for_its_certificate(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    before = _version(sessions, school)
    made = staff.post("/settings/readers/new", data=_LANE | {"code": "north-in"})
    page = staff.get(made.location).text
    assert "sudo card-server reader-certificate no1 north-in" in page
    assert "revoke-reader no1 north-in" in page
    assert _version(sessions, school) > before
    taken = staff.post("/settings/readers/new", data=_LANE | {"code": "north-in"})
    assert taken.status_code == 422
    assert 'id="code-wrong"' in taken.text
    assert 'value="北门进"' in taken.text


def test_a_reader_is_changed_and_its_taps_are_judged_anew(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    path, before = f"/settings/readers/{school.readers[0]}", _version(sessions, school)
    changed = {"name": "东门", "place": "东门", "direction": "", "byte_order": "reversed"}
    assert _send(staff, path, changed).status_code == 302
    with sessions() as session:
        row = session.get_one(Reader, school.readers[0])
        assert (row.place, row.direction) == ("东门", None)
        assert row.byte_order is ByteOrder.REVERSED
    assert _version(sessions, school) > before
    assert _send(staff, path, changed | {"direction": "up"}).status_code == 422
    assert Direction.IN in staff.get(path).text


def test_a_reader_is_of_one_campus_or_of_all(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    [campus] = school.campuses
    path = f"/settings/readers/{school.readers[0]}"
    form = {"name": "东门", "place": "东门", "direction": "", "byte_order": "as-sent"}
    assert _send(staff, path, form | {"campus_id": str(campus)}).status_code == 302
    with sessions() as session:
        assert session.get_one(Reader, school.readers[0]).campus_id == campus
        name = session.get_one(Campus, campus).name
    assert f"<small>{name}</small>" in staff.get("/settings/readers").text
    removed = staff.post(f"/settings/campuses/{campus}/remove")
    assert removed.status_code == 409
    for wrong in ("x", str(campus + 99)):
        answer = _send(staff, path, form | {"campus_id": wrong})
        assert answer.status_code == 422
        assert 'id="campus_id-wrong"' in answer.text
    assert _send(staff, path, form | {"campus_id": ""}).status_code == 302
    with sessions() as session:
        assert session.get_one(Reader, school.readers[0]).campus_id is None


def test_the_form_says_what_each_byte_order_makes_of_a_card(
    staff: FlaskClient, school: SmallSchool
) -> None:
    for path in (f"/settings/readers/{school.readers[0]}", "/settings/readers/new"):
        page = staff.get(path).text
        assert "04A1B2C3 → 04A1B2C3" in page
        assert "04A1B2C3 → C3B2A104" in page
        assert '<option value="as-sent"' in page


def _version(sessions: sessionmaker[Session], school: SmallSchool) -> int:
    with sessions() as session:
        return session.get_one(School, school.id).register_version


def test_the_list_shows_the_readers_of_the_school(staff: FlaskClient) -> None:
    for path in ("/settings/readers", "/settings/readers?sort=-seen", "/settings/readers/new"):
        answer = staff.get(path)
        assert answer.status_code == 200
    assert "东门进" in staff.get("/settings/readers").text


def test_nothing_of_another_school_can_be_opened_or_changed(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
        session.get_one(Homeroom, other.homerooms[0]).name = "外校班"
    for path in (
        f"/settings/homerooms/{other.homerooms[0]}",
        f"/settings/readers/{other.readers[0]}",
    ):
        assert staff.get(path).status_code == 404
        assert staff.post(path, data={"name": "x", "grade": "1", "place": "y"}).status_code == 404
    assert "外校班" not in staff.get("/settings/homerooms").text
    with sessions() as session:
        assert session.get_one(Homeroom, other.homerooms[0]).name == "外校班"


def test_the_logo_stands_in_the_bar_and_the_browser_keeps_it(staff: FlaskClient) -> None:
    assert "/settings/logo?" not in staff.get("/board").text
    _send_logo(staff, _PNG)
    bar = staff.get("/board").text
    [address] = re.findall(r'<img class="logo" src="([^"]+)" alt="" height="28">', bar)
    answer = staff.get(address.replace("&amp;", "&"))
    assert answer.data == _PNG
    assert answer.headers["Cache-Control"] == "private, max-age=86400"
    tag = answer.headers["ETag"]
    again = staff.get(address.replace("&amp;", "&"), headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    _send_logo(staff, _PNG + b"another")
    assert address not in staff.get("/board").text
    staff.post("/settings/logo/remove")
    assert "/settings/logo?" not in staff.get("/board").text

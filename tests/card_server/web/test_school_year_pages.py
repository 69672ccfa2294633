"""Terms, campuses and the promotion to the next year on pages."""

import re
from datetime import UTC, datetime

from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.people import Student, StudentStatus
from schema.tables.school import Campus, Homeroom, Term
from tests.card_server.web.small_school import SmallSchool
from tests.card_server.web.test_settings import seen_in

_SPRING = {
    "name": "第二学期",
    "school_year": "2026",
    "starts_on": "2027-02-22",
    "ends_on": "2027-07-09",
}


def test_terms_are_added_changed_and_removed(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert staff.post("/settings/terms", data=_SPRING).status_code == 302
    assert "第二学期" in staff.get("/settings/terms").text
    again = staff.post("/settings/terms", data=_SPRING)
    assert again.status_code == 422
    assert 'id="starts_on-wrong"' in again.text
    path = f"/settings/terms/{school.terms[0]}"
    form = {
        "name": "秋季学期",
        "school_year": "2026",
        "starts_on": "2026-09-02",
        "ends_on": "2027-01-22",
        "seen": seen_in(staff.get(path)),
    }
    assert staff.post(path, data=form).status_code == 302
    assert staff.post(path, data=form | {"name": "x"}).status_code == 409
    assert staff.post(f"{path}/remove").status_code == 302
    with sessions() as session:
        assert [one.name for one in session.scalars(select(Term))] == ["第二学期"]


def test_campuses_are_given_to_homerooms(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert staff.post("/settings/campuses", data={"name": "东校区"}).status_code == 302
    taken = staff.post("/settings/campuses", data={"name": "东校区"})
    assert taken.status_code == 422
    assert 'id="campus-name-wrong"' in taken.text
    room = {"name": "高一(3)班", "grade": "10", "campus_id": str(school.campuses[0])}
    assert staff.post("/settings/homerooms", data=room).status_code == 302
    assert "本部" in staff.get("/settings/homerooms").text
    path = f"/settings/campuses/{school.campuses[0]}"
    here = re.findall(r'<a href="([^"]+)" aria-current="true">', staff.get(path).text)
    assert here == ["/settings/terms"], "a campus is among the terms and campuses"
    renamed = {"name": "主校区", "seen": seen_in(staff.get(path))}
    assert staff.post(path, data=renamed).status_code == 302
    assert staff.post(f"{path}/remove").status_code == 409
    with sessions() as session:
        assert {one.name for one in session.scalars(select(Campus))} == {"主校区", "东校区"}


def _two_years_ago(sessions: sessionmaker[Session]) -> int:
    """Make the homerooms so old that the next year can begin, whenever this runs."""
    year = datetime.now(UTC).year - 2
    with sessions.begin() as session:
        session.execute(update(Homeroom).values(school_year=year, grade=10))
        session.execute(update(Term).values(school_year=year))
    return year


def test_a_year_that_has_hardly_begun_does_not_end(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.execute(update(Homeroom).values(school_year=datetime.now(UTC).year + 1))
    assert "too early" in staff.get("/settings/promotion").text
    answer = staff.post("/settings/promotion", data={"sure": "1", "seen": ""})
    assert answer.status_code == 409
    preview = staff.post("/settings/promotion/preview")
    assert preview.status_code == 200
    assert 'id="preview"' in preview.text, "too early to begin is not too early to look"
    assert "Begin the school year" not in preview.text


def test_a_school_is_promoted_as_its_preview_said(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    year, (first, second) = _two_years_ago(sessions), school.homerooms
    proposed = staff.get("/settings/promotion").text
    assert proposed.count('<option value="graduate" selected>') == 2, "the only grade graduates"
    choices = {
        f"then-{first}": "up",
        f"name-{first}": "高二(1)班",
        f"then-{second}": "graduate",
        f"name-{second}": "",
    }
    preview = staff.post("/settings/promotion/preview", data=choices)
    assert preview.status_code == 200
    assert re.search(r'id="moving">4<', preview.text)
    assert re.search(r'id="graduating">4 ', preview.text)
    form = choices | {"seen": seen_in(preview)}
    unsure = staff.post("/settings/promotion", data=form)
    assert unsure.status_code == 422
    assert 'id="sure-wrong"' in unsure.text
    done = staff.post("/settings/promotion", data=form | {"sure": "1"})
    assert done.status_code == 302
    rooms = staff.get(done.location).text
    assert "高二(1)班" in rooms
    assert f"{year}–{year + 1}" in rooms[rooms.index('id="past"') :]
    with sessions() as session:
        statuses = session.scalars(select(Student.status).order_by(Student.id)).all()
        assert statuses == [StudentStatus.ENROLLED, StudentStatus.GRADUATED] * 4
    again = staff.post("/settings/promotion", data=form | {"sure": "1"})
    assert again.status_code == 409
    assert "高一(1)班" not in staff.get("/board").text


def test_two_homerooms_with_one_name_are_told_beside_the_field(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    _two_years_ago(sessions)
    choices = {f"then-{room}": "up" for room in school.homerooms}
    choices |= {f"name-{room}": "高二班" for room in school.homerooms}
    answer = staff.post("/settings/promotion/preview", data=choices)
    assert answer.status_code == 422
    assert f'id="name-{school.homerooms[1]}-wrong"' in answer.text
    assert 'id="preview"' not in answer.text

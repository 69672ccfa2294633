"""The roster's other ways: photos in, a service to fetch from, and the way out with a reason."""

import io
import zipfile
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from integrations.roster.oneroster.tables import Version
from schema.tables.audit import AuditEntry
from schema.tables.jobs import Job, JobState
from schema.tables.people import Guardian, Student, StudentPhoto
from schema.tables.roster import RosterImport, RosterService, RosterSource
from tests.card_server.jobs.desk import SEAL, do_next
from tests.card_server.web.small_school import SmallSchool
from tests.harness.pictures import picture
from tests.integrations.roster.oneroster.service import CLIENT, SECRET, Service, fail
from tests.integrations.roster.oneroster.test_rest import PATHS, collections

JPEG = picture("JPEG")


@pytest.fixture
def service() -> Iterator[Service]:
    with Service(collections(Version.V1_2), PATHS[Version.V1_2]) as running:
        yield running


def tell_service(staff: FlaskClient, service: Service, **changes: str) -> int:
    form = {
        "url": service.url,
        "token_url": f"{service.url}/token",
        "client_id": CLIENT,
        "secret": SECRET,
        "version": "1.2",
    }
    return staff.post("/roster/service", data=form | changes).status_code


def actions(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))


def test_a_service_is_kept_with_its_secret_sealed_and_never_shown(
    staff: FlaskClient, sessions: sessionmaker[Session], service: Service, school: SmallSchool
) -> None:
    assert tell_service(staff, service) == 302
    page = staff.get("/roster/service").text
    assert SECRET not in page
    assert service.url in page
    with sessions() as session:
        row = session.get_one(RosterService, school.id)
        assert SEAL.open(row.secret_sealed) == SECRET
    assert tell_service(staff, service, secret="", client_id="other") == 302
    with sessions() as session:
        row = session.get_one(RosterService, school.id)
        assert (row.client_id, SEAL.open(row.secret_sealed)) == ("other", SECRET)
    staff.post("/roster/service/remove")
    with sessions() as session:
        assert session.get(RosterService, school.id) is None
    found = actions(sessions)
    assert found[-3:] == [
        "roster.service_changed",
        "roster.service_changed",
        "roster.service_removed",
    ]


@pytest.mark.parametrize(
    ("field", "typed"),
    [("url", "http://example.org"), ("token_url", "ftp://x"), ("secret", ""), ("client_id", "")],
)
def test_a_service_that_cannot_be_is_answered_beside_the_field(
    staff: FlaskClient, service: Service, field: str, typed: str
) -> None:
    assert tell_service(staff, service, **{field: typed}) == 422


def test_a_roster_is_fetched_and_shown_before_anything_changes(
    staff: FlaskClient, engine: Engine, sessions: sessionmaker[Session], service: Service
) -> None:
    tell_service(staff, service)
    assert staff.post("/roster/service/fetch").status_code == 302
    assert do_next(engine)
    with sessions() as session:
        row = session.scalars(select(RosterImport)).one()
        assert row.source is RosterSource.FETCHED
        assert session.scalar(select(func.count()).select_from(Student)) == 8
    staff.post(f"/roster/{row.id}/check")
    assert do_next(engine)
    page = staff.get(f"/roster/{row.id}?list=changed").text
    assert 'id="count-changed">2' in page
    assert "张伟" in page


def test_a_service_that_refuses_is_said_and_nothing_is_kept(
    staff: FlaskClient, engine: Engine, sessions: sessionmaker[Session], service: Service
) -> None:
    tell_service(staff, service)
    service.answer_with(fail(403))
    staff.post("/roster/service/fetch")
    assert do_next(engine)
    with sessions() as session:
        job = session.scalars(select(Job)).one()
        assert (job.state, "does not let" in job.message) == (JobState.FAILED, True)
        assert session.scalars(select(RosterImport)).all() == []


def test_photos_come_in_and_what_is_none_is_listed(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("20260000.jpg", JPEG)
        archive.writestr("777.jpg", JPEG)
        archive.writestr("20260001.gif", b"GIF89a")
    body.seek(0)
    page = staff.post("/roster/photos", data={"file": (body, "photos.zip")}).text
    assert "1 photo is in." in page
    assert "777.jpg" in page
    assert "20260001.gif" in page
    with sessions() as session:
        row = session.scalars(select(StudentPhoto)).one()
        assert SEAL.open_bytes(row.body_sealed).startswith(b"\xff\xd8\xff")
    assert actions(sessions)[-1] == "roster.photos_imported"


def test_what_is_no_zip_is_answered_beside_the_field(staff: FlaskClient) -> None:
    answer = staff.post("/roster/photos", data={"file": (io.BytesIO(b"no"), "photos.zip")})
    assert answer.status_code == 422
    assert "no zip" in answer.text
    assert staff.post("/roster/photos", data={}).status_code == 422


def test_the_roster_goes_out_with_a_reason_and_is_noted(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.execute(update(Guardian).values(phone_sealed=SEAL.close("+8613800138000")))
    assert staff.post("/roster/export", data={"kind": "oneroster"}).status_code == 422
    assert "roster.exported" not in actions(sessions)
    answer = staff.post("/roster/export", data={"kind": "oneroster", "reason": "图书馆系统"})
    assert answer.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert "张三" in archive.read("users.csv").decode()
    assert actions(sessions)[-1] == "roster.exported"
    sheet = staff.post("/roster/export", data={"kind": "cards.national", "reason": "上报"})
    assert sheet.data.startswith(b"PK")
    wrong = staff.post("/roster/export", data={"kind": "nonsense", "reason": "上报"})
    assert wrong.status_code == 422

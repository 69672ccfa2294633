"""Programs send photos, say where a roster is fetched, take it out, and promote the school."""

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session, sessionmaker

from integrations.roster.oneroster.tables import Version
from schema.tables.audit import AuditEntry
from schema.tables.people import Guardian, Student, StudentPhoto, StudentStatus
from schema.tables.roster import RosterImport, RosterService, RosterSource
from schema.tables.school import Homeroom
from tests.card_server.api.programs import Program
from tests.card_server.api.requests import BODIES
from tests.card_server.jobs.desk import SEAL, do_next
from tests.card_server.web.small_school import SmallSchool
from tests.harness.pictures import picture
from tests.integrations.roster.oneroster.service import CLIENT, SECRET, Service
from tests.integrations.roster.oneroster.test_rest import PATHS, collections

PNG, JPEG = picture("PNG"), picture("JPEG")
SERVICE: Any = BODIES["PUT", "/roster/service"]


def actions(sessions: sessionmaker[Session]) -> list[tuple[str, str]]:
    """What was noted of tokens, and by whom."""
    with sessions() as session:
        found = session.execute(
            select(AuditEntry.action, AuditEntry.actor_kind).order_by(AuditEntry.seq)
        )
        return [(row.action, row.actor_kind) for row in found]


def send_zip(program: Program, body: bytes) -> Any:
    return program.ask("POST", "/roster/photos", data={"file": (io.BytesIO(body), "photos.zip")})


def test_photos_of_a_zip_are_kept_and_what_is_none_is_listed(
    program: Program, sessions: sessionmaker[Session]
) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("20260000.jpg", JPEG)
        archive.writestr("777.jpg", JPEG)
        archive.writestr("20260001.gif", b"GIF89a")
    answer = send_zip(program, body.getvalue())
    assert answer.json == {
        "kept": 1,
        "unchanged": 0,
        "unknown": ["777.jpg"],
        "refused": ["20260001.gif"],
    }
    assert send_zip(program, body.getvalue()).json["unchanged"] == 1
    assert actions(sessions)[-1] == ("roster.photos_imported", "token")
    refused = send_zip(program, b"no")
    assert (refused.status_code, "no zip" in refused.json["detail"]) == (422, True)


def test_a_students_photo_is_put_shown_and_removed(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    path = f"/students/{school.students[0]}/photo"
    assert program.get(path).status_code == 404
    sent = program.ask("PUT", path, data=PNG, content_type="image/png")
    assert sent.status_code == 204
    shown = program.get(path)
    assert (shown.content_type, shown.data[:8]) == ("image/png", PNG[:8])
    wrong = program.ask("PUT", path, data=b"<svg/>", content_type="image/png")
    assert (wrong.status_code, "no PNG" in wrong.json["detail"]) == (422, True)
    assert program.ask("DELETE", path).status_code == 204
    with sessions() as session:
        assert session.scalars(select(StudentPhoto)).all() == []
    noted = [action for action, _kind in actions(sessions)]
    assert noted[-2:] == ["student.photo_changed", "student.photo_removed"]


def test_a_teacher_has_photos_of_one_homeroom_alone(teacher: Program, school: SmallSchool) -> None:
    own, other = (f"/students/{school.students[number]}/photo" for number in (0, 1))
    assert teacher.ask("PUT", own, data=PNG, content_type="image/png").status_code == 204
    assert teacher.ask("PUT", other, data=PNG, content_type="image/png").status_code == 404
    assert teacher.ask("DELETE", other).status_code == 404


def test_a_service_is_kept_with_its_secret_sealed_and_never_told(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert program.get("/roster/service").status_code == 404
    without = {name: value for name, value in SERVICE.items() if name != "secret"}
    assert program.ask("PUT", "/roster/service", json=without).status_code == 422
    kept = program.ask("PUT", "/roster/service", json=SERVICE)
    assert (kept.status_code, kept.json["version"]) == (200, "1.2")
    assert program.ask("PUT", "/roster/service", json=without).status_code == 200
    told = program.get("/roster/service")
    assert str(SERVICE["secret"]) not in kept.text + told.text
    with sessions() as session:
        row = session.get_one(RosterService, school.id)
        assert SEAL.open(row.secret_sealed) == SERVICE["secret"]
    plain = program.ask("PUT", "/roster/service", json=SERVICE | {"url": "http://example.org"})
    assert [one["name"] for one in plain.json["errors"]] == ["url"]
    assert program.ask("DELETE", "/roster/service").status_code == 204
    assert program.get("/roster/service").status_code == 404


def test_a_roster_is_fetched_and_waits(
    program: Program, engine: Engine, sessions: sessionmaker[Session]
) -> None:
    with Service(collections(Version.V1_2), PATHS[Version.V1_2]) as service:
        where = {"url": service.url, "token_url": f"{service.url}/token"}
        access = {"client_id": CLIENT, "secret": SECRET}
        assert program.ask("PUT", "/roster/service", json=where | access).status_code == 200
        asked = program.ask("POST", "/roster/service/fetch")
        assert asked.status_code == 201
        assert do_next(engine)
    assert program.get(f"/jobs/{asked.json['job_id']}").json["state"] == "done"
    [waiting] = program.get("/roster/imports").json["items"]
    assert (waiting["source"], waiting["state"]) == ("fetched", "waiting")
    with sessions() as session:
        assert session.scalars(select(RosterImport)).one().source is RosterSource.FETCHED


def test_the_roster_goes_out_with_a_reason_and_is_noted(
    program: Program, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.execute(update(Guardian).values(phone_sealed=SEAL.close("+8613800138000")))
    assert program.ask("POST", "/roster/export", json={"kind": "oneroster"}).status_code == 422
    package = {"kind": "oneroster", "reason": "图书馆系统"}
    answer = program.ask("POST", "/roster/export", json=package)
    assert answer.mimetype == "application/zip"
    assert "oneroster-" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert "张三" in archive.read("users.csv").decode()
    assert actions(sessions)[-1] == ("roster.exported", "token")
    sheet = {"kind": "attendance.national", "reason": "上报", "first": "2026-09-01"}
    assert program.ask("POST", "/roster/export", json=sheet).data.startswith(b"PK")
    backwards = sheet | {"last": "2026-08-01"}
    assert program.ask("POST", "/roster/export", json=backwards).status_code == 422


def test_all_that_is_kept_on_a_student_is_given_with_a_reason(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    path = f"/students/{school.students[0]}/data"
    assert program.ask("POST", path, json={}).status_code == 422
    answer = program.ask("POST", path, json={"reason": "家长申请查阅"})
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert "张三" in archive.read("data.json").decode()
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert actions(sessions)[-1] == ("student.exported", "token")
    assert program.ask("POST", "/students/999999/data", json={"reason": "核对"}).status_code == 404


def test_only_who_has_left_and_is_named_by_number_is_erased(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    path = f"/students/{school.students[1]}/erase"
    wanted = {"number": "20260001", "reason": "本人申请删除"}
    assert program.ask("POST", path, json=wanted).status_code == 409
    with sessions.begin() as session:
        session.get_one(Student, school.students[1]).status = StudentStatus.TRANSFERRED
    other = program.ask("POST", path, json=wanted | {"number": "20260000"})
    assert [one["name"] for one in other.json["errors"]] == ["number"]
    assert program.ask("POST", path, json=wanted).status_code == 204
    with sessions() as session:
        assert session.get_one(Student, school.students[1]).name != "李四"


@pytest.fixture
def old(school: SmallSchool, sessions: sessionmaker[Session]) -> SmallSchool:
    """The school as it was two years ago, so that its next year has long begun."""
    with sessions.begin() as session:
        first, second = school.homerooms
        session.get_one(Homeroom, first).school_year = 2024
        other = session.get_one(Homeroom, second)
        other.school_year, other.grade, other.name = 2024, 2, "高二(2)班"
    return school


def test_a_school_is_promoted_as_the_preview_said(
    program: Program, old: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    plan = program.ask("POST", "/promotion/preview", json={}).json
    assert (plan["to_year"], plan["promoted"], plan["graduated"]) == (2025, 4, 4)
    assert plan["problems"] == []
    first = {"homeroom_id": old.homerooms[0], "graduates": False, "new_name": "高二(9)班"}
    chosen = {"choices": [first]}
    other = program.ask("POST", "/promotion/preview", json=chosen).json
    assert other["seen"] != plan["seen"]
    assert other["steps"][0]["new_name"] == "高二(9)班"
    unseen = program.ask("POST", "/promotion", json=chosen | {"seen": plan["seen"]})
    assert unseen.status_code == 409
    done = program.ask("POST", "/promotion", json=chosen | {"seen": other["seen"]})
    assert done.json == {"to_year": 2025, "homerooms": 1, "moved": 4, "graduated": 4}
    assert actions(sessions)[-1] == ("school.promoted", "token")
    assert len(program.get("/students?status=graduated").json["items"]) == 4


def test_what_speaks_against_a_promotion_is_said_and_nothing_is_done(
    program: Program, old: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    unnamed = {"choices": [{"homeroom_id": old.homerooms[0], "graduates": False}]}
    plan = program.ask("POST", "/promotion/preview", json=unnamed).json
    assert [one["homeroom_id"] for one in plan["problems"]] == [old.homerooms[0]]
    refused = program.ask("POST", "/promotion", json=unnamed | {"seen": plan["seen"]})
    assert refused.status_code == 422
    with sessions.begin() as session:
        session.execute(update(Homeroom).values(school_year=datetime.now(UTC).year + 1))
    plan = program.ask("POST", "/promotion/preview", json={}).json
    assert [one["homeroom_id"] for one in plan["problems"]] == [None]

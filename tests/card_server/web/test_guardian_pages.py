"""Guardians on pages: added, known again, changed, parted; numbers shown to who says why."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.audit import AuditEntry
from schema.tables.people import ConsentWording, Guardian, Guardianship, Language
from tests.card_server.web.people_pages import PHONE, SEAL, log_in_teacher, seal_phones
from tests.card_server.web.small_school import SmallSchool
from tests.card_server.web.test_settings import seen_in

_FATHER = {
    "name": "张伟",
    "relation": "父亲",
    "phone": "139 0013 9000",
    "language": "zh",
    "is_told": "1",
    "priority": "2",
}


def _new(school: SmallSchool, student: int = 0) -> str:
    return f"/students/{school.students[student]}/guardians/new"


def test_a_guardian_is_added_and_known_again_for_a_sibling(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    for student in (0, 1):
        assert staff.post(_new(school, student), data=_FATHER).status_code == 302
    with sessions() as session:
        found = session.scalars(select(Guardian).where(Guardian.name == "张伟")).one()
        assert SEAL.open(found.phone_sealed) == "+8613900139000"
        links = select(func.count()).where(Guardianship.guardian_id == found.id)
        assert session.scalar(links) == 2
    page = staff.get(f"/students/{school.students[0]}").text
    assert "••••9000" in page
    assert "13900139000" not in page
    again = staff.post(_new(school), data=_FATHER)
    assert again.status_code == 422
    assert "already" in again.text


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"phone": "12"}, "phone"),
        ({"phone": "+852 5123 4567"}, "phone"),
        ({"phone": ""}, "phone"),
        ({"phone": "010-62345678"}, "is_told"),
        ({"relation": ""}, "relation"),
        ({"priority": "0"}, "priority"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    staff: FlaskClient, school: SmallSchool, typed: dict[str, str], field: str
) -> None:
    answer = staff.post(_new(school), data=_FATHER | typed)
    assert answer.status_code == 422
    assert f'id="{field}-wrong"' in answer.text
    assert 'value="张伟"' in answer.text


def test_the_school_decides_to_which_countries_it_writes(
    staff: FlaskClient, school: SmallSchool
) -> None:
    settings = {
        "seen": seen_in(staff.get("/settings")),
        "name": "一中",
        "signature": "一中",
        "zone": "Asia/Shanghai",
        "late_after": "08:00",
        "double_tap_s": "60",
        "stale_minutes": "30",
        "phone_countries": "cn hk",
    }
    assert staff.post("/settings", data=settings).status_code == 302
    abroad = _FATHER | {"phone": "+852 5123 4567"}
    assert staff.post(_new(school), data=abroad).status_code == 302


def test_a_guardian_is_changed_and_parted(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    seal_phones(sessions)
    path = f"/students/{school.students[0]}/guardians/{school.guardians[0]}"
    form = _FATHER | {"phone": "", "further": "010-62345678", "seen": seen_in(staff.get(path))}
    assert staff.post(path, data=form).status_code == 302
    assert staff.post(path, data=form).status_code == 409
    with sessions() as session:
        guardian = session.get_one(Guardian, school.guardians[0])
        assert (guardian.name, guardian.phone_tail) == ("张伟", "8000")
    assert "••••5678" in staff.get(path).text
    assert staff.post(f"{path}/numbers/1/remove").status_code == 302
    assert "5678" not in staff.get(path).text
    assert staff.post(f"{path}/unlink").status_code == 302
    assert staff.get(path).status_code == 404


def test_numbers_are_shown_to_who_says_why_and_that_is_noted(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    seal_phones(sessions)
    path = f"/students/{school.students[0]}/guardians/{school.guardians[0]}/numbers"
    for reason in ("", "x", " \u200b "):
        assert "138 0013 8000" not in staff.post(path, data={"reason": reason}).text
    with sessions() as session:
        actions = session.scalars(select(AuditEntry.action)).all()
        assert "guardian.phones_seen" not in actions
    shown = staff.post(path, data={"reason": "孩子发烧"}, headers={"HX-Request": "true"})
    assert "138 0013 8000" in shown.text
    assert "no-store" in shown.headers["Cache-Control"]
    assert "<html" not in shown.text
    with sessions() as session:
        noted = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "guardian.phones_seen")
        ).one()
    assert noted.subject == f"guardian:{school.guardians[0]}"
    detail = staff.post(f"/audit/{noted.seq}").text
    assert "孩子发烧" in detail
    assert PHONE not in detail


def test_a_teacher_changes_wishes_and_calls_the_own_parents(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    seal_phones(sessions)
    teacher = log_in_teacher(app, sessions, school)
    own = f"/students/{school.students[0]}/guardians/{school.guardians[0]}"
    other = f"/students/{school.students[1]}/guardians/{school.guardians[1]}"
    crossed = f"/students/{school.students[0]}/guardians/{school.guardians[1]}"
    wishes = {
        "language": "en",
        "absence": "1",
        "late": "1",
        "quiet_from": "21:30",
        "quiet_until": "07:00",
        "daily_limit": "5",
        "seen": seen_in(teacher.get(own)),
    }
    assert teacher.post(f"{own}/wishes", data=wishes).status_code == 302
    with sessions() as session:
        guardian = session.get_one(Guardian, school.guardians[0])
        link = session.get_one(Guardianship, (school.students[0], guardian.id))
        assert (guardian.language, link.is_told, link.wanted) == (
            Language.ENGLISH,
            False,
            "late absence",
        )
        assert (link.quiet_from, link.quiet_until, link.daily_limit) == (1290, 420, 5)
    page = teacher.get(own).text
    assert 'value="21:30"' in page
    assert teacher.post(f"{own}/wishes", data=wishes).status_code == 409
    assert "138 0013 8000" in teacher.post(f"{own}/numbers", data={"reason": "家访"}).text
    assert teacher.post(own, data=_FATHER).status_code == 403
    for path in (other, crossed):
        assert teacher.get(path).status_code == 404
        assert teacher.post(f"{path}/numbers", data={"reason": "家访"}).status_code == 404


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"quiet_from": "21:30"}, "quiet_from"),
        ({"quiet_from": "25:00", "quiet_until": "07:00"}, "quiet_from"),
        ({"daily_limit": "0"}, "daily_limit"),
        ({"channel": "wecom", "is_told": "1"}, "channel"),
        ({"channel": "pigeon"}, "channel"),
    ],
)
def test_wishes_that_cannot_be_are_refused_beside_their_field(
    app: Flask,
    school: SmallSchool,
    sessions: sessionmaker[Session],
    typed: dict[str, str],
    field: str,
) -> None:
    teacher = log_in_teacher(app, sessions, school)
    own = f"/students/{school.students[0]}/guardians/{school.guardians[0]}"
    form = {"language": "zh", "seen": seen_in(teacher.get(own)), **typed}
    answer = teacher.post(f"{own}/wishes", data=form)
    assert answer.status_code == 422
    assert f'id="{field}-wrong"' in answer.text


def test_a_number_is_vouched_for_with_a_reason_that_is_noted(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.get_one(Guardian, school.guardians[0]).verified_at = None
    path = f"/students/{school.students[0]}/guardians/{school.guardians[0]}"
    assert "/vouch" in staff.get(path).text
    assert staff.post(f"{path}/vouch", data={"reason": " "}).status_code == 422
    assert staff.post(f"{path}/vouch", data={"reason": "家访时当面拨通"}).status_code == 302
    with sessions() as session:
        guardian = session.get_one(Guardian, school.guardians[0])
        assert guardian.verified_at is not None
        assert guardian.verified_by
        actions = session.scalars(select(AuditEntry.action)).all()
    assert "guardian.vouched" in actions
    assert "/vouch" not in staff.get(path).text


def test_consent_on_paper_is_noted_with_its_wording_and_withdrawn(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        wording = ConsentWording(
            school_id=school.id,
            language=Language.CHINESE,
            body="同意接收短信。",
            made_by="校长",
            made_at=datetime.now(UTC),
        )
        session.add(wording)
        session.flush()
        wording_id = wording.id
        link = session.get_one(Guardianship, (school.students[0], school.guardians[0]))
        link.consented_at = None
    path = f"/students/{school.students[0]}/guardians/{school.guardians[0]}"
    assert "同意接收短信。" in staff.get(path).text
    assert staff.post(f"{path}/consent", data={}).status_code == 422
    assert staff.post(f"{path}/consent", data={"wording_id": "9999"}).status_code == 404
    assert staff.post(f"{path}/consent", data={"wording_id": wording_id}).status_code == 302
    with sessions() as session:
        link = session.get_one(Guardianship, (school.students[0], school.guardians[0]))
        assert link.consented_at is not None
        assert (link.consent_wording_id, bool(link.consent_by)) == (wording_id, True)
    assert staff.post(f"{path}/consent/withdraw").status_code == 302
    with sessions() as session:
        link = session.get_one(Guardianship, (school.students[0], school.guardians[0]))
        assert (link.consented_at, link.consent_by) == (None, "")

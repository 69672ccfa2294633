"""Links to a guardian's page: short, signed, of one guardian, and dead with what they stand on."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.errors import AppError
from card_server.parents.links import (
    LASTS,
    TOKEN_LENGTH,
    Doorstep,
    end_links,
    find_doorstep,
    make_link,
    make_links,
)
from schema.tables.people import Guardian, Guardianship, Student, StudentStatus
from tests.card_server.web.parent_phone import ADDRESS, SECRET, tie
from tests.card_server.web.small_school import SmallSchool

NOW = datetime(2026, 9, 7, 2, tzinfo=UTC)


@pytest.fixture
def token(sessions: sessionmaker[Session], school: SmallSchool) -> str:
    with sessions.begin() as session:
        link = make_link(session, school.id, school.guardians[0], NOW, SECRET, ADDRESS + "/")
    return link.removeprefix(f"{ADDRESS}/p/")


def _find(
    sessions: sessionmaker[Session], token: str, now: datetime = NOW, secret: str = SECRET
) -> Doorstep | None:
    with sessions() as session:
        return find_doorstep(session, token, secret, now)


def test_a_link_is_short_and_leads_to_its_guardian_alone(
    sessions: sessionmaker[Session], school: SmallSchool, token: str
) -> None:
    assert re.fullmatch(r"[\w-]+", token, re.ASCII)
    assert len(token) == TOKEN_LENGTH <= 24
    found = _find(sessions, token)
    assert found
    assert found.guardian_id == school.guardians[0]
    assert found.school.id == school.id
    assert found.phone_tail == "1000"


def test_links_of_many_are_each_one_guardians(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        links = make_links(session, school.id, school.guardians, NOW, SECRET, ADDRESS)
    for guardian_id, link in links.items():
        found = _find(sessions, link.rpartition("/")[2])
        assert found
        assert found.guardian_id == guardian_id


def test_a_link_needs_an_address(sessions: sessionmaker[Session], school: SmallSchool) -> None:
    with sessions.begin() as session, pytest.raises(AppError, match="web_address"):
        make_link(session, school.id, school.guardians[0], NOW, SECRET, "")


def test_every_changed_character_makes_a_link_wrong(
    sessions: sessionmaker[Session], token: str
) -> None:
    for at, sign in enumerate(token):
        other = "A" if sign != "A" else "B"
        assert _find(sessions, f"{token[:at]}{other}{token[at + 1 :]}") is None, at


@pytest.mark.parametrize("wrong", ["", "x", "é" * 24, "A" * 24, "/" * 24, "A" * 500, "===="])
def test_what_is_no_link_leads_nowhere(
    sessions: sessionmaker[Session], token: str, wrong: str
) -> None:
    assert _find(sessions, wrong) is None


def test_a_link_of_another_secret_leads_nowhere(
    sessions: sessionmaker[Session], token: str
) -> None:
    assert _find(sessions, token, secret="y" * 32) is None


def test_a_link_lasts_ninety_days(sessions: sessionmaker[Session], token: str) -> None:
    assert _find(sessions, token, NOW + LASTS - timedelta(seconds=1))
    assert _find(sessions, token, NOW + LASTS) is None


def _end(session: Session, school: SmallSchool) -> None:
    assert end_links(session, SYSTEM, school.id, school.guardians[0], NOW) == 1


def _change_number(session: Session, school: SmallSchool) -> None:
    later = NOW + timedelta(seconds=1)
    of_guardian = Guardian.id == school.guardians[0]
    session.execute(update(Guardian).where(of_guardian).values(phone_since=later))


def _lose_number(session: Session, school: SmallSchool) -> None:
    of_guardian = Guardian.id == school.guardians[0]
    session.execute(update(Guardian).where(of_guardian).values(phone_tail=""))


def _unlink(session: Session, school: SmallSchool) -> None:
    of_guardian = Guardianship.guardian_id == school.guardians[0]
    session.execute(delete(Guardianship).where(of_guardian))


def _graduate(session: Session, school: SmallSchool) -> None:
    of_student = Student.id == school.students[0]
    session.execute(update(Student).where(of_student).values(status=StudentStatus.GRADUATED))


@pytest.mark.parametrize("what", [_end, _change_number, _lose_number, _unlink, _graduate])
def test_a_link_dies_with_what_it_stands_on(
    sessions: sessionmaker[Session],
    school: SmallSchool,
    token: str,
    what: Callable[[Session, SmallSchool], None],
) -> None:
    with sessions.begin() as session:
        what(session, school)
    assert _find(sessions, token) is None


def test_a_link_lives_while_one_child_is_left(
    sessions: sessionmaker[Session], school: SmallSchool, token: str
) -> None:
    with sessions.begin() as session:
        tie(session, school, student=1, guardian=0)
        _graduate(session, school)
    assert _find(sessions, token)

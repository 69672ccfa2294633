"""Phones on which a guardian is signed in: they slide, and end with what they stand on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.parents.links import end_links
from card_server.parents.sessions import (
    LASTS,
    Parent,
    end_session,
    end_sessions,
    find_parent,
    is_parent_use_worth_noting,
    note_parent_use,
    open_parent_session,
)
from card_server.staff.sessions import NOWHERE, find_caller
from schema.tables.parents import ParentSession
from schema.tables.people import Guardian, Guardianship, Student, StudentStatus
from tests.card_server.web.parent_phone import tie
from tests.card_server.web.small_school import SmallSchool

NOW = datetime(2026, 9, 7, 2, tzinfo=UTC)


@pytest.fixture
def token(sessions: sessionmaker[Session], school: SmallSchool) -> str:
    with sessions.begin() as session:
        return open_parent_session(session, school.id, school.guardians[0], NOWHERE, NOW)


def _find(sessions: sessionmaker[Session], token: str, now: datetime = NOW) -> Parent | None:
    with sessions() as session:
        return find_parent(session, token, now)


def test_a_token_is_its_guardians_and_the_database_keeps_its_hash(
    sessions: sessionmaker[Session], school: SmallSchool, token: str
) -> None:
    found = _find(sessions, token)
    assert found
    assert found.guardian_id == school.guardians[0]
    assert [one.id for one in found.children] == [school.students[0]]
    with sessions() as session:
        [row] = session.query(ParentSession)
        assert token.encode() not in row.token_hash
        assert find_caller(session, token, NOW) is None
    assert _find(sessions, "0" * 64) is None


def test_a_session_lasts_thirty_days_after_its_last_use(
    sessions: sessionmaker[Session], token: str
) -> None:
    later = NOW + LASTS - timedelta(seconds=1)
    found = _find(sessions, token, later)
    assert found
    assert is_parent_use_worth_noting(found, later)
    assert not is_parent_use_worth_noting(found, NOW + timedelta(minutes=59))
    assert _find(sessions, token, NOW + LASTS) is None
    with sessions.begin() as session:
        note_parent_use(session, found, later)
    assert _find(sessions, token, NOW + LASTS)
    assert _find(sessions, token, later + LASTS) is None


def _end_links(session: Session, school: SmallSchool) -> None:
    end_links(session, SYSTEM, school.id, school.guardians[0], NOW)


def _sign_out_everywhere(session: Session, school: SmallSchool) -> None:
    assert end_sessions(session, school.id, school.guardians[0], NOW) == 1


def _change_number(session: Session, school: SmallSchool) -> None:
    session.execute(update(Guardian).values(phone_since=NOW + timedelta(seconds=1)))


def _unverify(session: Session, school: SmallSchool) -> None:
    session.execute(update(Guardian).values(verified_at=None))


def _unlink(session: Session, school: SmallSchool) -> None:
    session.execute(delete(Guardianship).where(Guardianship.guardian_id == school.guardians[0]))


def _leave_for_good(session: Session, school: SmallSchool) -> None:
    session.execute(update(Student).values(status=StudentStatus.TRANSFERRED))


@pytest.mark.parametrize(
    "what",
    [_end_links, _sign_out_everywhere, _change_number, _unverify, _unlink, _leave_for_good],
)
def test_a_session_ends_with_what_it_stands_on(
    sessions: sessionmaker[Session],
    school: SmallSchool,
    token: str,
    what: Callable[[Session, SmallSchool], None],
) -> None:
    with sessions.begin() as session:
        what(session, school)
    assert _find(sessions, token) is None


def test_signing_out_ends_one_phone(
    sessions: sessionmaker[Session], school: SmallSchool, token: str
) -> None:
    with sessions.begin() as session:
        other = open_parent_session(session, school.id, school.guardians[0], NOWHERE, NOW)
        found = find_parent(session, token, NOW)
        assert found
        end_session(session, found, NOW)
    assert _find(sessions, token) is None
    assert _find(sessions, other)


def test_a_suspended_child_is_still_theirs_and_one_who_left_is_not(
    sessions: sessionmaker[Session], school: SmallSchool, token: str
) -> None:
    with sessions.begin() as session:
        tie(session, school, student=1, guardian=0)
        session.get_one(Student, school.students[0]).status = StudentStatus.GRADUATED
        session.get_one(Student, school.students[1]).status = StudentStatus.SUSPENDED
    found = _find(sessions, token)
    assert found
    assert [one.id for one in found.children] == [school.students[1]]
    assert found.child(school.students[0]) is None

"""The set-up link: once, for an hour, and only while there is nobody."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.staff import accounts
from card_server.staff.sessions import Visitor, find_caller
from card_server.staff.set_up import LINK_LIVES, FirstAccount, is_good, offer_link, set_up
from schema.tables.audit import AuditEntry
from schema.tables.log_in import SetUpLink
from schema.tables.school import School
from schema.tables.staff import Role, Staff, StaffGrant

NOW = datetime(2026, 9, 1, 7, 0, tzinfo=UTC)
DESK = Visitor("192.0.2.1")
FIRST = FirstAccount(
    school_code="no1",
    school_name="第一中学",
    signature="一中",
    role=Role.SCHOOL_ADMIN,
    login="Wang",
    name="王老师",
    password="correct horse battery",
    again="correct horse battery",
)


def _offer(sessions: sessionmaker[Session], now: datetime = NOW) -> str:
    with sessions.begin() as session:
        token = offer_link(session, now)
    assert token
    return token


def _set_up(sessions: sessionmaker[Session], token: str, first: FirstAccount) -> str:
    with sessions.begin() as session:
        return set_up(session, DESK, token, first, NOW).token


def test_the_first_school_and_its_administrator_are_made_and_logged_in(
    sessions: sessionmaker[Session],
) -> None:
    token = _set_up(sessions, _offer(sessions), FIRST)
    with sessions() as session:
        school = session.scalars(select(School)).one()
        assert (school.code, school.name, school.signature) == ("no1", "第一中学", "一中")
        found = find_caller(session, token, NOW)
        assert found
        assert (found.login, found.name, found.must_choose_password) == ("wang", "王老师", False)
        assert found.roles == {Role.SCHOOL_ADMIN}
        assert found.school
        assert accounts.log_in(session, "wang", FIRST.password)
        noted = set(session.scalars(select(AuditEntry.action)))
        assert noted == {"school.made", "staff.set_up", "staff.log_in"}


def test_a_district_administrator_belongs_to_no_school(sessions: sessionmaker[Session]) -> None:
    _set_up(sessions, _offer(sessions), replace(FIRST, role=Role.DISTRICT_ADMIN))
    with sessions() as session:
        assert session.scalars(select(Staff.school_id)).one() is None
        grant = session.scalars(select(StaffGrant)).one()
        assert (grant.role, grant.school_id) == (Role.DISTRICT_ADMIN, None)
        assert session.scalars(select(School.code)).all() == ["no1"]


def test_a_school_that_is_there_is_taken(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        session.add(School(code="no7", name="第七中学", signature="七中"))
    first = replace(FIRST, school_code="no7", school_name="", signature="")
    _set_up(sessions, _offer(sessions), first)
    with sessions() as session:
        school_id = session.scalars(select(School.id).where(School.code == "no7")).one()
        assert session.scalars(select(Staff.school_id)).all() == [school_id]


def test_a_link_works_once_and_its_siblings_no_more(sessions: sessionmaker[Session]) -> None:
    links = [_offer(sessions), _offer(sessions)]
    with sessions() as session:
        assert all(is_good(session, link, NOW) for link in links)
    _set_up(sessions, links[0], FIRST)
    for link in links:
        with sessions() as session:
            assert not is_good(session, link, NOW)
        with pytest.raises(AppError) as error:
            _set_up(sessions, link, replace(FIRST, login="other"))
        assert error.value.code is Code.NOT_FOUND
    with sessions.begin() as session:
        assert offer_link(session, NOW) is None


@pytest.mark.parametrize(
    ("first", "field"),
    [
        (replace(FIRST, again="something else"), "password"),
        (replace(FIRST, password="short", again="short"), "password"),
        (replace(FIRST, login=" "), "login"),
        (replace(FIRST, name="x" * 61), "name"),
        (replace(FIRST, school_code="No 1"), "school_code"),
        (replace(FIRST, school_name=""), "school_name"),
        (replace(FIRST, signature="x" * 21), "signature"),
    ],
)
def test_what_will_not_do_is_named_and_the_link_stays_good(
    sessions: sessionmaker[Session], first: FirstAccount, field: str
) -> None:
    link = _offer(sessions)
    with pytest.raises(FieldsError) as error:
        _set_up(sessions, link, first)
    assert set(error.value.fields) == {field}
    with sessions() as session:
        assert is_good(session, link, NOW)
        assert not session.scalars(select(School)).all()
    assert _set_up(sessions, link, FIRST)


def test_a_link_lives_for_an_hour(sessions: sessionmaker[Session]) -> None:
    link = _offer(sessions, NOW - LINK_LIVES + timedelta(seconds=1))
    with sessions() as session:
        assert is_good(session, link, NOW)
        assert not is_good(session, link, NOW + timedelta(seconds=1))
    late = _offer(sessions, NOW - LINK_LIVES)
    with pytest.raises(AppError) as error:
        _set_up(sessions, late, FIRST)
    assert error.value.code is Code.NOT_FOUND


def test_a_guessed_link_is_none_and_only_a_hash_is_kept(sessions: sessionmaker[Session]) -> None:
    link = _offer(sessions)
    with sessions() as session:
        assert not is_good(session, link[:-1] + ("a" if link[-1] != "a" else "b"), NOW)
        stored = session.scalars(select(SetUpLink.token_hash)).one()
    assert len(stored) == 32
    assert link.encode() not in stored


def test_a_link_is_no_good_once_an_account_came_by_another_way(
    sessions: sessionmaker[Session], admin_id: int
) -> None:
    with sessions.begin() as session:
        session.add(SetUpLink(token_hash=b"x" * 32, expires_at=NOW + LINK_LIVES))
        assert offer_link(session, NOW) is None
        session.flush()
        assert not session.scalars(select(SetUpLink)).all()

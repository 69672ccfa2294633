"""Whose account a provider's word opens: the linked one, or the one that may be linked."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.config import LinkBy
from card_server.errors import AppError, Code
from card_server.staff import accounts
from card_server.staff.oidc import Identity, enter_from_provider
from card_server.staff.sessions import Visitor, find_caller
from schema.tables.audit import AuditEntry
from schema.tables.log_in import OidcIdentity
from schema.tables.staff import Staff

NOW = datetime(2026, 9, 1, 7, 0, tzinfo=UTC)
WHO = Identity("https://id.example", "0001", "wang@school.example", "wang")


@pytest.fixture
def wang_id(sessions: sessionmaker[Session], admin_id: int) -> int:
    """An account whose login is an e-mail address."""
    with sessions.begin() as session:
        return accounts.create_staff_with_password(
            session, 1, "wang@school.example", "王老师", "correct horse battery"
        ).id


def _enter(sessions: sessionmaker[Session], who: Identity, link_by: LinkBy) -> int:
    """The account that it opened."""
    with sessions.begin() as session:
        entered = enter_from_provider(session, Visitor("192.0.2.1"), who, link_by, NOW)
        found = find_caller(session, entered.token, NOW)
        assert found
        return found.staff_id


def _is_refused(sessions: sessionmaker[Session], who: Identity, link_by: LinkBy) -> bool:
    with pytest.raises(AppError) as error:
        _enter(sessions, who, link_by)
    return error.value.code is Code.NOT_ALLOWED


def test_a_verified_address_links_once_and_the_subject_opens_from_then_on(
    sessions: sessionmaker[Session], wang_id: int
) -> None:
    assert _enter(sessions, WHO, LinkBy.EMAIL) == wang_id
    changed = replace(WHO, verified_email=None, preferred_username=None)
    assert _enter(sessions, changed, LinkBy.NONE) == wang_id
    with sessions() as session:
        noted = list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))
    assert noted == ["staff.oidc_linked", "staff.log_in", "staff.log_in"]


@pytest.mark.parametrize(
    ("who", "link_by"),
    [
        (replace(WHO, verified_email=None), LinkBy.EMAIL),
        (replace(WHO, verified_email="other@school.example"), LinkBy.EMAIL),
        (WHO, LinkBy.NONE),
        (WHO, LinkBy.PREFERRED_USERNAME),
        (replace(WHO, preferred_username=None), LinkBy.PREFERRED_USERNAME),
        (replace(WHO, verified_email=""), LinkBy.EMAIL),
    ],
)
def test_nobody_is_linked_by_less_and_no_account_is_made(
    sessions: sessionmaker[Session], wang_id: int, who: Identity, link_by: LinkBy
) -> None:
    assert _is_refused(sessions, who, link_by)
    with sessions() as session:
        assert len(session.scalars(select(Staff)).all()) == 2
        assert not session.scalars(select(OidcIdentity)).all()


def test_a_user_name_links_where_the_school_says_so(
    sessions: sessionmaker[Session], wang_id: int
) -> None:
    who = replace(WHO, preferred_username="Wang@School.example")
    assert _enter(sessions, who, LinkBy.PREFERRED_USERNAME) == wang_id


def test_a_linked_account_is_not_linked_to_a_second_person(
    sessions: sessionmaker[Session], wang_id: int
) -> None:
    _enter(sessions, WHO, LinkBy.EMAIL)
    assert _is_refused(sessions, replace(WHO, subject="0002"), LinkBy.EMAIL)


def test_the_same_subject_of_another_provider_is_somebody_else(
    sessions: sessionmaker[Session], wang_id: int
) -> None:
    _enter(sessions, WHO, LinkBy.EMAIL)
    other = replace(WHO, issuer="https://other.example", verified_email=None)
    assert _is_refused(sessions, other, LinkBy.EMAIL)


@pytest.mark.parametrize("is_linked", [True, False])
def test_a_disabled_account_is_refused(
    sessions: sessionmaker[Session], wang_id: int, is_linked: bool
) -> None:
    if is_linked:
        _enter(sessions, WHO, LinkBy.EMAIL)
    with sessions.begin() as session:
        session.get_one(Staff, wang_id).disabled_at = NOW
    assert _is_refused(sessions, WHO, LinkBy.EMAIL)

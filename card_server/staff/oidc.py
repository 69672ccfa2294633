"""Accounts of people who log in elsewhere (OpenID Connect): found by who they are there, or linked.

No account is ever made here: a school says who works for it, a provider only who somebody is.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import note
from card_server.config import LinkBy
from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.staff.accounts import find_by_login
from card_server.staff.log_in import Entered, actor_of, let_in
from card_server.staff.sessions import Visitor
from schema.tables.log_in import OidcIdentity
from schema.tables.staff import Staff

_NO_ACCOUNT = _(
    "There is no account here for this log-in. Ask the school's administrator, or log in with a"
    " password."
)


@dataclass(frozen=True)
class Identity:
    """What a provider vouches for."""

    issuer: str
    subject: str
    verified_email: str | None
    preferred_username: str | None


def enter_from_provider(
    session: Session, visitor: Visitor, identity: Identity, link_by: LinkBy, now: datetime
) -> Entered:
    """A new session for whom the provider proved; it waits for the phone's code if there is one.

    Raises AppError(NOT_ALLOWED), with one text for an unknown, a disabled and an ambiguous account.
    """
    staff = session.scalar(
        select(Staff)
        .join(OidcIdentity, OidcIdentity.staff_id == Staff.id)
        .where(OidcIdentity.issuer == identity.issuer, OidcIdentity.subject == identity.subject)
    ) or _link(session, visitor, identity, link_by, now)
    if staff is None or staff.disabled_at is not None:
        raise AppError(Code.NOT_ALLOWED, _NO_ACCOUNT)
    return let_in(session, staff, visitor, now, "oidc")


def _link(
    session: Session, visitor: Visitor, identity: Identity, link_by: LinkBy, now: datetime
) -> Staff | None:
    """The account that has the identity's name as its login, if nobody else is linked to it."""
    login = {
        LinkBy.EMAIL: identity.verified_email,
        LinkBy.PREFERRED_USERNAME: identity.preferred_username,
        LinkBy.NONE: None,
    }[link_by]
    staff = find_by_login(session, login) if login else None
    if staff is None or staff.disabled_at is not None:
        return None
    linked = select(OidcIdentity.subject).where(
        OidcIdentity.issuer == identity.issuer, OidcIdentity.staff_id == staff.id
    )
    if session.scalar(linked) is not None:
        return None
    session.add(
        OidcIdentity(
            issuer=identity.issuer, subject=identity.subject, staff_id=staff.id, linked_at=now
        )
    )
    session.flush()
    who = actor_of(staff, visitor)
    details = {"issuer": identity.issuer, "subject": identity.subject, "by": link_by.value}
    note(session, staff.school_id, who, "staff.oidc_linked", f"staff:{staff.id}", details=details)
    return staff

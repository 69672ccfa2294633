"""The first start: while there is no account, a link that works once makes the first one."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems
from card_server.register.schools import add_school, find_school
from card_server.staff.accounts import check_choice, create_staff_with_password
from card_server.staff.log_in import Entered, actor_of, let_in
from card_server.staff.scope import SCOPES, Grant
from card_server.staff.sessions import Visitor, hash_token
from schema.tables.log_in import SetUpLink
from schema.tables.school import School
from schema.tables.staff import Role, Staff

LINK_LIVES = timedelta(hours=1)
_ZONE = "Asia/Shanghai"
"""The settings page changes it."""
_FORM_FIELDS = {"code": "school_code", "name": "school_name"}
FIRST_ROLES = (Role.SCHOOL_ADMIN, Role.DISTRICT_ADMIN)


@dataclass(frozen=True)
class FirstAccount:
    """What the page of the set-up link asks for."""

    school_code: str
    school_name: str
    """Needed with the signature when there is no school yet."""
    signature: str
    role: Role
    login: str
    name: str
    password: str
    again: str


def offer_link(session: Session, now: datetime) -> str | None:
    """The token of a new link; None as soon as there is an account, and then old links go too.

    Links of other processes stay good: each has printed its own.
    """
    if _has_staff(session):
        session.execute(delete(SetUpLink))
        return None
    session.execute(delete(SetUpLink).where(SetUpLink.expires_at <= now))
    token = secrets.token_urlsafe(32)
    session.add(SetUpLink(token_hash=hash_token(token), expires_at=now + LINK_LIVES))
    session.flush()
    return token


def is_good(session: Session, token: str, now: datetime) -> bool:
    """Whether a link still works."""
    wanted = select(SetUpLink.expires_at).where(SetUpLink.token_hash == hash_token(token))
    expires_at = session.scalar(wanted)
    return expires_at is not None and now < expires_at and not _has_staff(session)


def school_codes(session: Session) -> list[str]:
    """The codes of the schools that exist already, by `card-server add-school`."""
    return list(session.scalars(select(School.code).order_by(School.code)))


def set_up(
    session: Session, visitor: Visitor, token: str, first: FirstAccount, now: datetime
) -> Entered:
    """Make the first school, if there is none, and the first account, and log it in.

    Raises AppError(NOT_FOUND) when the link does not work any more, AppError(INVALID) when
    something will not do; the link then stays good.
    """
    # All links go at once: of two processes that come here at the same time one finds none.
    links = session.execute(
        delete(SetUpLink)
        .returning(SetUpLink.token_hash, SetUpLink.expires_at)
        .execution_options(synchronize_session=False)
    ).all()
    is_ours = any(link.token_hash == hash_token(token) and now < link.expires_at for link in links)
    if not is_ours or _has_staff(session):
        raise AppError(Code.NOT_FOUND, "This link does not work any more.")
    school = _first_school(session, visitor, first)
    staff = _first_account(session, school, first)
    note(
        session,
        staff.school_id,
        actor_of(staff, visitor),
        "staff.set_up",
        f"staff:{staff.id}",
        details={"login": staff.login, "role": first.role.value},
    )
    return let_in(session, staff, visitor, now, "set_up")


def _first_school(session: Session, visitor: Visitor, first: FirstAccount) -> School:
    if school_codes(session):
        return find_school(session, first.school_code)
    try:
        return add_school(
            session,
            Actor("nobody", None, first.name.strip(), visitor.address),
            code=first.school_code.strip(),
            name=first.school_name,
            signature=first.signature,
            zone=_ZONE,
        )
    except FieldsError as error:
        wrong = {_FORM_FIELDS.get(name, name): said for name, said in error.fields.items()}
        raise FieldsError(wrong, error.code) from error


def _first_account(session: Session, school: School, first: FirstAccount) -> Staff:
    wrong = Problems()
    login, name = wrong.text("login", first.login, 60), wrong.text("name", first.name, 60)
    try:
        check_choice(login, first.password, first.again)
    except AppError as error:
        wrong.add("password", error.message)
    wrong.refuse()
    if first.role not in FIRST_ROLES:
        raise AppError(Code.INVALID, "The first account is an administrator.")
    return create_staff_with_password(
        session,
        None if first.role is Role.DISTRICT_ADMIN else school.id,
        login,
        name,
        first.password,
        Grant(first.role, SCOPES[first.role][0]),
    )


def _has_staff(session: Session) -> bool:
    return session.scalar(select(Staff.id).limit(1)) is not None

"""The staff (教职工) of a school, or of the district, in the hands of its administrators.

Three rules hold whatever the page: nobody gives more than they hold; a school and the district keep
an administrator who can log in; nobody shuts themselves out. No school (None) is the district.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.register.schools import add_school
from card_server.seen import changes, refuse_if_changed
from card_server.staff import lockout, totp
from card_server.staff.accounts import add_grant, create_staff, renew_one_time_password
from card_server.staff.scope import WHOLE_SCHOOL, Grant
from card_server.staff.tokens import covers
from schema.tables.school import Homeroom, School
from schema.tables.staff import Role, Scope, Staff, StaffGrant, StaffSession


@dataclass(frozen=True)
class Administrator:
    """Who makes a change: as the audit log names them, and what they hold themselves."""

    actor: Actor
    staff_id: int
    grants: tuple[Grant, ...]


@dataclass(frozen=True)
class Member:
    """One account with its grants."""

    id: int
    login: str
    name: str
    grants: tuple[Grant, ...]
    must_choose_password: bool
    disabled_at: datetime | None

    def shown(self) -> dict[str, object]:
        """What a form shows of it: its fingerprint tells whether that is still so."""
        return {"name": self.name, "grants": _words(self.grants)}


@dataclass(frozen=True)
class Made:
    """A new account, and the password that is known at this moment only."""

    id: int
    login: str
    one_time_password: str


def list_staff(session: Session, school_id: int | None) -> list[Member]:
    """All accounts of a school by name, the disabled ones last, in two queries."""
    found = session.scalars(
        select(Staff)
        .where(Staff.school_id == school_id)
        .order_by(Staff.disabled_at.is_not(None), Staff.name, Staff.id)
    ).all()
    grants = _read_grants(session, [one.id for one in found])
    return [_member(one, grants[one.id]) for one in found]


def find_member(session: Session, school_id: int | None, staff_id: int) -> Member:
    """One account of a school. Raises AppError(NOT_FOUND), for those of other schools as well."""
    return _member(_find(session, school_id, staff_id), _read_grants(session, [staff_id])[staff_id])


def add_staff(
    session: Session,
    by: Administrator,
    school_id: int | None,
    login: str,
    name: str,
    grants: Sequence[Grant],
) -> Made:
    """A new account in a school. Raises FieldsError; AppError(NOT_ALLOWED) for too much."""
    wrong = Problems()
    login, name = _read_login(wrong, login), wrong.text("name", name, 60)
    _check_grants(session, wrong, school_id, grants)
    wrong.refuse()
    _refuse_too_much(by, grants)
    made = _create(session, school_id, login, name, grants)
    details = {"login": login, "name": name, "grants": _words(grants)}
    note(session, school_id, by.actor, "staff.made", f"staff:{made.id}", details=details)
    return made


def change_staff(
    session: Session,
    by: Administrator,
    school_id: int | None,
    staff_id: int,
    name: str,
    grants: Sequence[Grant],
    seen: str | None = None,
) -> bool:
    """Whether anything changed; what the account may do counts from its next request on.

    Raises FieldsError; AppError(CONFLICT) when it is not as it was seen or would leave the school
    without an administrator; AppError(NOT_ALLOWED) for more than the administrator holds.
    """
    staff, before = _lock(session, school_id, staff_id)
    refuse_if_changed(before.shown(), seen)
    wrong = Problems()
    name = wrong.text("name", name, 60)
    _check_grants(session, wrong, school_id, grants)
    wrong.refuse()
    added = [one for one in grants if one not in before.grants]
    removed = [one for one in before.grants if one not in grants]
    # Who may not give a right may not take it away either.
    _refuse_too_much(by, [*added, *removed])
    if not _has_admin(school_id, grants):
        _keep_an_admin(session, school_id, before)
    if not added and not removed and name == before.name:
        return False
    staff.name = name
    _replace_grants(session, staff, added, removed)
    after = {"name": name, "grants": _words(grants)}
    details = changes(before.shown(), after)
    note(session, school_id, by.actor, "staff.changed", f"staff:{staff_id}", details=details)
    return True


def disable_staff(
    session: Session, by: Administrator, school_id: int | None, staff_id: int, now: datetime
) -> None:
    """Let nobody log in by this account any more, and end its sessions at once.

    Raises AppError(NOT_FOUND), AppError(NOT_ALLOWED) for oneself or for somebody who holds more,
    AppError(CONFLICT) for the last administrator.
    """
    if staff_id == by.staff_id:
        raise AppError(Code.NOT_ALLOWED, "You cannot disable your own account.")
    staff, member = _lock(session, school_id, staff_id)
    _refuse_too_much(by, member.grants)
    if staff.disabled_at is not None:
        return
    _keep_an_admin(session, school_id, member)
    staff.disabled_at = now.astimezone(UTC)
    session.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id))
    session.flush()
    note(session, school_id, by.actor, "staff.disabled", f"staff:{staff_id}")


def enable_staff(session: Session, by: Administrator, school_id: int | None, staff_id: int) -> None:
    """Let the account log in again, with the password and the rights that it had."""
    staff, member = _lock(session, school_id, staff_id)
    _refuse_too_much(by, member.grants)
    if staff.disabled_at is None:
        return
    staff.disabled_at = None
    session.flush()
    note(session, school_id, by.actor, "staff.enabled", f"staff:{staff_id}")


def renew_password(
    session: Session, by: Administrator, school_id: int | None, staff_id: int
) -> Made:
    """A new one-time password; whoever was logged in by this account is logged out.

    Raises AppError(NOT_ALLOWED) for oneself: a password of one's own is changed with the old one.
    """
    if staff_id == by.staff_id:
        raise AppError(Code.NOT_ALLOWED, "Change your own password on the page of your account.")
    staff, member = _lock(session, school_id, staff_id)
    _refuse_too_much(by, member.grants)
    password = renew_one_time_password(session, staff.login)
    note(session, school_id, by.actor, "staff.password_renewed", f"staff:{staff_id}")
    return Made(staff_id, staff.login, password)


def unlock_staff(session: Session, by: Administrator, school_id: int | None, staff_id: int) -> None:
    """Let somebody who failed too often try again at once."""
    _staff, member = _lock(session, school_id, staff_id)
    _refuse_too_much(by, member.grants)
    lockout.unlock(session, staff_id)
    note(session, school_id, by.actor, "staff.unlocked", f"staff:{staff_id}")


def switch_code_off(
    session: Session, by: Administrator, school_id: int | None, staff_id: int
) -> None:
    """Ask no phone's code of somebody whose phone is lost, and end the account's sessions.

    Raises AppError(NOT_ALLOWED) for oneself: who still has the phone can prove it.
    """
    if staff_id == by.staff_id:
        raise AppError(Code.NOT_ALLOWED, "Switch your own code off on the page of your account.")
    _staff, member = _lock(session, school_id, staff_id)
    _refuse_too_much(by, member.grants)
    totp.switch_off(session, staff_id)
    session.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id))
    note(session, school_id, by.actor, "staff.code_switched_off", f"staff:{staff_id}")


def open_school(
    session: Session,
    by: Administrator,
    *,
    code: str,
    name: str,
    signature: str,
    zone: str,
    login: str,
    admin_name: str,
) -> tuple[School, Made]:
    """A new school with its first administrator. Raises FieldsError, of both at once."""
    _refuse_too_much(by, [Grant(Role.DISTRICT_ADMIN, Scope.DISTRICT)])
    wrong = Problems()
    login, admin_name = _read_login(wrong, login), wrong.text("admin_name", admin_name, 60)
    try:
        school = add_school(session, by.actor, code=code, name=name, signature=signature, zone=zone)
    except FieldsError as error:
        raise FieldsError(error.fields | wrong, error.code) from error
    wrong.refuse()
    made = _create(session, school.id, login, admin_name, [WHOLE_SCHOOL])
    details = {"login": login, "name": admin_name, "grants": _words([WHOLE_SCHOOL])}
    note(session, school.id, by.actor, "staff.made", f"staff:{made.id}", details=details)
    return school, made


def _find(session: Session, school_id: int | None, staff_id: int) -> Staff:
    staff = session.scalar(select(Staff).where(Staff.school_id == school_id, Staff.id == staff_id))
    if staff is None:
        raise AppError(Code.NOT_FOUND, "There is no such account in this school.")
    return staff


def _lock(session: Session, school_id: int | None, staff_id: int) -> tuple[Staff, Member]:
    """The account, while nobody else can change the staff that it is among.

    Two administrators who disable each other would otherwise both find the other one there. Rows
    that only refer to the school are not held up (`key_share`).
    """
    whole = select(School.id).where(School.id == school_id)
    if school_id is None:
        whole = select(Staff.id).where(Staff.school_id.is_(None)).order_by(Staff.id)
    session.execute(whole.with_for_update(key_share=True))
    staff = _find(session, school_id, staff_id)
    session.refresh(staff)
    return staff, _member(staff, _read_grants(session, [staff_id])[staff_id])


def _member(staff: Staff, grants: Iterable[Grant]) -> Member:
    return Member(
        staff.id,
        staff.login,
        staff.name,
        tuple(grants),
        staff.password_is_one_time,
        staff.disabled_at,
    )


def _read_grants(session: Session, staff_ids: Sequence[int]) -> dict[int, list[Grant]]:
    found = session.scalars(
        select(StaffGrant).where(StaffGrant.staff_id.in_(staff_ids)).order_by(StaffGrant.id)
    )
    grants: dict[int, list[Grant]] = defaultdict(list)
    for one in found:
        grants[one.staff_id].append(_grant(one))
    return grants


def _grant(row: StaffGrant) -> Grant:
    return Grant(row.role, row.scope, row.grade, row.homeroom_id, row.place)


def _read_login(wrong: Problems, typed: str) -> str:
    login = wrong.text("login", typed, 60).lower()
    if " " in login:
        wrong.add("login", _("A login has no spaces."))
    return login


def _check_grants(
    session: Session, wrong: Problems, school_id: int | None, grants: Sequence[Grant]
) -> None:
    """That there are any, and that homerooms are the school's own."""
    if not grants:
        wrong.add("grants", _("Choose at least one role."))
    rooms = {one.homeroom_id for one in grants if one.homeroom_id is not None}
    own = session.scalars(
        select(Homeroom.id).where(Homeroom.school_id == school_id, Homeroom.id.in_(rooms))
    )
    if rooms - set(own):
        wrong.add("grants", _("There is no such homeroom in this school."))


def _refuse_too_much(by: Administrator, grants: Iterable[Grant]) -> None:
    if not all(covers(by.grants, grant) for grant in grants):
        raise AppError(Code.NOT_ALLOWED, "You can give and take only what you may do yourself.")


def _keep_an_admin(session: Session, school_id: int | None, leaving: Member) -> None:
    """Raise AppError(CONFLICT) when the only administrator would be gone."""
    if not _has_admin(school_id, leaving.grants) or leaving.disabled_at is not None:
        return
    another = session.scalar(
        select(Staff.id)
        .join(StaffGrant, StaffGrant.staff_id == Staff.id)
        .where(
            Staff.school_id == school_id,
            Staff.id != leaving.id,
            Staff.disabled_at.is_(None),
            StaffGrant.role == _admin_role(school_id),
        )
        .limit(1)
    )
    if another is None:
        raise AppError(
            Code.CONFLICT, "This is the only administrator. Make somebody else one first."
        )


def _has_admin(school_id: int | None, grants: Iterable[Grant]) -> bool:
    return any(grant.role is _admin_role(school_id) for grant in grants)


def _admin_role(school_id: int | None) -> Role:
    return Role.DISTRICT_ADMIN if school_id is None else Role.SCHOOL_ADMIN


def _create(
    session: Session, school_id: int | None, login: str, name: str, grants: Sequence[Grant]
) -> Made:
    """Logins are unique over the server, of which this session may see one school only."""
    try:
        with session.begin_nested():
            password = create_staff(session, school_id, login, name, *grants)
    except (IntegrityError, AppError) as error:
        if isinstance(error, AppError) and error.code is not Code.CONFLICT:
            raise
        taken = {"login": _("This login is taken. Choose another one.")}
        raise FieldsError(taken, Code.CONFLICT) from error
    made = session.scalars(select(Staff.id).where(Staff.login == login)).one()
    return Made(made, login, password)


def _replace_grants(
    session: Session, staff: Staff, added: Sequence[Grant], removed: Sequence[Grant]
) -> None:
    rows = session.scalars(select(StaffGrant).where(StaffGrant.staff_id == staff.id))
    for row in rows.all():
        if _grant(row) in removed:
            session.delete(row)
    session.flush()
    for grant in added:
        add_grant(session, staff, grant)


def _words(grants: Iterable[Grant]) -> str:
    """Each grant as one word, in an order that does not depend on when it was given."""
    return ", ".join(sorted(write_grant(grant) for grant in grants))


def write_grant(grant: Grant) -> str:
    """A grant as forms and the audit log write it: role, scope, and which."""
    which = grant.grade or grant.homeroom_id or grant.place
    return ":".join([grant.role, grant.scope, *([str(which)] if which else [])])

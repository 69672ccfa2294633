"""The school's staff: their accounts, and what each may do."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from apiflask import APIBlueprint

from card_server.access import (
    actor,
    allow,
    caller,
    changing_session,
    school_in_use,
    school_session,
)
from card_server.api import shapes
from card_server.api.changes import GivenGrant, NewStaff, StaffChange, StaffPath
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.staff import administration
from card_server.staff.administration import Administrator
from card_server.staff.scope import SCOPES, Grant
from schema.tables.staff import Role, Scope

routes = APIBlueprint("staff", __name__, tag="Staff", url_prefix="/staff")
_ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)


@routes.get("")
@allow(*_ADMINS)
@routes.output(shapes.StaffList)
def staff() -> Any:
    """All accounts of the school."""
    with school_session() as session:
        return {"items": administration.list_staff(session, school_in_use().id)}


@routes.post("")
@allow(*_ADMINS)
@routes.input(NewStaff, arg_name="sent")
@routes.output(shapes.OneTimePassword, status_code=201)
def add_staff(sent: NewStaff) -> Any:
    """Make an account; the answer has its one-time password, this once."""
    with changing_session() as session:
        return administration.add_staff(
            session,
            _administrator(),
            school_in_use().id,
            sent.login,
            sent.name,
            _read_grants(sent.grants),
        )


@routes.get("/<staff_id>")
@allow(*_ADMINS)
@routes.input(StaffPath, location="path", arg_name="asked")
@routes.output(shapes.Staff)
def member(staff_id: str, asked: StaffPath) -> Any:
    """One account."""
    with school_session() as session:
        return administration.find_member(session, school_in_use().id, asked.staff_id)


@routes.patch("/<staff_id>")
@allow(*_ADMINS)
@routes.input(StaffPath, location="path", arg_name="asked")
@routes.input(StaffChange, arg_name="sent")
@routes.output(shapes.Staff)
def change_staff(staff_id: str, asked: StaffPath, sent: StaffChange) -> Any:
    """Change an account's name or grants, or let it log in no longer (or again)."""
    by, school_id, id_ = _administrator(), school_in_use().id, asked.staff_id
    with changing_session() as session:
        before = administration.find_member(session, school_id, id_)
        if sent.name is not None or sent.grants is not None:
            grants = before.grants if sent.grants is None else _read_grants(sent.grants)
            name = before.name if sent.name is None else sent.name
            administration.change_staff(session, by, school_id, id_, name, grants)
        if sent.is_disabled is True:
            administration.disable_staff(session, by, school_id, id_, datetime.now(UTC))
        if sent.is_disabled is False:
            administration.enable_staff(session, by, school_id, id_)
        return administration.find_member(session, school_id, id_)


@routes.post("/<staff_id>/password")
@allow(*_ADMINS)
@routes.input(StaffPath, location="path", arg_name="asked")
@routes.output(shapes.OneTimePassword)
def renew_password(staff_id: str, asked: StaffPath) -> Any:
    """Give an account a new one-time password; whoever is logged in by it is logged out."""
    with changing_session() as session:
        return administration.renew_password(
            session, _administrator(), school_in_use().id, asked.staff_id
        )


def _administrator() -> Administrator:
    """The token, as the rules about staff want it: with its own rights and its maker's account."""
    who = caller()
    return Administrator(actor(), who.staff_id, who.grants)


def _read_grants(sent: Iterable[GivenGrant]) -> list[Grant]:
    """What was sent, without repeats. Raises FieldsError for a scope that the role cannot have."""
    grants = [Grant(one.role, one.scope, one.grade, one.homeroom_id, one.place) for one in sent]
    if any(grant != _plain(grant) or grant.scope not in SCOPES[grant.role] for grant in grants):
        raise FieldsError({"grants": _("This role cannot reach so far. Choose another scope.")})
    return list(dict.fromkeys(grants))


def _plain(grant: Grant) -> Grant:
    """The grant with what its scope needs, and nothing else."""
    is_place = grant.scope in (Scope.GATE, Scope.LAB)
    return Grant(
        grant.role,
        grant.scope,
        (grant.grade or 0) if grant.scope is Scope.GRADE else None,
        (grant.homeroom_id or 0) if grant.scope is Scope.HOMEROOM else None,
        (grant.place or "-") if is_place else None,
    )

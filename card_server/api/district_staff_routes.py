"""The district's own staff: who administers all schools, and who reads their logs."""

from typing import Any

from apiflask import APIBlueprint

from card_server.access import allow_anywhere, reading, writing
from card_server.api import admin_shapes as shapes
from card_server.api.accounts import Accounts
from card_server.api.changes import NewStaff, StaffChange, StaffPath
from card_server.api.matching import if_match
from schema.tables.staff import Role

routes = APIBlueprint("district_staff", __name__, tag="District", url_prefix="/district/staff")


@routes.get("")
@allow_anywhere(Role.DISTRICT_ADMIN)
@routes.output(shapes.StaffList)
def staff() -> Any:
    """All accounts of the district."""
    return {"items": _accounts().list_all()}


@routes.post("")
@allow_anywhere(Role.DISTRICT_ADMIN)
@routes.input(NewStaff, arg_name="sent")
@routes.output(shapes.OneTimePassword, status_code=201)
def add_staff(sent: NewStaff) -> Any:
    """Make an account; the answer has its one-time password, this once."""
    return _accounts().add(sent)


@routes.get("/<staff_id>")
@allow_anywhere(Role.DISTRICT_ADMIN)
@routes.input(StaffPath, location="path", arg_name="asked")
@routes.output(shapes.Staff)
def member(staff_id: str, asked: StaffPath) -> Any:
    """One account."""
    return _accounts().find(asked.staff_id)


@routes.patch("/<staff_id>")
@allow_anywhere(Role.DISTRICT_ADMIN)
@if_match
@routes.input(StaffPath, location="path", arg_name="asked")
@routes.input(StaffChange, arg_name="sent")
@routes.output(shapes.Staff)
def change_staff(staff_id: str, asked: StaffPath, sent: StaffChange) -> Any:
    """Change an account's name or grants, or let it log in no longer (or again)."""
    return _accounts().change(asked.staff_id, sent)


@routes.post("/<staff_id>/password")
@allow_anywhere(Role.DISTRICT_ADMIN)
@routes.input(StaffPath, location="path", arg_name="asked")
@routes.output(shapes.OneTimePassword)
def renew_password(staff_id: str, asked: StaffPath) -> Any:
    """Give an account a new one-time password; whoever is logged in by it is logged out."""
    return _accounts().renew_password(asked.staff_id)


@routes.post("/<staff_id>/unlock")
@allow_anywhere(Role.DISTRICT_ADMIN)
@routes.input(StaffPath, location="path", arg_name="asked")
@routes.output(shapes.Staff)
def unlock(staff_id: str, asked: StaffPath) -> Any:
    """Let somebody try again at once who failed to log in too often."""
    return _accounts().unlock(asked.staff_id)


@routes.post("/<staff_id>/code-off")
@allow_anywhere(Role.DISTRICT_ADMIN)
@routes.input(StaffPath, location="path", arg_name="asked")
@routes.output(shapes.Staff)
def switch_code_off(staff_id: str, asked: StaffPath) -> Any:
    """Ask no phone's code of somebody whose phone is lost; the account is logged out."""
    return _accounts().switch_code_off(asked.staff_id)


def _accounts() -> Accounts:
    return Accounts(None, reading(), writing().begin)

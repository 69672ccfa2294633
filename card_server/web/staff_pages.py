"""A school's staff and their roles (教职工与角色)."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from card_server.access import allow, changing_session, school_in_use, school_session
from card_server.web import account_desk
from card_server.web.account_desk import Desk
from schema.tables.staff import Role

pages = Blueprint("staff", __name__)


@pages.get("/settings/staff")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show() -> ResponseReturnValue:
    """All accounts of the school."""
    return account_desk.show_all(_desk())


@pages.get("/settings/staff/new")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show_new() -> ResponseReturnValue:
    """The form for a new account."""
    return account_desk.show_new(_desk())


@pages.post("/settings/staff/new")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def add() -> ResponseReturnValue:
    """Make an account, and show its one-time password."""
    return account_desk.add(_desk())


@pages.get("/settings/staff/<int:staff_id>")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show_member(staff_id: int) -> ResponseReturnValue:
    """One account: its name, what it may do, and whether it can log in."""
    return account_desk.show_one(_desk(), staff_id)


@pages.post("/settings/staff/<int:staff_id>")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def change(staff_id: int) -> ResponseReturnValue:
    """Change an account's name and roles."""
    return account_desk.change(_desk(), staff_id)


@pages.post("/settings/staff/<int:staff_id>/disable")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def disable(staff_id: int) -> ResponseReturnValue:
    """End an account's sessions and let nobody log in by it."""
    return account_desk.disable(_desk(), staff_id)


@pages.post("/settings/staff/<int:staff_id>/enable")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def enable(staff_id: int) -> ResponseReturnValue:
    """Let an account log in again."""
    return account_desk.enable(_desk(), staff_id)


@pages.post("/settings/staff/<int:staff_id>/unlock")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def unlock(staff_id: int) -> ResponseReturnValue:
    """Let somebody try again at once who failed too often."""
    return account_desk.unlock(_desk(), staff_id)


@pages.post("/settings/staff/<int:staff_id>/code-off")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def switch_code_off(staff_id: int) -> ResponseReturnValue:
    """Ask no phone's code of somebody whose phone is lost."""
    return account_desk.switch_code_off(_desk(), staff_id)


@pages.post("/settings/staff/<int:staff_id>/password")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def renew_password(staff_id: int) -> ResponseReturnValue:
    """Give an account a new one-time password, and show it."""
    return account_desk.renew_password(_desk(), staff_id)


def _desk() -> Desk:
    school = school_in_use()
    return Desk("staff", "staff_id", school.id, school.name, school_session, changing_session)

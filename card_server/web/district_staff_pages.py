"""The district's own staff (区级人员): who administers all schools, and who reads their logs."""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import allow_anywhere, reading, writing
from card_server.web import account_desk
from card_server.web.account_desk import Desk
from schema.tables.staff import Role

pages = Blueprint("district_staff", __name__)


@pages.get("/district/staff")
@allow_anywhere(Role.DISTRICT_ADMIN)
def show() -> ResponseReturnValue:
    """All accounts of the district."""
    return account_desk.show_all(_desk())


@pages.get("/district/staff/new")
@allow_anywhere(Role.DISTRICT_ADMIN)
def show_new() -> ResponseReturnValue:
    """The form for a new account."""
    return account_desk.show_new(_desk())


@pages.post("/district/staff/new")
@allow_anywhere(Role.DISTRICT_ADMIN)
def add() -> ResponseReturnValue:
    """Make an account, and show its one-time password."""
    return account_desk.add(_desk())


@pages.get("/district/staff/<int:account_id>")
@allow_anywhere(Role.DISTRICT_ADMIN)
def show_member(account_id: int) -> ResponseReturnValue:
    """One account: its name, what it may do, and whether it can log in."""
    return account_desk.show_one(_desk(), account_id)


@pages.post("/district/staff/<int:account_id>")
@allow_anywhere(Role.DISTRICT_ADMIN)
def change(account_id: int) -> ResponseReturnValue:
    """Change an account's name and roles."""
    return account_desk.change(_desk(), account_id)


@pages.post("/district/staff/<int:account_id>/disable")
@allow_anywhere(Role.DISTRICT_ADMIN)
def disable(account_id: int) -> ResponseReturnValue:
    """End an account's sessions and let nobody log in by it."""
    return account_desk.disable(_desk(), account_id)


@pages.post("/district/staff/<int:account_id>/enable")
@allow_anywhere(Role.DISTRICT_ADMIN)
def enable(account_id: int) -> ResponseReturnValue:
    """Let an account log in again."""
    return account_desk.enable(_desk(), account_id)


@pages.post("/district/staff/<int:account_id>/unlock")
@allow_anywhere(Role.DISTRICT_ADMIN)
def unlock(account_id: int) -> ResponseReturnValue:
    """Let somebody try again at once who failed too often."""
    return account_desk.unlock(_desk(), account_id)


@pages.post("/district/staff/<int:account_id>/code-off")
@allow_anywhere(Role.DISTRICT_ADMIN)
def switch_code_off(account_id: int) -> ResponseReturnValue:
    """Ask no phone's code of somebody whose phone is lost."""
    return account_desk.switch_code_off(_desk(), account_id)


@pages.post("/district/staff/<int:account_id>/password")
@allow_anywhere(Role.DISTRICT_ADMIN)
def renew_password(account_id: int) -> ResponseReturnValue:
    """Give an account a new one-time password, and show it."""
    return account_desk.renew_password(_desk(), account_id)


def _desk() -> Desk:
    return Desk(
        "district_staff", "account_id", None, gettext("District"), reading(), writing().begin
    )

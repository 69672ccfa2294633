"""A school's staff and their roles (教职工与角色)."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import allow, caller, school_in_use, school_session
from card_server.staff import administration, lockout, totp
from card_server.staff.administration import Administrator, Made, Member, write_grant
from card_server.web.changing import (
    NOTHING_WRONG,
    Wrong,
    administrator,
    seen_by_form,
    try_change,
)
from card_server.web.grant_choices import (
    grant_label,
    list_choices,
    read_places,
    read_ticked,
    show_choices,
)
from card_server.web.history import show_history
from card_server.web.tables import Column, cut_page, read_asked
from schema.tables.staff import Role

pages = Blueprint("staff", __name__)


@pages.get("/settings/staff")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show() -> ResponseReturnValue:
    """All accounts of the school."""
    school_id, asked = school_in_use().id, read_asked(("name", "login"))
    with school_session() as session:
        found = administration.list_staff(session, school_id)
        places = read_places(session, school_id)
    keys = {"name": lambda one: one.name, "login": lambda one: one.login}
    columns = [
        Column(gettext("Full name"), "name"),
        Column(gettext("Login"), "login"),
        Column(gettext("Roles")),
        Column(gettext("State")),
    ]
    return render_template(
        "settings_staff.html",
        page=cut_page(asked.sorted(found, keys), asked),
        asked=asked,
        columns=columns,
        roles_of=lambda member: [grant_label(one, places) for one in member.grants],
    )


@pages.get("/settings/staff/new")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show_new() -> ResponseReturnValue:
    """The form for a new account."""
    return _show_new(NOTHING_WRONG)


@pages.post("/settings/staff/new")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def add() -> ResponseReturnValue:
    """Make an account, and show its one-time password."""
    form, school_id, made = request.form, school_in_use().id, list[Made]()

    def change(session: Session) -> None:
        offered = list_choices(read_places(session, school_id), caller().grants, ())
        grants = read_ticked(form.getlist("grants"), offered)
        login, name = form.get("login", ""), form.get("name", "")
        made.append(
            administration.add_staff(session, administrator(), school_id, login, name, grants)
        )

    wrong = try_change(change)
    if wrong.errors:
        return _show_new(wrong)
    return render_template("settings_password.html", made=made[0], is_new=True)


def _show_new(wrong: Wrong) -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        places = read_places(session, school_id)
    page = render_template(
        "settings_new_staff.html",
        values=request.form.to_dict(),
        ticked=set(request.form.getlist("grants")),
        errors=wrong.errors,
        roles=show_choices(list_choices(places, caller().grants, ()), places),
    )
    return page, wrong.status


@pages.get("/settings/staff/<int:staff_id>")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show_member(staff_id: int) -> ResponseReturnValue:
    """One account: its name, what it may do, and whether it can log in."""
    return _show_member(staff_id, NOTHING_WRONG)


@pages.post("/settings/staff/<int:staff_id>")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def change(staff_id: int) -> ResponseReturnValue:
    """Change an account's name and roles."""
    form, school_id = request.form, school_in_use().id

    def change(session: Session) -> None:
        held = administration.find_member(session, school_id, staff_id).grants
        offered = list_choices(read_places(session, school_id), caller().grants, held)
        grants = read_ticked(form.getlist("grants"), offered)
        administration.change_staff(
            session,
            administrator(),
            school_id,
            staff_id,
            form.get("name", ""),
            grants,
            form.get("seen", ""),
        )

    wrong = try_change(change)
    if wrong.errors:
        return _show_member(staff_id, wrong, has_typed=True)
    flash(gettext("Saved."), "good")
    return redirect(url_for("staff.show_member", staff_id=staff_id))


@pages.post("/settings/staff/<int:staff_id>/disable")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def disable(staff_id: int) -> ResponseReturnValue:
    """End an account's sessions and let nobody log in by it."""
    now, school_id = datetime.now(UTC), school_in_use().id
    wrong = try_change(
        lambda session: administration.disable_staff(
            session, administrator(), school_id, staff_id, now
        )
    )
    return _back(staff_id, wrong, gettext("The account is disabled."))


@pages.post("/settings/staff/<int:staff_id>/enable")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def enable(staff_id: int) -> ResponseReturnValue:
    """Let an account log in again."""
    return _settle(staff_id, administration.enable_staff, gettext("The account can log in again."))


@pages.post("/settings/staff/<int:staff_id>/unlock")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def unlock(staff_id: int) -> ResponseReturnValue:
    """Let somebody try again at once who failed too often."""
    return _settle(staff_id, administration.unlock_staff, gettext("The account is unlocked."))


@pages.post("/settings/staff/<int:staff_id>/code-off")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def switch_code_off(staff_id: int) -> ResponseReturnValue:
    """Ask no phone's code of somebody whose phone is lost."""
    said = gettext("Log-in asks for no code of a phone any more.")
    return _settle(staff_id, administration.switch_code_off, said)


@pages.post("/settings/staff/<int:staff_id>/password")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def renew_password(staff_id: int) -> ResponseReturnValue:
    """Give an account a new one-time password, and show it."""
    made, school_id = list[Made](), school_in_use().id
    wrong = try_change(
        lambda session: made.append(
            administration.renew_password(session, administrator(), school_id, staff_id)
        )
    )
    if wrong.errors:
        return _show_member(staff_id, wrong)
    return render_template("settings_password.html", made=made[0], is_new=False)


def _settle(
    staff_id: int, rule: Callable[[Session, Administrator, int, int], object], said: str
) -> ResponseReturnValue:
    """Apply a rule to an account, and say so on its page."""
    wrong = try_change(lambda session: rule(session, administrator(), school_in_use().id, staff_id))
    return _back(staff_id, wrong, said)


def _back(staff_id: int, wrong: Wrong, said: str) -> ResponseReturnValue:
    if wrong.errors:
        return _show_member(staff_id, wrong)
    flash(said, "good")
    return redirect(url_for("staff.show_member", staff_id=staff_id))


def _show_member(staff_id: int, wrong: Wrong, has_typed: bool = False) -> ResponseReturnValue:
    school_id, form = school_in_use().id, request.form
    with school_session() as session:
        member = administration.find_member(session, school_id, staff_id)
        places = read_places(session, school_id)
        history = show_history(session, school_id, [f"staff:{staff_id}"], places)
        is_locked = lockout.is_locked(session, staff_id, datetime.now(UTC))
        has_code = totp.is_on(session, staff_id)
    typed = form.to_dict() if has_typed else None
    stored = {write_grant(one) for one in member.grants}
    page = render_template(
        "settings_member.html",
        member=member,
        values=typed or {"name": member.name},
        ticked=set(form.getlist("grants")) if has_typed else stored,
        errors=wrong.errors,
        seen=seen_by_form(member.shown(), typed, wrong),
        roles=show_choices(list_choices(places, caller().grants, member.grants), places),
        is_self=_is_caller(member),
        is_locked=is_locked,
        has_code=has_code,
        history=history,
    )
    return page, wrong.status


def _is_caller(member: Member) -> bool:
    return member.id == caller().staff_id

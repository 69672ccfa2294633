"""The pages of accounts (账户), the same for a school's staff and for the district's own."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import caller
from card_server.staff import administration, lockout, totp
from card_server.staff.administration import Administrator, Made, write_grant
from card_server.staff.scope import Grant
from card_server.web.changing import (
    NOTHING_WRONG,
    Wrong,
    administrator,
    seen_by_form,
    try_change,
)
from card_server.web.grant_choices import (
    DISTRICT_GRANTS,
    NO_PLACES,
    Places,
    all_grants,
    grant_label,
    list_choices,
    read_places,
    read_ticked,
    show_choices,
)
from card_server.web.history import show_history
from card_server.web.tables import Column, cut_page, read_asked
from schema.tables.audit import DISTRICT
from schema.tables.staff import Role

Rule = Callable[[Session, Administrator, int | None, int], object]


@dataclass(frozen=True)
class Desk:
    """Whose accounts these pages are about, and how the database is opened for them."""

    routes: str
    """The blueprint that has them."""
    argument: str
    """What its routes call the account's id."""
    school_id: int | None
    """None is the district."""
    owner: str
    """As the pages' titles name it."""
    reading: Callable[[], AbstractContextManager[Session]]
    changing: Callable[[], AbstractContextManager[Session]]

    def address(self, route: str, staff_id: int | None = None) -> str:
        """Where one of these pages is; of one account, where an id is given."""
        values: dict[str, Any] = {} if staff_id is None else {self.argument: staff_id}
        return url_for(f"{self.routes}.{route}", **values)

    def read_places(self, session: Session) -> Places:
        """What grants can be limited to: nothing in the district."""
        return NO_PLACES if self.school_id is None else read_places(session, self.school_id)

    def choices(self, places: Places, held: Sequence[Grant] = ()) -> list[tuple[Role, list[Grant]]]:
        """The grants that the caller may give here."""
        possible = DISTRICT_GRANTS if self.school_id is None else all_grants(places)
        return list_choices(possible, caller().grants, held)


def show_all(desk: Desk) -> ResponseReturnValue:
    """All accounts."""
    asked = read_asked(("name", "login"))
    with desk.reading() as session:
        found = administration.list_staff(session, desk.school_id)
        places = desk.read_places(session)
    keys = {"name": lambda one: one.name, "login": lambda one: one.login}
    columns = [
        Column(gettext("Full name"), "name"),
        Column(gettext("Login"), "login"),
        Column(gettext("Roles")),
        Column(gettext("State")),
    ]
    return render_template(
        "settings_staff.html",
        desk=desk,
        page=cut_page(asked.sorted(found, keys), asked),
        asked=asked,
        columns=columns,
        roles_of=lambda member: [grant_label(one, places) for one in member.grants],
    )


def show_new(desk: Desk, wrong: Wrong = NOTHING_WRONG) -> ResponseReturnValue:
    """The form for a new account."""
    with desk.reading() as session:
        places = desk.read_places(session)
    page = render_template(
        "settings_new_staff.html",
        desk=desk,
        values=request.form.to_dict(),
        ticked=set(request.form.getlist("grants")),
        errors=wrong.errors,
        roles=show_choices(desk.choices(places), places),
    )
    return page, wrong.status


def add(desk: Desk) -> ResponseReturnValue:
    """Make an account, and show its one-time password."""
    form, made = request.form, list[Made]()

    def change(session: Session) -> None:
        offered = desk.choices(desk.read_places(session))
        grants = read_ticked(form.getlist("grants"), offered)
        login, name = form.get("login", ""), form.get("name", "")
        made.append(
            administration.add_staff(session, administrator(), desk.school_id, login, name, grants)
        )

    wrong = try_change(change, desk.changing)
    if wrong.errors:
        return show_new(desk, wrong)
    return render_template("settings_password.html", desk=desk, made=made[0], is_new=True)


def show_one(
    desk: Desk, staff_id: int, wrong: Wrong = NOTHING_WRONG, has_typed: bool = False
) -> ResponseReturnValue:
    """One account: its name, what it may do, and whether it can log in."""
    form = request.form
    with desk.reading() as session:
        member = administration.find_member(session, desk.school_id, staff_id)
        places = desk.read_places(session)
        chain = DISTRICT if desk.school_id is None else desk.school_id
        history = show_history(session, chain, [f"staff:{staff_id}"], places)
        is_locked = lockout.is_locked(session, staff_id, datetime.now(UTC))
        has_code = totp.is_on(session, staff_id)
    typed = form.to_dict() if has_typed else None
    stored = {write_grant(one) for one in member.grants}
    page = render_template(
        "settings_member.html",
        desk=desk,
        member=member,
        values=typed or {"name": member.name},
        ticked=set(form.getlist("grants")) if has_typed else stored,
        errors=wrong.errors,
        seen=seen_by_form(member.shown(), typed, wrong),
        roles=show_choices(desk.choices(places, member.grants), places),
        is_self=member.id == caller().staff_id,
        is_locked=is_locked,
        has_code=has_code,
        history=history,
    )
    return page, wrong.status


def change(desk: Desk, staff_id: int) -> ResponseReturnValue:
    """Change an account's name and roles."""
    form, school_id = request.form, desk.school_id

    def apply(session: Session) -> None:
        held = administration.find_member(session, school_id, staff_id).grants
        offered = desk.choices(desk.read_places(session), held)
        administration.change_staff(
            session,
            administrator(),
            school_id,
            staff_id,
            form.get("name", ""),
            read_ticked(form.getlist("grants"), offered),
            form.get("seen", ""),
        )

    wrong = try_change(apply, desk.changing)
    if wrong.errors:
        return show_one(desk, staff_id, wrong, has_typed=True)
    flash(gettext("Saved."), "good")
    return redirect(desk.address("show_member", staff_id))


def disable(desk: Desk, staff_id: int) -> ResponseReturnValue:
    """End an account's sessions and let nobody log in by it."""
    now = datetime.now(UTC)
    return _settle(
        desk,
        staff_id,
        lambda session, by, school_id, id_: administration.disable_staff(
            session, by, school_id, id_, now
        ),
        gettext("The account is disabled."),
    )


def enable(desk: Desk, staff_id: int) -> ResponseReturnValue:
    """Let an account log in again."""
    said = gettext("The account can log in again.")
    return _settle(desk, staff_id, administration.enable_staff, said)


def unlock(desk: Desk, staff_id: int) -> ResponseReturnValue:
    """Let somebody try again at once who failed too often."""
    said = gettext("The account is unlocked.")
    return _settle(desk, staff_id, administration.unlock_staff, said)


def switch_code_off(desk: Desk, staff_id: int) -> ResponseReturnValue:
    """Ask no phone's code of somebody whose phone is lost."""
    said = gettext("Log-in asks for no code of a phone any more.")
    return _settle(desk, staff_id, administration.switch_code_off, said)


def _settle(desk: Desk, staff_id: int, rule: Rule, said: str) -> ResponseReturnValue:
    """Apply a rule to an account, and say so on its page."""
    wrong = try_change(
        lambda session: rule(session, administrator(), desk.school_id, staff_id), desk.changing
    )
    if wrong.errors:
        return show_one(desk, staff_id, wrong)
    flash(said, "good")
    return redirect(desk.address("show_member", staff_id))


def renew_password(desk: Desk, staff_id: int) -> ResponseReturnValue:
    """Give an account a new one-time password, and show it."""
    made = list[Made]()
    wrong = try_change(
        lambda session: made.append(
            administration.renew_password(session, administrator(), desk.school_id, staff_id)
        ),
        desk.changing,
    )
    if wrong.errors:
        return show_one(desk, staff_id, wrong)
    return render_template("settings_password.html", desk=desk, made=made[0], is_new=False)

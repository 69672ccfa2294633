"""Log in and out, choose a password, and see where one is logged in (登录, 我的账户)."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from card_server.access import (
    actor,
    allow_anywhere,
    caller,
    caller_or_none,
    forget_token,
    now,
    public,
    reading,
    writing,
)
from card_server.audit.writing import note
from card_server.errors import HTTP_STATUS, AppError
from card_server.school_time import DISTRICT_ZONE
from card_server.staff import accounts, totp
from card_server.staff.log_in import enter_with_password, prove_again
from card_server.staff.sessions import (
    close_staff_session,
    end_other_sessions,
    list_sessions,
)
from card_server.web.entering import door, go_in, visitor
from card_server.web.next_page import safe_next
from card_server.web.sections import first_address
from schema.tables.staff import Role, Staff

pages = Blueprint("account", __name__)


@pages.get("/home")
@allow_anywhere(*Role)
def home() -> ResponseReturnValue:
    """On to the first page that the caller may use."""
    return redirect(first_address())


@pages.get("/log-in")
@public
def log_in() -> ResponseReturnValue:
    """The form; who is logged in already goes on."""
    if caller_or_none() is not None:
        return redirect(url_for("account.home"))
    return render_template("log_in.html", next=request.args.get("next", ""))


@pages.post("/log-in")
@public
def send_log_in() -> ResponseReturnValue:
    """Start a new session in this browser."""
    form = request.form
    login, password = form.get("login", ""), form.get("password", "")
    try:
        entered = enter_with_password(door(), visitor(), login, password, now())
    except AppError as error:
        page = render_template(
            "log_in.html", next=form.get("next", ""), login=login, wrong=gettext(error.message)
        )
        return page, HTTP_STATUS[error.code]
    return go_in(entered, form.get("next"))


@pages.get("/password")
@allow_anywhere(*Role)
def choose_password() -> ResponseReturnValue:
    """The form for a password of one's own; a first one leads on to where the caller wanted."""
    return _password_form(request.args.get("next", ""))


@pages.post("/password")
@allow_anywhere(*Role)
def send_password() -> ResponseReturnValue:
    """Keep the chosen password and end the account's other sessions."""
    form, who = request.form, caller()
    try:
        if not who.must_choose_password:
            prove_again(door(), visitor(), who.staff_id, form.get("present", ""), None, now())
        with writing().begin() as session:
            accounts.choose_password(
                session,
                who.staff_id,
                form.get("password", ""),
                form.get("again", ""),
                keep_session=who.token_hash,
            )
            staff = session.get_one(Staff, who.staff_id)
            about = f"staff:{staff.id}"
            note(session, staff.school_id, actor(), "staff.password_changed", about)
    except AppError as error:
        page = _password_form(form.get("next", ""), gettext(error.message))
        return page, HTTP_STATUS[error.code]
    if who.must_choose_password:
        address = safe_next(form.get("next"))
        return redirect(first_address() if address == "/" else address)
    flash(gettext("The new password is kept. Your other sessions have ended."), "good")
    return redirect(url_for("account.show"))


@pages.get("/account")
@allow_anywhere(*Role)
def show() -> ResponseReturnValue:
    """Where the caller is logged in, and how the account is protected."""
    who = caller()
    with reading()() as session:
        return render_template(
            "account.html",
            sessions=list_sessions(session, who, now()),
            now=now(),
            zone=who.school.zone if who.school else DISTRICT_ZONE,
            has_totp=totp.is_on(session, who.staff_id),
            codes_left=totp.recovery_codes_left(session, who.staff_id),
        )


@pages.post("/account/end-others")
@allow_anywhere(*Role)
def end_others() -> ResponseReturnValue:
    """Log the caller out everywhere but here."""
    who = caller()
    with writing().begin() as session:
        ended = end_other_sessions(session, who.staff_id, who.token_hash)
        staff = session.get_one(Staff, who.staff_id)
        about = f"staff:{staff.id}"
        details = {"sessions": ended}
        note(session, staff.school_id, actor(), "staff.sessions_ended", about, details=details)
    said = ngettext("%(num)s other session has ended.", "%(num)s other sessions have ended.", ended)
    flash(said, "good")
    return redirect(url_for("account.show"))


@pages.post("/log-out")
@allow_anywhere(*Role)
def log_out() -> ResponseReturnValue:
    """End this browser's session."""
    who = caller()
    with writing().begin() as session:
        staff = session.get_one(Staff, who.staff_id)
        note(session, staff.school_id, actor(), "staff.log_out", f"staff:{staff.id}")
        close_staff_session(session, who.token_hash)
    forget_token()
    return redirect(url_for("account.log_in"))


def _password_form(wanted: str, wrong: str | None = None) -> str:
    return render_template(
        "choose_password.html", least=accounts.MIN_PASSWORD, next=wanted, wrong=wrong
    )

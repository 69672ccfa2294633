"""Log in, choose a password, log out (登录)."""

from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import (
    allow_anywhere,
    caller,
    caller_or_none,
    forget_token,
    public,
    remember_token,
    writing,
)
from card_server.errors import HTTP_STATUS, AppError
from card_server.staff import accounts
from card_server.staff.sessions import close_staff_session, open_staff_session
from card_server.web.next_page import safe_next
from card_server.web.sections import first_address
from schema.tables.staff import Role

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
        return redirect(first_address())
    return render_template("log_in.html", next=request.args.get("next", ""))


@pages.post("/log-in")
@public
def send_log_in() -> ResponseReturnValue:
    """Start a new session in this browser."""
    form = request.form
    try:
        with writing().begin() as session:
            found = accounts.log_in(session, form.get("login", ""), form.get("password", ""))
            token = open_staff_session(session, found, datetime.now(UTC))
            must_choose = found.password_is_one_time
    except AppError as error:
        page = render_template(
            "log_in.html", next=form.get("next", ""), wrong=gettext(error.message)
        )
        return page, HTTP_STATUS[error.code]
    remember_token(token)
    if must_choose:
        return redirect(url_for("account.choose_password"))
    wanted = safe_next(form.get("next"))
    return redirect(url_for("account.home") if wanted == "/" else wanted)


@pages.get("/password")
@allow_anywhere(*Role)
def choose_password() -> ResponseReturnValue:
    """The form for a password of one's own."""
    return render_template("choose_password.html", least=accounts.MIN_PASSWORD)


@pages.post("/password")
@allow_anywhere(*Role)
def send_password() -> ResponseReturnValue:
    """Keep the chosen password and end the account's other sessions."""
    form, who = request.form, caller()
    try:
        with writing().begin() as session:
            accounts.choose_password(
                session,
                who.staff_id,
                form.get("password", ""),
                form.get("again", ""),
                keep_session=who.token_hash,
            )
    except AppError as error:
        page = render_template(
            "choose_password.html", least=accounts.MIN_PASSWORD, wrong=gettext(error.message)
        )
        return page, HTTP_STATUS[error.code]
    return redirect(first_address())


@pages.post("/log-out")
@allow_anywhere(*Role)
def log_out() -> ResponseReturnValue:
    """End this browser's session."""
    with writing().begin() as session:
        close_staff_session(session, caller().token_hash)
    forget_token()
    return redirect(url_for("account.log_in"))

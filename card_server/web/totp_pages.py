"""Codes of a phone: asked for at log-in, switched on and off, recovery codes (动态验证码)."""

import io

import segno
from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import (
    actor,
    allow_anywhere,
    caller,
    forget_token,
    held_token,
    now,
    public,
    reading,
    writing,
)
from card_server.audit.writing import note
from card_server.errors import HTTP_STATUS, AppError, Code
from card_server.staff import totp
from card_server.staff.log_in import enter_with_code, prove_again
from card_server.staff.sessions import end_other_sessions, find_half_open
from card_server.web.entering import door, go_in, seal, visitor
from schema.tables.staff import Role, Staff

pages = Blueprint("totp", __name__)


@pages.get("/log-in/code")
@public
def ask() -> ResponseReturnValue:
    """The second step of a log-in; without a first one it leads there."""
    with reading()() as session:
        waits = find_half_open(session, held_token(), now()) is not None
    if not waits:
        return redirect(url_for("account.log_in"))
    return render_template("log_in_code.html", next=request.args.get("next", ""))


@pages.post("/log-in/code")
@public
def send_code() -> ResponseReturnValue:
    """Open the whole session when the code is right."""
    form = request.form
    try:
        entered = enter_with_code(door(), visitor(), held_token(), form.get("code", ""), now())
    except AppError as error:
        if error.code is Code.NOT_FOUND:
            forget_token()
            flash(gettext(error.message), "bad")
            return redirect(url_for("account.log_in"))
        page = render_template(
            "log_in_code.html", next=form.get("next", ""), wrong=gettext(error.message)
        )
        return page, HTTP_STATUS[error.code]
    return go_in(entered, form.get("next"))


@pages.get("/account/codes")
@allow_anywhere(*Role)
def show() -> ResponseReturnValue:
    """Whether codes are on, or the secret while a phone is to take it."""
    return _page()


@pages.post("/account/codes/begin")
@allow_anywhere(*Role)
def begin() -> ResponseReturnValue:
    """Make a secret for the phone, for whoever knows the password."""
    who = caller()
    try:
        prove_again(door(), visitor(), who.staff_id, request.form.get("present", ""), None, now())
        with writing().begin() as session:
            totp.begin(session, seal(), who.staff_id)
    except AppError as error:
        return _page(gettext(error.message)), HTTP_STATUS[error.code]
    return redirect(url_for("totp.show"))


@pages.get("/account/codes/picture.svg")
@allow_anywhere(*Role)
def picture() -> ResponseReturnValue:
    """The secret as a picture for the phone's camera, until it is confirmed."""
    secret = _secret()
    if secret is None:
        abort(404)
    out = io.BytesIO()
    address = totp.address_for_phone(secret, caller().login, _issuer())
    segno.make(address, micro=False).save(out, kind="svg", scale=5, border=4, light="#fff")
    return Response(out.getvalue(), mimetype="image/svg+xml")


@pages.post("/account/codes/confirm")
@allow_anywhere(*Role)
def confirm() -> ResponseReturnValue:
    """Switch codes on; the recovery codes are on the answer and nowhere else."""
    who = caller()
    try:
        with writing().begin() as session:
            codes = totp.confirm(session, seal(), who.staff_id, request.form.get("code", ""), now())
            _note_change(session, "staff.totp_on")
    except AppError as error:
        return _page(gettext(error.message)), HTTP_STATUS[error.code]
    return render_template("recovery_codes.html", codes=codes)


@pages.post("/account/codes/renew")
@allow_anywhere(*Role)
def renew() -> ResponseReturnValue:
    """Ten new recovery codes in place of the old ones."""
    who = caller()
    try:
        _prove_with_code()
        with writing().begin() as session:
            codes = totp.renew_recovery_codes(session, who.staff_id)
            _note_change(session, "staff.recovery_codes_renewed")
    except AppError as error:
        return _page(gettext(error.message)), HTTP_STATUS[error.code]
    return render_template("recovery_codes.html", codes=codes)


@pages.post("/account/codes/off")
@allow_anywhere(*Role)
def switch_off() -> ResponseReturnValue:
    """Ask for no codes any more."""
    try:
        _prove_with_code()
        with writing().begin() as session:
            totp.switch_off(session, caller().staff_id)
            _note_change(session, "staff.totp_off")
    except AppError as error:
        return _page(gettext(error.message)), HTTP_STATUS[error.code]
    flash(gettext("Codes are switched off."), "good")
    return redirect(url_for("account.show"))


def _prove_with_code() -> None:
    """Password and code: whoever finds an open browser knows neither."""
    form = request.form
    present, code = form.get("present", ""), form.get("code", "")
    prove_again(door(), visitor(), caller().staff_id, present, code, now())


def _note_change(session: Session, action: str) -> None:
    """Note it, and end the sessions that began under the old rule."""
    who = caller()
    end_other_sessions(session, who.staff_id, who.token_hash)
    staff = session.get_one(Staff, who.staff_id)
    note(session, staff.school_id, actor(), action, f"staff:{staff.id}")


def _secret() -> str | None:
    with reading()() as session:
        return totp.unconfirmed_secret(session, seal(), caller().staff_id)


def _issuer() -> str:
    school = caller().school
    return school.name if school else gettext("Campus card")


def _page(wrong: str | None = None) -> str:
    with reading()() as session:
        return render_template(
            "totp.html",
            is_on=totp.is_on(session, caller().staff_id),
            secret=totp.unconfirmed_secret(session, seal(), caller().staff_id),
            codes_left=totp.recovery_codes_left(session, caller().staff_id),
            wrong=wrong,
        )

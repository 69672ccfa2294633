"""The page of the set-up link: the first school and the first account (首次设置)."""

from collections.abc import Mapping

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import now, public, reading, writing
from card_server.errors import HTTP_STATUS, AppError, Code
from card_server.field_errors import FieldsError
from card_server.staff.accounts import MIN_PASSWORD
from card_server.staff.set_up import FIRST_ROLES, FirstAccount, is_good, school_codes, set_up
from card_server.web.entering import go_in, visitor
from card_server.words.choices import word
from schema.tables.staff import Role

pages = Blueprint("set_up", __name__)

_FORM = {"role": Role.SCHOOL_ADMIN.value, "login": "admin"}
"""What the form proposes."""


@pages.get("/set-up/<token>")
@public
def show(token: str) -> ResponseReturnValue:
    """The form, while the link is good."""
    with reading()() as session:
        if not is_good(session, token, now()):
            abort(404)
    return _form(token, _FORM, {})


@pages.post("/set-up/<token>")
@public
def send(token: str) -> ResponseReturnValue:
    """Make school and account, and log in."""
    form = request.form
    try:
        with writing().begin() as session:
            entered = set_up(session, visitor(), token, _read(form), now())
    except AppError as error:
        if error.code is Code.NOT_FOUND:
            abort(404)
        said = error.fields if isinstance(error, FieldsError) else {"": error.message}
        wrong = {name: gettext(text) for name, text in said.items()}
        return _form(token, form, wrong), HTTP_STATUS[error.code]
    return go_in(entered, None)


def _read(form: Mapping[str, str]) -> FirstAccount:
    role = form.get("role", "")
    return FirstAccount(
        school_code=form.get("school_code", ""),
        school_name=form.get("school_name", ""),
        signature=form.get("signature", ""),
        role=Role(role) if role in FIRST_ROLES else Role.SCHOOL_ADMIN,
        login=form.get("login", ""),
        name=form.get("name", ""),
        password=form.get("password", ""),
        again=form.get("again", ""),
    )


def _form(token: str, values: Mapping[str, str], errors: Mapping[str, str]) -> str:
    with reading()() as session:
        schools = [(code, code) for code in school_codes(session)]
    return render_template(
        "set_up.html",
        token=token,
        values=values,
        errors=errors,
        schools=schools,
        roles=[(role.value, word(role)) for role in FIRST_ROLES],
        least=MIN_PASSWORD,
    )

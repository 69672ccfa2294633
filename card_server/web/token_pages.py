"""Tokens for other programs (接口令牌): the list, making one, revoking one."""

from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.access import (
    actor,
    allow,
    caller,
    changing_session,
    school_in_use,
    school_session,
)
from card_server.errors import HTTP_STATUS, AppError
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.register.homerooms import of_today
from card_server.staff.scope import Grant
from card_server.staff.tokens import (
    MAX_DAYS,
    MAX_NAME,
    make_token,
    read_tokens,
    revoke_token,
    roles_to_give,
)
from card_server.words.choices import word
from card_server.words.grades import grade_word
from schema.tables.readers import Reader
from schema.tables.school import Homeroom
from schema.tables.staff import Role, Scope

pages = Blueprint("tokens", __name__)
_USUAL_DAYS = "90"
_WHOLE = "school"
_NOT_OFFERED = _("Choose one of the list.")


@pages.get("/settings/tokens")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show() -> ResponseReturnValue:
    """The school's tokens, those that ended as well."""
    with school_session() as session:
        tokens = read_tokens(session, school_in_use().id, datetime.now(UTC))
    return render_template("tokens.html", tokens=tokens)


@pages.get("/settings/tokens/new")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def new() -> ResponseReturnValue:
    """The form for a new one."""
    return _show_form({"days": _USUAL_DAYS, "reach": _WHOLE}, {})


@pages.post("/settings/tokens/new")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def make() -> ResponseReturnValue:
    """Make a token and show it, this once."""
    form = request.form
    days = form.get("days", "")
    try:
        with changing_session() as session:
            _id, token = make_token(
                session,
                caller(),
                actor(),
                school_in_use().id,
                form.get("name", ""),
                _read_grant(form.get("role", ""), form.get("reach", "")),
                int(days) if days.isdecimal() and len(days) <= 3 else 0,
                datetime.now(UTC),
            )
    except FieldsError as error:
        wrong = {field: gettext(said) for field, said in error.fields.items()}
        return _show_form(form.to_dict(), wrong), HTTP_STATUS[error.code]
    except AppError as error:
        return _show_form(form.to_dict(), {"": gettext(error.message)}), HTTP_STATUS[error.code]
    return render_template("token_made.html", token=token, name=form["name"])


@pages.post("/settings/tokens/<int:token_id>/revoke")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def revoke(token_id: int) -> ResponseReturnValue:
    """End a token at once."""
    with changing_session() as session:
        revoke_token(session, actor(), school_in_use().id, token_id, datetime.now(UTC))
    return redirect(url_for("tokens.show"))


def _show_form(values: dict[str, str], wrong: dict[str, str]) -> str:
    with school_session() as session:
        reaches = _list_reaches(session, school_in_use().id)
    return render_template(
        "token_new.html",
        values=values,
        errors=wrong,
        roles=[
            ("", gettext("Choose")),
            *((one.value, word(one)) for one in roles_to_give(caller().grants)),
        ],
        reaches=reaches,
        most_days=MAX_DAYS,
        longest_name=MAX_NAME,
    )


def _list_reaches(session: Session, school_id: int) -> list[tuple[str, str]]:
    """How far a token can reach in this school, as the form's choice."""
    rooms = session.scalars(
        select(Homeroom).where(of_today(school_id)).order_by(Homeroom.grade, Homeroom.id)
    ).all()
    places = session.scalars(
        select(Reader.place).where(Reader.school_id == school_id).distinct().order_by(Reader.place)
    )
    return [
        (_WHOLE, gettext("the whole school")),
        *(
            (f"grade:{grade}", grade_word(grade))
            for grade in sorted({room.grade for room in rooms})
        ),
        *((f"homeroom:{room.id}", room.name) for room in rooms),
        *((f"place:{place}", gettext("at: %(place)s", place=place)) for place in places),
    ]


def _read_grant(role_typed: str, reach: str) -> Grant:
    """The form's role and reach as a grant. Raises FieldsError for what the form does not offer."""
    if role_typed not in list(Role):
        raise FieldsError({"role": _NOT_OFFERED})
    role = Role(role_typed)
    kind, _colon, what = reach.partition(":")
    if kind == _WHOLE:
        is_of_district = role is Role.DISTRICT_ADMIN
        return Grant(role, Scope.DISTRICT if is_of_district else Scope.SCHOOL)
    if kind == "place":
        return Grant(role, Scope.GATE if role is Role.GATE_GUARD else Scope.LAB, place=what)
    number = int(what) if what.isdecimal() and len(what) <= 9 else 0
    if kind == "grade":
        return Grant(role, Scope.GRADE, grade=number)
    if kind == "homeroom":
        return Grant(role, Scope.HOMEROOM, homeroom_id=number)
    raise FieldsError({"reach": _NOT_OFFERED})

"""Trying what a form asks for: what is wrong comes back as sentences, each beside its field."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import actor, caller, changing_session
from card_server.errors import HTTP_STATUS, AppError, Code
from card_server.field_errors import FieldsError
from card_server.seen import fingerprint
from card_server.staff.administration import Administrator


@dataclass(frozen=True)
class Wrong:
    """Why nothing was changed; the key "" belongs to no field."""

    errors: dict[str, str]
    status: int
    is_conflict: bool
    """Whether the thing is not what the form showed any more."""


NOTHING_WRONG = Wrong({}, 200, is_conflict=False)


def administrator() -> Administrator:
    """The caller, as the rules about staff want them."""
    who = caller()
    return Administrator(actor(), who.staff_id, who.grants)


def try_change(
    change: Callable[[Session], object],
    opening: Callable[[], AbstractContextManager[Session]] = changing_session,
) -> Wrong:
    """Change something in one transaction, or say why not. Raises AppError(NOT_FOUND)."""
    try:
        with opening() as session:
            change(session)
    except FieldsError as error:
        errors = {name: gettext(said) for name, said in error.fields.items()}
        return Wrong(errors, HTTP_STATUS[Code.INVALID], is_conflict=False)
    except AppError as error:
        if error.code is Code.NOT_FOUND:
            raise
        is_conflict = error.code is Code.CONFLICT
        return Wrong({"": gettext(error.message)}, HTTP_STATUS[error.code], is_conflict)
    return NOTHING_WRONG


def seen_by_form(
    stored: Mapping[str, object], typed: Mapping[str, str] | None, wrong: Wrong
) -> str:
    """The fingerprint that a form carries: of what it showed first, however often it came back.

    After a conflict it is that of what is stored now: who saves again means it.
    """
    if typed is None or wrong.is_conflict:
        return fingerprint(stored)
    return typed.get("seen", "")

"""Tokens for programs: the list, making one, revoking one."""

from datetime import UTC, datetime
from typing import Any

from apiflask import APIBlueprint

from card_server.access import (
    actor,
    allow,
    caller,
    changing_session,
    school_in_use,
    school_session,
)
from card_server.api import admin_shapes as shapes
from card_server.api.changes import NewToken, TokenPath
from card_server.api.grants import read_grants
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.staff.tokens import (
    TokenCaller,
    make_token,
    read_tokens,
    revoke_token,
)
from schema.tables.staff import Role

routes = APIBlueprint("tokens", __name__, tag="Tokens", url_prefix="/tokens")
_ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)


@routes.get("")
@allow(*_ADMINS)
@routes.output(shapes.Tokens)
def tokens() -> Any:
    """The school's tokens, those that ended as well."""
    with school_session() as session:
        return {"items": read_tokens(session, school_in_use().id, datetime.now(UTC))}


@routes.post("")
@allow(*_ADMINS)
@routes.input(NewToken, arg_name="sent")
@routes.output(shapes.MadeToken, status_code=201)
def add_token(sent: NewToken) -> Any:
    """Make a token; the answer has it, this once.

    It can do no more than the token that asks for it, and ends no later.
    """
    [grant] = read_grants([sent.grant], "grant")
    now, who = datetime.now(UTC), caller()
    _refuse_a_longer_life(who, sent.days, now)
    try:
        with changing_session() as session:
            made = make_token(
                session, who, actor(), school_in_use().id, sent.name, grant, sent.days, now
            )
    except FieldsError as error:
        raise _in_our_names(error) from error
    return {"id": made[0], "token": made[1]}


def _refuse_a_longer_life(who: Any, days: int, now: datetime) -> None:
    """Or a token that was stolen could renew itself for ever."""
    left = who.expires_at - now if isinstance(who, TokenCaller) else None
    if left is not None and days > left.days:
        raise FieldsError({"days": _("A token can make none that lasts longer than itself.")})


def _in_our_names(error: FieldsError) -> FieldsError:
    """A form calls the grant's scope "reach"."""
    fields = {("grant" if name == "reach" else name): said for name, said in error.fields.items()}
    return FieldsError(fields, error.code)


@routes.delete("/<token_id>")
@allow(*_ADMINS)
@routes.input(TokenPath, location="path", arg_name="asked")
@routes.output({}, status_code=204)
def revoke(token_id: str, asked: TokenPath) -> Any:
    """End a token at once; it stays in the list."""
    with changing_session() as session:
        revoke_token(session, actor(), school_in_use().id, asked.token_id, datetime.now(UTC))
    return ""

"""The texts of messages to parents, how they would arrive, and their codes at carriers."""

from typing import Any

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.api import message_text_shapes as shapes
from card_server.api.matching import if_match, match
from card_server.api.message_text_inputs import (
    CodeChange,
    CodePath,
    TextChange,
    TextPath,
    TextSample,
)
from card_server.field_errors import FieldsError
from card_server.messages import carrier_codes, own_texts
from card_server.messages.own_texts import OwnText, SlotError
from card_server.messages.rules import lock_rules, write_money
from card_server.words.message_texts import slot_sentence
from schema.tables.messages import MessageKind
from schema.tables.people import Language
from schema.tables.staff import Role

routes = APIBlueprint("message_texts", __name__, tag="Messages", url_prefix="/message-texts")
_ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)


@routes.get("")
@allow(*_ADMINS)
@routes.output(shapes.MessageTexts)
def texts() -> Any:
    """Every kind in every language."""
    with school_session() as session:
        return {"items": own_texts.list_texts(session, school_in_use().id)}


@routes.get("/<kind>/<language>")
@allow(*_ADMINS)
@routes.input(TextPath, location="path", arg_name="asked")
@routes.output(shapes.MessageTextWhole)
def text(kind: str, language: str, asked: TextPath) -> Any:
    """The text in force, and its codes at carriers."""
    with school_session() as session:
        return _whole(session, asked.kind, asked.language)


@routes.put("/<kind>/<language>")
@allow(*_ADMINS)
@if_match
@routes.input(TextPath, location="path", arg_name="asked")
@routes.input(TextChange, arg_name="sent")
@routes.output(shapes.MessageTextWhole)
def change_text(kind: str, language: str, asked: TextPath, sent: TextChange) -> Any:
    """Put another text in its place; the codes at carriers stay until you change them."""
    school_id, body = school_in_use().id, _read_body(asked.kind, sent.body)
    with changing_session() as session:
        _lock_and_match(session, asked)
        wanted = OwnText(asked.kind, asked.language, body, is_own=True)
        own_texts.save_text(session, actor(), school_id, wanted, may_be_long=sent.may_be_long)
        return _whole(session, asked.kind, asked.language)


@routes.delete("/<kind>/<language>")
@allow(*_ADMINS)
@if_match
@routes.input(TextPath, location="path", arg_name="asked")
@routes.output(shapes.MessageTextWhole)
def restore_text(kind: str, language: str, asked: TextPath) -> Any:
    """Go back to the text that comes with the system, which is answered."""
    with changing_session() as session:
        _lock_and_match(session, asked)
        own_texts.restore_text(session, actor(), school_in_use().id, asked.kind, asked.language)
        return _whole(session, asked.kind, asked.language)


@routes.post("/<kind>/<language>/preview")
@allow(*_ADMINS)
@routes.input(TextPath, location="path", arg_name="asked")
@routes.input(TextSample, arg_name="sent")
@routes.output(shapes.MessagePreview)
def preview(kind: str, language: str, asked: TextPath, sent: TextSample) -> Any:
    """How a text would arrive and what it would cost; nothing is kept."""
    body = _read_body(asked.kind, sent.body)
    with school_session() as session:
        found = own_texts.preview_text(
            session, school_in_use().id, asked.kind, asked.language, body
        )
    return found._asdict() | found.size._asdict() | {"price": write_money(found.price)}


@routes.put("/<kind>/<language>/codes/<provider>")
@allow(*_ADMINS)
@routes.input(CodePath, location="path", arg_name="asked")
@routes.input(CodeChange, arg_name="sent")
@routes.output(shapes.MessageTextWhole)
def change_code(kind: str, language: str, provider: str, asked: CodePath, sent: CodeChange) -> Any:
    """Keep a carrier's code of the text, or with an empty one forget it."""
    school_id, code = school_in_use().id, carrier_codes.read_code(sent.code)
    with changing_session() as session:
        carrier_codes.save_code(
            session, actor(), school_id, asked.kind, asked.language, asked.provider, code
        )
        return _whole(session, asked.kind, asked.language)


def _whole(session: Session, kind: MessageKind, language: Language) -> dict[str, Any]:
    school_id = school_in_use().id
    found = own_texts.find_text(session, school_id, kind, language)
    codes = carrier_codes.list_codes(session, school_id, kind, language, found.body)
    return found._asdict() | {"codes": [one._asdict() for one in codes]}


def _lock_and_match(session: Session, asked: TextPath) -> None:
    lock_rules(session, school_in_use().id)
    match(shapes.MessageTextWhole, _whole(session, asked.kind, asked.language))


def _read_body(kind: MessageKind, sent: str) -> str:
    """Raises FieldsError whose sentence names the slot."""
    try:
        return own_texts.read_body(kind, sent)
    except SlotError as error:
        raise FieldsError({"body": slot_sentence(error)}) from error

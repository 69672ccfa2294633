"""Carriers' codes of texts that they approved (模板), and what they are handed for approval."""

import re
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.messages.own_texts import subject_of
from card_server.messages.templates import take_apart
from schema.tables.messages import CarrierText, MessageKind
from schema.tables.people import Language
from schema.tables.school import School

WITH_CODES: Final = ("aliyun", "tencent")
"""Carriers that send only what they approved, under their own code of it."""
_CODE = re.compile(r"[!-~]{1,64}")


class CarrierCode(NamedTuple):
    """A text at one carrier."""

    provider: str
    code: str
    """Empty when it has none."""
    to_paste: str
    """The text as the carrier wants it: it sets the signature itself."""


def list_codes(
    session: Session, school_id: int, kind: MessageKind, language: Language, body: str
) -> list[CarrierCode]:
    """The text at each carrier that needs a code."""
    stored = select(CarrierText).where(
        CarrierText.school_id == school_id,
        CarrierText.kind == kind,
        CarrierText.language == language,
    )
    codes = {row.provider: row.code for row in session.scalars(stored)}
    return [
        CarrierCode(name, codes.get(name, ""), write_for(name, kind, body)) for name in WITH_CODES
    ]


def write_for(provider: str, kind: MessageKind, body: str) -> str:
    """A text with its values as this carrier writes them: ${student}, or {1} by their order."""
    template = take_apart(kind, body)
    written = template.parts[0]
    for place, (name, part) in enumerate(
        zip(template.names, template.parts[1:], strict=True), start=1
    ):
        value = f"${{{name}}}" if provider == "aliyun" else f"{{{place}}}"
        written += value + part
    return written


def read_code(typed: str, field: str = "code") -> str:
    """A code as the carrier shows it; empty to have none. Raises FieldsError."""
    code = typed.strip()
    if code and not _CODE.fullmatch(code):
        raise FieldsError({field: _("Write the code as the carrier shows it, like SMS_154950909.")})
    return code


def save_code(
    session: Session,
    actor: Actor,
    school_id: int,
    kind: MessageKind,
    language: Language,
    provider: str,
    code: str,
) -> bool:
    """Keep a carrier's code of a text, or with an empty one forget it; whether it changed."""
    session.get_one(School, school_id, with_for_update={"key_share": True})
    row = session.get(CarrierText, (school_id, provider, kind, language), populate_existing=True)
    before = "" if row is None else row.code
    if before == code:
        return False
    if row is None:
        session.add(
            CarrierText(
                school_id=school_id, provider=provider, kind=kind, language=language, code=code
            )
        )
    elif code:
        row.code = code
    else:
        session.delete(row)
    session.flush()
    details = {f"code_{provider}": [before, code]}
    subject = subject_of(kind, language)
    note(session, school_id, actor, "message_text.code_changed", subject, details=details)
    return True

"""A school's own texts in the place of the system's: read, previewed, kept, taken back."""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.messages.rules import rules_of
from card_server.messages.segments import Size, size_of
from card_server.messages.templates import ORDINARY, SLOT, STARS, compile_texts
from card_server.messages.texts import DEFAULTS, OBLIGATORY, SAMPLES, SLOTS
from card_server.seen import refuse_if_changed
from schema.messages import utc_now
from schema.tables.messages import MessageKind, MessageText
from schema.tables.people import Language, Student, StudentStatus
from schema.tables.school import School

MOST = 300
"""Characters of a text without its signature."""


class SlotTrouble(StrEnum):
    """What is wrong with a slot in a text."""

    UNKNOWN = "unknown"
    TWICE = "twice"
    MISSING = "missing"


class SlotError(FieldsError):
    """A slot that cannot stand in a text, stands in it twice, or must stand in it."""

    def __init__(self, trouble: SlotTrouble, slot: str) -> None:
        super().__init__({"body": _SAID[trouble]})
        self.trouble = trouble
        self.slot = slot


_SAID = {
    SlotTrouble.UNKNOWN: _("What stands in braces is none of this text's values."),
    SlotTrouble.TWICE: _("A value may stand in a text only once."),
    SlotTrouble.MISSING: _("A value is missing that the text must tell."),
}
_TOO_LONG = _("This text takes more SMS than usual. Tick this box if that is meant.")


class OwnText(NamedTuple):
    """A kind's text in one language."""

    kind: MessageKind
    language: Language
    body: str
    """With {slots}, without the signature."""
    is_own: bool
    """Whether the school wrote it itself."""


class Preview(NamedTuple):
    """A text as a parent would get it, with the school's longest name."""

    shown: str
    size: Size
    price: int
    """Of all segments, in thousandths of the currency."""
    currency: str
    is_long: bool
    """Whether it takes more segments than the texts of this language usually do."""


def list_texts(session: Session, school_id: int) -> list[OwnText]:
    """The text of every kind and language, kinds in their order."""
    stored = select(MessageText).where(MessageText.school_id == school_id)
    own = {(row.kind, row.language): row.body for row in session.scalars(stored)}
    return [
        OwnText(kind, language, own.get((kind, language), body), (kind, language) in own)
        for kind in MessageKind
        for language in Language
        for body in [DEFAULTS[kind, language]]
    ]


def find_text(session: Session, school_id: int, kind: MessageKind, language: Language) -> OwnText:
    """The text in force."""
    row = session.get(MessageText, (school_id, kind, language))
    body = DEFAULTS[kind, language] if row is None else row.body
    return OwnText(kind, language, body, row is not None)


def read_body(kind: MessageKind, typed: str) -> str:
    """A text as it may be kept. Raises FieldsError; SlotError names the slot."""
    wrong = Problems()
    body = wrong.text("body", typed, MOST)
    if set(body) & set("【】"):
        wrong.add("body", _("Leave the brackets 【】 out; the signature stands in them already."))
    if STARS in body:
        wrong.add("body", _("Leave the stars out; a code's digits stand in their place."))
    wrong.refuse()
    names = [found[1] for found in SLOT.finditer(body)]
    _check_slots(kind, names)
    return re.sub(SLOT, r"{\1}", body)


def _check_slots(kind: MessageKind, names: list[str]) -> None:
    for name in names:
        if name not in SLOTS[kind]:
            raise SlotError(SlotTrouble.UNKNOWN, name)
        if names.count(name) > 1:
            raise SlotError(SlotTrouble.TWICE, name)
    for name in OBLIGATORY[kind]:
        if name not in names:
            raise SlotError(SlotTrouble.MISSING, name)


def preview_text(
    session: Session, school_id: int, kind: MessageKind, language: Language, body: str
) -> Preview:
    """How a text that `read_body` took would arrive, and what it would cost."""
    return preview_texts(session, school_id, [OwnText(kind, language, body, is_own=True)])[0]


def preview_texts(session: Session, school_id: int, texts: Iterable[OwnText]) -> list[Preview]:
    """The same for several texts."""
    school, rules = session.get_one(School, school_id), rules_of(session, school_id)
    name, found = longest_name(session, school_id), []
    for text in texts:
        samples = SAMPLES[text.language]
        compiled = compile_texts(school.signature, {(text.kind, text.language): text.body})
        shown = compiled.write(
            text.kind, text.language, samples | {"student": name or samples["student"]}
        ).body
        size = size_of(shown)
        found.append(
            Preview(
                shown,
                size,
                size.segments * rules.price_per_segment,
                rules.currency,
                size.segments > ORDINARY[text.language],
            )
        )
    return found


def longest_name(session: Session, school_id: int) -> str:
    """The name of the school's students that takes the most room; empty when there is nobody."""
    names = session.scalars(
        select(Student.name)
        .where(Student.school_id == school_id, Student.status == StudentStatus.ENROLLED)
        .order_by(func.length(Student.name).desc(), Student.id)
        .limit(50)
    )
    return max(names, key=_width, default="")


def _width(name: str) -> tuple[int, int]:
    """Units of UCS-2 first, which decide the segments; then how wide it looks."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in name)
    return len(name.encode("utf-16-le", "surrogatepass")) // 2, len(name) + wide


def save_text(
    session: Session,
    actor: Actor,
    school_id: int,
    text: OwnText,
    seen: str | None = None,
    *,
    may_be_long: bool = False,
) -> bool:
    """Keep a text that `read_body` took; whether anything changed.

    Raises FieldsError when it takes more segments than usual and nobody said that it may,
    AppError(CONFLICT) when the text in force is not as it was seen.
    """
    if not may_be_long:
        preview = preview_text(session, school_id, text.kind, text.language, text.body)
        if preview.is_long:
            raise FieldsError({"may_be_long": _TOO_LONG})
    return _put(session, actor, school_id, text, seen)


def restore_text(
    session: Session, actor: Actor, school_id: int, kind: MessageKind, language: Language
) -> bool:
    """Go back to the text that comes with the system; whether anything changed."""
    text = OwnText(kind, language, DEFAULTS[kind, language], is_own=False)
    return _put(session, actor, school_id, text, None)


def _put(session: Session, actor: Actor, school_id: int, text: OwnText, seen: str | None) -> bool:
    """Ingest hears of it: a changed row raises the school's `register_version`."""
    # The school's row is the lock: of a text of the system's there is none.
    session.get_one(School, school_id, with_for_update={"key_share": True})
    key = (school_id, text.kind, text.language)
    row = session.get(MessageText, key, populate_existing=True)
    default = DEFAULTS[text.kind, text.language]
    before = default if row is None else row.body
    refuse_if_changed(values_of(before), seen)
    if before == text.body:
        return False
    if text.body == default:
        session.delete(row)
    elif row is None:
        session.add(
            MessageText(
                school_id=school_id,
                kind=text.kind,
                language=text.language,
                body=text.body,
                changed_at=utc_now(),
            )
        )
    else:
        row.body, row.changed_at = text.body, utc_now()
    session.flush()
    details = {"body": [before, text.body]}
    action = "message_text.restored" if text.body == default else "message_text.changed"
    note(session, school_id, actor, action, subject_of(text.kind, text.language), details=details)
    return True


def values_of(body: str) -> dict[str, object]:
    """What a form shows of a text, for its fingerprint."""
    return {"body": body}


def subject_of(kind: MessageKind, language: Language) -> str:
    """How the audit log names a text."""
    return f"text:{kind}-{language}"

"""Messages to guardians: their text, from the system's or the school's template and its slots."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.clean_text import clean
from card_server.messages.segments import ALONE, JOINED, Encoding, size_of
from card_server.messages.texts import DEFAULTS, SAMPLES, SLOTS
from schema.tables.messages import MessageKind, MessageText
from schema.tables.people import Language
from schema.tables.school import School

STARS: Final = "******"
"""Where a code's digits stand in a message that is kept."""
SLOT = re.compile(r"\{\s*(\w+)\s*\}")
"""A slot as people write it; what else is in braces stands as it is."""
_SHORTENED: Final = ("title", "student")
"""What loses its end when a text does not fit, in this order; nothing else ever does."""
_NAMELESS: Final = {Language.CHINESE: "学生", Language.ENGLISH: "your child"}
ORDINARY: Final = {Language.CHINESE: 1, Language.ENGLISH: 2}
"""Segments of a text that comes with the system: in English two, as the signature is Chinese."""
_SEEN = r"[!-~\u4e00-\u9fff]{1,40}"
_PLAIN = re.compile(rf"{_SEEN}(?: {_SEEN}){{0,4}}")
"""Words of Han of the first block and ASCII, as nearly all values are: nothing to clean."""


class Written(NamedTuple):
    """A message's text."""

    body: str
    """With the signature in 【】 in front."""
    slots: str
    """What fills it, as JSON pairs of name and value in the text's order."""


class Template(Struct, frozen=True):
    """A text taken apart: what stands between its slots, and the names of these."""

    parts: tuple[str, ...]
    """One more than there are slots."""
    names: tuple[str, ...]


class _Ready(Struct, frozen=True):
    """A template with its signature, as it is filled."""

    pattern: str
    """For the % operator."""
    names: tuple[str, ...]
    rare: int
    """Characters outside the first plane in what is fixed: each takes two units."""
    room: int
    """Units that the whole text may take before a name is shortened."""
    nameless: str


class SchoolTexts(Struct, frozen=True, eq=False):
    """All texts of a school, ready to be filled."""

    ready: dict[tuple[MessageKind, Language], _Ready]

    def write(self, kind: MessageKind, language: Language, slots: Mapping[str, str]) -> Written:
        """The message with these values in its slots; what a value holds is never a slot itself.

        A name that is too long loses its end, so that the text takes no more segments than it
        does with an ordinary one.
        """
        text = self.ready[kind, language]
        values = [slots[name] for name in text.names]
        if all(map(_PLAIN.fullmatch, values)):
            body = text.pattern % tuple(values)
            if len(body) + text.rare <= text.room:
                return Written(body, _ENCODE([*zip(text.names, values, strict=True)]).decode())
        return _write_slowly(text, values)


_ENCODE = msgspec.json.Encoder().encode


def _write_slowly(text: _Ready, values: list[str]) -> Written:
    shown = {
        name: clean(value) or (text.nameless if name == "student" else "")
        for name, value in zip(text.names, values, strict=True)
    }
    over = _units(text.pattern % tuple(shown.values())) - text.room
    for name in _SHORTENED:
        if over > 0 and name in shown:
            before = _units(shown[name])
            shown[name] = _shorten(shown[name], max(before - over, _LEAST))
            over -= before - _units(shown[name])
    return Written(text.pattern % tuple(shown.values()), _ENCODE([*shown.items()]).decode())


_LEAST: Final = 5
"""Units that are left of a name in any case: four of it, and the ellipsis."""


def _shorten(name: str, room: int) -> str:
    """The name, or as many whole characters of it as fit before an ellipsis."""
    if _units(name) <= room:
        return name
    kept, left = "", room - 1
    for character in _characters(name):
        left -= _units(character)
        if left < 0:
            break
        kept += character
    return f"{kept.rstrip()}…"


def _characters(text: str) -> list[str]:
    """What a reader takes for one character: a letter with its marks."""
    found: list[str] = []
    for character in text:
        if found and unicodedata.category(character).startswith("M"):
            found[-1] += character
        else:
            found.append(character)
    return found


def _units(text: str) -> int:
    """How many UCS-2 units a text takes; rare Han outside the first plane take two."""
    return len(text) + sum(character > "\uffff" for character in text)


def reveal(text: str, code: str) -> str:
    """A code's message, or its slots, with the digits in the place of the stars."""
    return text.replace(STARS, code)


def texts_of(session: Session, school_id: int) -> SchoolTexts:
    """The school's own texts, and the system's where it has none."""
    rows = session.execute(
        select(School.signature, MessageText.kind, MessageText.language, MessageText.body)
        .outerjoin(MessageText, MessageText.school_id == School.id)
        .where(School.id == school_id)
    ).all()
    own = {(kind, language): body for _signature, kind, language, body in rows if body is not None}
    return compile_texts(rows[0].signature, own)


def compile_texts(
    signature: str, own: Mapping[tuple[MessageKind, Language], str] | None = None
) -> SchoolTexts:
    """All texts under a signature, with a school's own ones in the place of the system's."""
    bodies = DEFAULTS | dict(own or {})
    return SchoolTexts({key: _prepare(clean(signature), key, body) for key, body in bodies.items()})


@lru_cache(maxsize=4_096)
def _prepare(signature: str, key: tuple[MessageKind, Language], body: str) -> _Ready:
    kind, language = key
    template = take_apart(kind, body)
    fixed = [f"【{signature}】{template.parts[0]}", *template.parts[1:]]
    pattern = "%s".join(part.replace("%", "%%") for part in fixed)
    sample = pattern % tuple(SAMPLES[language][name] for name in template.names)
    segments = max(size_of(sample).segments, ORDINARY[language])
    # With the brackets no text is GSM-7. A pair that would straddle a border leaves a unit empty.
    joined = segments * JOINED[Encoding.UCS2] - (segments - 1)
    room = ALONE[Encoding.UCS2] if segments == 1 else joined
    rare = sum(character > "\uffff" for part in fixed for character in part)
    return _Ready(pattern, template.names, rare, room, _NAMELESS[language])


def take_apart(kind: MessageKind, body: str) -> Template:
    """What stands around a text's slots; what is in braces but no slot of the kind stays as it is.

    So a text that an older release took is still sent.
    """
    parts, names, end = [""], list[str](), 0
    for found in SLOT.finditer(body):
        parts[-1] += body[end : found.start()]
        end = found.end()
        if found[1] in SLOTS[kind] and found[1] not in names:
            names.append(found[1])
            parts.append("")
        else:
            parts[-1] += found[0]
    parts[-1] += body[end:]
    return Template(tuple(parts), tuple(names))

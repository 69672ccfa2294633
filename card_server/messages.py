"""Messages to guardians: their text, and how their state may move."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from schema.tables.messages import MessageKind, MessageState
from schema.tables.people import Language

ONE_PART: Final = 70
"""UCS-2 units of one SMS (3GPP TS 23.038 §6.2.3): the Chinese text is never charged twice."""
TWO_PARTS: Final = 2 * 67
"""The English text with a Chinese signature needs two (3GPP TS 23.040 §9.2.3.24.1)."""

_WORDS: Final = {
    (Language.CHINESE, MessageKind.ARRIVAL): ("家长您好，", "已于", "进入学校。"),
    (Language.CHINESE, MessageKind.DEPARTURE): ("家长您好，", "已于", "离开学校。"),
    (Language.ENGLISH, MessageKind.ARRIVAL): ("Dear parent, ", " entered the school at ", "."),
    (Language.ENGLISH, MessageKind.DEPARTURE): ("Dear parent, ", " left the school at ", "."),
}
"""What stands before the name, between name and time, and after the time."""
_NAMELESS: Final = {Language.CHINESE: "学生", Language.ENGLISH: "your child"}
_ROOM: Final = {Language.CHINESE: ONE_PART, Language.ENGLISH: TWO_PARTS}

MOVES: Final[dict[MessageState, frozenset[MessageState]]] = {
    MessageState.QUEUED: frozenset({MessageState.SENDING, MessageState.SUPPRESSED}),
    MessageState.SENDING: frozenset(
        {
            MessageState.QUEUED,  # only when the carrier surely did not take it
            MessageState.ACCEPTED,
            MessageState.FAILED,
            MessageState.UNKNOWN,
        }
    ),
    MessageState.UNKNOWN: frozenset({MessageState.ACCEPTED, MessageState.FAILED}),
    MessageState.ACCEPTED: frozenset(),
    MessageState.FAILED: frozenset(),
    MessageState.SUPPRESSED: frozenset(),
}
"""Where a message may go from each state. Nothing leads from `unknown` to sending again."""


def write_text(
    kind: MessageKind, language: Language, signature: str, name: str, local_time: str
) -> str:
    """The whole message; `local_time` is HH:MM in the school's zone."""
    start, middle, end, room = _frame(kind, language, signature)
    is_ready = len(name) <= room and _PLAIN.fullmatch(name)
    return f"{start}{name if is_ready else _show(name, language, room)}{middle}{local_time}{end}"


def next_state(now: MessageState, wanted: MessageState) -> MessageState:
    """The state after some news of a message: what is not allowed changes nothing."""
    return wanted if wanted in MOVES[now] else now


def states_before(wanted: MessageState) -> list[MessageState]:
    """The states that may become the wanted one."""
    return [state for state, moves in MOVES.items() if wanted in moves]


_PLAIN = re.compile(r"[\u4e00-\u9fff]{1,20}")
"""Han of the first block, as nearly all names are: nothing to clean."""


@lru_cache(maxsize=4_096)
def _frame(kind: MessageKind, language: Language, signature: str) -> tuple[str, str, str, int]:
    """What stands around name and time, and the UCS-2 units that are left for the name."""
    greeting, middle, end = _WORDS[language, kind]
    start = f"【{clean(signature)}】{greeting}"
    return start, middle, end, _ROOM[language] - _units(f"{start}{middle}00:00{end}")


@lru_cache(maxsize=4_096)
def _show(name: str, language: Language, room: int) -> str:
    """The name as it stands in a message."""
    return _shorten(clean(name) or _NAMELESS[language], room)


_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f\u180b\u180c\u180d\u180f\ufeff")
"""Letters and marks that show as nothing."""


def clean(text: str) -> str:
    """The text in NFC without anything unseen: controls, bidi marks, zero-width characters."""
    if _PLAIN.fullmatch(text):
        return text
    spaced = " ".join(unicodedata.normalize("NFC", text).split())
    seen = "".join(c for c in spaced if not _is_unseen(c))
    return " ".join(unicodedata.normalize("NFC", seen).split())


def _is_unseen(character: str) -> bool:
    # Unassigned (Cn) stays: a rare Han character may be younger than this Python's tables.
    # So does private use (Co): that is where old systems put rare Han.
    return unicodedata.category(character) in ("Cc", "Cf", "Cs") or character in _FILLERS


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

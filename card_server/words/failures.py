"""What staff read of a message that did not go out: the carrier's sentence in their language."""

import re
from typing import Final

from flask_babel import LazyString, gettext, lazy_gettext

CARRIERS: Final[dict[str, LazyString]] = {
    "aliyun": lazy_gettext("Aliyun"),
    "console": lazy_gettext("terminal"),
    "tencent": lazy_gettext("Tencent"),
    "twilio": lazy_gettext("Twilio"),
    "wecom": lazy_gettext("WeCom"),
}
"""What carriers are called, by the name that the settings have."""
_WITH_NAMES: Final[list[tuple[re.Pattern[str], LazyString]]] = [
    (
        re.compile(r"(?P<name>\w+) cannot be reached; nothing was sent\."),
        lazy_gettext("%(name)s cannot be reached; nothing was sent."),
    ),
    (
        re.compile(r"(?P<name>\w+) failed and said nothing more\."),
        lazy_gettext("%(name)s failed and said nothing more."),
    ),
    (
        re.compile(r"The carrier's program failed \((?P<name>\w+)\)\."),
        lazy_gettext("The carrier's program failed (%(name)s)."),
    ),
]
"""Sentences into which a name is put."""
_OF_OTHERS: Final = (
    lazy_gettext("What is sealed does not open: is this the data_key that sealed it?"),
)
"""Sentences that come from elsewhere, only marked here."""


def carrier_word(name: str | None) -> str:
    """What a carrier is called; one that this release does not know stands as it is."""
    return str(CARRIERS.get(name or "", name or ""))


def failure(error: str | None) -> str:
    """A message's `error` as staff read it: "Twilio 21211: The number is not valid."."""
    if not error:
        return ""
    if (whole := str(gettext(error))) != error:
        return whole
    head, colon, sentence = error.partition(": ")
    if colon and " " not in head.removeprefix(head.partition(" ")[0] + " "):
        return f"{_head(head)}{colon}{_sentence(sentence)}"
    return _sentence(error)


def _head(head: str) -> str:
    """The carrier's name and its code."""
    name, space, code = head.partition(" ")
    return f"{carrier_word(name.lower()) if name.lower() in CARRIERS else name}{space}{code}"


def _sentence(sentence: str) -> str:
    for pattern, text in _WITH_NAMES:
        if found := pattern.fullmatch(sentence):
            name = found["name"]
            return str(text) % {"name": CARRIERS.get(name.lower(), name)}
    return str(gettext(sentence))

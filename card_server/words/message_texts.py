"""What the values, carriers and faults of messages' texts are called."""

from flask_babel import LazyString, lazy_gettext

from card_server.messages.own_texts import SlotError, SlotTrouble
from card_server.messages.segments import Encoding

_SLOTS: dict[str, LazyString] = {
    "student": lazy_gettext("the student's name"),
    "time": lazy_gettext("the time of day"),
    "minutes": lazy_gettext("how many minutes"),
    "date": lazy_gettext("the day"),
    "session": lazy_gettext("morning or afternoon"),
    "from": lazy_gettext("from when"),
    "until": lazy_gettext("until when"),
    "decision": lazy_gettext("how it was decided"),
    "title": lazy_gettext("the book's title"),
    "text": lazy_gettext("what staff write"),
    "link": lazy_gettext("the link to the parents' page"),
    "code": lazy_gettext("the code's digits"),
}
_CARRIERS: dict[str, LazyString] = {
    "aliyun": lazy_gettext("Aliyun"),
    "tencent": lazy_gettext("Tencent Cloud"),
}
_ENCODINGS: dict[Encoding, LazyString] = {
    Encoding.GSM7: lazy_gettext("GSM-7 (Latin letters: 160 in one SMS)"),
    Encoding.UCS2: lazy_gettext("UCS-2 (any characters: 70 in one SMS)"),
}
_TROUBLES: dict[SlotTrouble, LazyString] = {
    SlotTrouble.UNKNOWN: lazy_gettext("%(slot)s cannot stand in this text."),
    SlotTrouble.TWICE: lazy_gettext("%(slot)s may stand in a text only once."),
    SlotTrouble.MISSING: lazy_gettext("%(slot)s is missing: without it the text does not tell it."),
}


def slot_word(slot: str) -> str:
    """What stands in the place of a {slot}."""
    return str(_SLOTS[slot])


def carrier_word(provider: str) -> str:
    """What a carrier is called; another one by its own name."""
    return str(_CARRIERS.get(provider, provider))


def encoding_word(encoding: Encoding) -> str:
    """How a text is written on the air, and what that means."""
    return str(_ENCODINGS[encoding])


def slot_sentence(error: SlotError) -> str:
    """What is wrong with which slot."""
    return str(_TROUBLES[error.trouble]) % {"slot": f"{{{error.slot}}}"}

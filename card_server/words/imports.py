"""What may be wrong between a roster and the school, and what changes, in words."""

from flask_babel import LazyString, gettext, lazy_gettext

from card_server.imports.roster.plan import Change
from card_server.words.oneroster import FINDINGS as PACKAGE_FINDINGS
from card_server.words.roster import FIELDS, SLOTS, say_finding

FINDINGS: dict[str, LazyString] = {
    "school.number_of_another": lazy_gettext(
        "In the school this student number is %(expected)s's, and that is somebody else."
    ),
    "school.identity_of_another": lazy_gettext(
        "Another student, %(expected)s, has this identity number."
    ),
    "school.student_twice": lazy_gettext(
        "Row %(expected)s means the same student of the school already."
    ),
    "school.person_unclear": lazy_gettext(
        "The school has this id or identity number for somebody with another name."
    ),
    "school.year_other": lazy_gettext(
        "The roster is of the school year %(value)s, the school of %(expected)s."
        " Begin the new school year first, or get the roster of this one."
    ),
    "school.homeroom_unknown": lazy_gettext("There is no such homeroom: %(value)s."),
    "school.homeroom_taken": lazy_gettext(
        "Two homerooms would both be called %(expected)s; this one is %(value)s in the roster."
    ),
    "school.nobody": lazy_gettext("The roster names no student at all."),
    "school.number_changed": lazy_gettext(
        "Known by the identity number or the source's id: the student number was %(expected)s."
    ),
    "school.identity_changed": lazy_gettext(
        "The same student number and name with another identity number; it was %(expected)s."
    ),
    "school.away": lazy_gettext(
        "This student has left and stays so. Change it on the student's page, or in the file."
    ),
    "school.new_but_away": lazy_gettext(
        "This student is not of the school any more and never was known here; left out."
    ),
    "school.cards_left": lazy_gettext(
        "There are card numbers in the file (%(value)s). They are not taken in here: take them"
        " into stock from a list of their own."
    ),
}
"""Each kind that only the school can tell."""
_MORE = "oneroster.more"
_CHANGES: dict[str, LazyString] = {
    "is_boarding": lazy_gettext("boarding"),
    "is_gone": lazy_gettext("named no more"),
    "guardian": lazy_gettext("guardian"),
    "guardian_phone": lazy_gettext("guardian's phone number"),
}
_WORDS: dict[str, LazyString] = {
    "yes": lazy_gettext("yes"),
    "no": lazy_gettext("no"),
    "male": lazy_gettext("male"),
    "female": lazy_gettext("female"),
    "unknown": lazy_gettext("not known"),
    "enrolled": lazy_gettext("enrolled"),
    "suspended": lazy_gettext("suspended"),
    "transferred": lazy_gettext("transferred"),
    "graduated": lazy_gettext("graduated"),
}
_SAID_IN_WORDS = {"is_boarding", "is_gone", "sex", "status"}


def say(kind: str, value: str = "", expected: str = "") -> str:
    """The sentence of any finding."""
    if kind in FINDINGS:
        return str(FINDINGS[kind]) % {"value": value, "expected": expected}
    if kind == _MORE and expected in PACKAGE_FINDINGS:
        about = str(PACKAGE_FINDINGS[expected])
        return str(gettext("%(count)s more of these: %(about)s", count=value, about=about))
    return say_finding(kind, value, expected)


def target_word(key: str) -> str:
    """What a column means: "guardian 1: guardian's phone number"."""
    field, _, slot = key.partition(":")
    word = str(FIELDS.get(field, field))
    return f"{SLOTS[slot]}: {word}" if slot in SLOTS else word


def where_word(kind: str, field: str) -> str:
    """The field of a finding: of those of the school in words, of a file's as the file has it."""
    return field_word(field) if kind in FINDINGS else field


def field_word(field: str) -> str:
    """What a field is called."""
    return str(_CHANGES.get(field) or FIELDS.get(field) or field)


def change_words(change: Change) -> tuple[str, str, str]:
    """Field, before and after of a change, as people say them."""
    before, after = change.before, change.after
    if change.field in _SAID_IN_WORDS:
        before, after = str(_WORDS.get(before, before)), str(_WORDS.get(after, after))
    return field_word(change.field), before, after

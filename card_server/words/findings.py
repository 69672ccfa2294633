"""What each kind of finding is called, what it means, and what staff can do."""

from typing import Final

from flask_babel import LazyString, lazy_gettext

from card_server.reports.findings import OddKind

NAMES: Final[dict[OddKind, LazyString]] = {
    OddKind.MISSED_ENTRY: lazy_gettext("out without having come in"),
    OddKind.MISSED_EXIT: lazy_gettext("in again without having gone out"),
    OddKind.FORGOTTEN_EXIT: lazy_gettext("still inside when the school closed"),
    OddKind.LEFT_AND_BACK: lazy_gettext("out and in again during a session"),
    OddKind.CLOCK_SUSPECT: lazy_gettext("a tap's time may be wrong"),
    OddKind.UNEXPECTED: lazy_gettext("came though nothing was expected"),
    OddKind.TRAVEL: lazy_gettext("at two places at once"),
    OddKind.TWO_CARDS: lazy_gettext("with two cards"),
    OddKind.ALWAYS_LATE: lazy_gettext("late by the same few minutes"),
    OddKind.REFUSED_AGAIN: lazy_gettext("a refused card again and again"),
}
MEANINGS: Final[dict[OddKind, LazyString]] = {
    OddKind.MISSED_ENTRY: lazy_gettext(
        "A tap on the way out and none on the way in. Ask whether the student came in behind "
        "somebody else, and correct the day if it is judged wrong."
    ),
    OddKind.MISSED_EXIT: lazy_gettext(
        "Two taps on the way in and none on the way out between. Ask how the student left."
    ),
    OddKind.FORGOTTEN_EXIT: lazy_gettext(
        "No tap on the way out. The school's closing hour ended the stay; nobody saw the student "
        "leave."
    ),
    OddKind.LEFT_AND_BACK: lazy_gettext(
        "The student went out during a session without leave and came back."
    ),
    OddKind.CLOCK_SUSPECT: lazy_gettext(
        "The reader's clock was wrong. The tap shows that the student was there, and makes nobody "
        "late. Look after the reader's clock."
    ),
    OddKind.UNEXPECTED: lazy_gettext(
        "The student came on a closed day, or while on leave. If they are back, end the leave."
    ),
    OddKind.TRAVEL: lazy_gettext(
        "Two taps at different places, less than 20 seconds apart: nobody walks so fast. Somebody "
        "else may have held the card, or a reader's clock is wrong."
    ),
    OddKind.TWO_CARDS: lazy_gettext(
        "Two cards of one student within the time of a double tap: one of them may be in "
        "somebody else's hand. Look which cards the student has."
    ),
    OddKind.ALWAYS_LATE: lazy_gettext(
        "Late on at least 4 of the last 10 school days, each time by about the same: a bus or a "
        "habit. Speak with the family."
    ),
    OddKind.REFUSED_AGAIN: lazy_gettext(
        "Held to readers three times or more and refused each time. Somebody carries a lost or "
        "ended card, or a card that was never given out."
    ),
}

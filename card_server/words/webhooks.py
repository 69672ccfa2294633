"""What the choices around webhooks are called."""

from enum import StrEnum

from flask_babel import LazyString, lazy_gettext

from schema.tables.webhooks import DeliveryState, EventKind, Trouble

_WORDS: dict[type[StrEnum], dict[str, LazyString]] = {
    EventKind: {
        EventKind.TAP: lazy_gettext("taps"),
        EventKind.ATTENDANCE: lazy_gettext("students' days"),
        EventKind.MESSAGE: lazy_gettext("messages to parents"),
        EventKind.CARD: lazy_gettext("cards"),
        EventKind.STUDENT: lazy_gettext("who comes and leaves"),
        EventKind.LIMIT: lazy_gettext("limits of messages"),
        EventKind.TEST: lazy_gettext("test"),
    },
    DeliveryState: {
        DeliveryState.WAITING: lazy_gettext("waiting"),
        DeliveryState.DELIVERED: lazy_gettext("delivered"),
        DeliveryState.FAILED: lazy_gettext("given up"),
    },
    Trouble: {
        Trouble.ANSWER: lazy_gettext("The receiver did not take it."),
        Trouble.REDIRECT: lazy_gettext("It answered with a redirect, which is not followed."),
        Trouble.SLOW: lazy_gettext("It took too long to answer."),
        Trouble.CONNECTION: lazy_gettext("The connection was refused or cut."),
        Trouble.CERTIFICATE: lazy_gettext("Its certificate does not hold."),
        Trouble.UNKNOWN_NAME: lazy_gettext("Nobody knows its name."),
        Trouble.PRIVATE: lazy_gettext(
            "The address is not allowed: it leads into a private network."
        ),
        Trouble.SEALED: lazy_gettext("The secret cannot be opened. Make a new one."),
        Trouble.FAULT: lazy_gettext("Our own program failed; the log says more."),
        Trouble.TIME_OVER: lazy_gettext("Its time ran out before it was tried."),
    },
}
_HINTS: dict[EventKind, LazyString] = {
    EventKind.TAP: lazy_gettext("Each card that was held to a reader, refused ones as well."),
    EventKind.ATTENDANCE: lazy_gettext("Each time a student's day changes: arrived, late, left."),
    EventKind.MESSAGE: lazy_gettext("Whether a message was sent, arrived, failed, or is unclear."),
    EventKind.CARD: lazy_gettext(
        "Each step of a card: given out, lost, found, replaced, taken back, ended."
    ),
    EventKind.STUDENT: lazy_gettext(
        "Each student who comes, is suspended, leaves, graduates or is back."
    ),
    EventKind.LIMIT: lazy_gettext("A limit of the day is reached: some messages are not sent."),
}


def webhook_word(choice: StrEnum | None) -> str:
    """What a stored choice is called; nothing for None."""
    return str(_WORDS[type(choice)][choice]) if choice is not None else ""


def kind_hint(kind: EventKind) -> str:
    """What a kind of event tells, in a sentence."""
    return str(_HINTS[kind])

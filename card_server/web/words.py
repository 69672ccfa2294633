"""The words that pages show for stored choices, in both languages."""

from enum import StrEnum

from flask_babel import LazyString, lazy_gettext

from card_server.web.themes import Theme
from schema.messages import Decision, ReaderState, Refusal, Rejection, SourceState
from schema.tables.messages import MessageKind, MessageState, Suppression
from schema.tables.readers import ByteOrder, Direction, Purpose
from schema.tables.staff import Role, Scope
from schema.tables.taps import DirectionBy, Effect

WORDS: dict[type[StrEnum], dict[str, LazyString]] = {
    Decision: {
        Decision.ADMITTED: lazy_gettext("admitted"),
        Decision.REFUSED: lazy_gettext("refused"),
    },
    Direction: {Direction.IN: lazy_gettext("in"), Direction.OUT: lazy_gettext("out")},
    DirectionBy: {
        DirectionBy.READER: lazy_gettext("fixed at the reader"),
        DirectionBy.TIMETABLE: lazy_gettext("by the timetable"),
        DirectionBy.ALTERNATION: lazy_gettext("in and out by turns"),
    },
    Effect: {
        Effect.ARRIVAL: lazy_gettext("arrival"),
        Effect.DEPARTURE: lazy_gettext("departure"),
        Effect.DOUBLE: lazy_gettext("double tap"),
        Effect.NONE: lazy_gettext("no effect"),
    },
    Refusal: {
        Refusal.UNKNOWN: lazy_gettext("unknown card"),
        Refusal.LOST: lazy_gettext("lost card"),
        Refusal.EXPIRED: lazy_gettext("expired card"),
        Refusal.RETURNED: lazy_gettext("returned card"),
        Refusal.BLACKLISTED: lazy_gettext("blocked card"),
        Refusal.NO_LIST: lazy_gettext("the reader had no card list"),
    },
    Rejection: {
        Rejection.MALFORMED: lazy_gettext("malformed"),
        Rejection.TOO_LARGE: lazy_gettext("too large"),
        Rejection.UNKNOWN_READER: lazy_gettext("unknown reader"),
        Rejection.RETAINED: lazy_gettext("retained by the broker"),
        Rejection.ID_REUSED: lazy_gettext("a tap's id was used twice"),
        Rejection.SEQ_REUSED: lazy_gettext("a tap's number was used twice"),
        Rejection.UNPROCESSABLE: lazy_gettext("could not be processed"),
    },
    ReaderState: {
        ReaderState.ONLINE: lazy_gettext("online"),
        ReaderState.OFFLINE: lazy_gettext("offline"),
    },
    SourceState: {
        SourceState.READY: lazy_gettext("ready"),
        SourceState.ABSENT: lazy_gettext("absent"),
    },
    MessageKind: {
        MessageKind.ARRIVAL: lazy_gettext("arrival"),
        MessageKind.DEPARTURE: lazy_gettext("departure"),
    },
    MessageState: {
        MessageState.QUEUED: lazy_gettext("queued"),
        MessageState.SENDING: lazy_gettext("sending"),
        MessageState.ACCEPTED: lazy_gettext("sent"),
        MessageState.FAILED: lazy_gettext("failed"),
        MessageState.UNKNOWN: lazy_gettext("unclear"),
        MessageState.SUPPRESSED: lazy_gettext("not sent"),
    },
    Suppression: {
        Suppression.STALE: lazy_gettext("known too late"),
        Suppression.CLOCK_SUSPECT: lazy_gettext("the reader's clock was wrong"),
    },
    Role: {
        Role.DISTRICT_ADMIN: lazy_gettext("district administrator"),
        Role.SCHOOL_ADMIN: lazy_gettext("school administrator"),
        Role.HOMEROOM_TEACHER: lazy_gettext("homeroom teacher"),
        Role.SUBJECT_TEACHER: lazy_gettext("subject teacher"),
        Role.LIBRARIAN: lazy_gettext("librarian"),
        Role.LAB_TEACHER: lazy_gettext("lab teacher"),
        Role.GATE_GUARD: lazy_gettext("gate guard"),
        Role.AUDITOR: lazy_gettext("auditor"),
    },
    Scope: {
        Scope.DISTRICT: lazy_gettext("the whole district"),
        Scope.SCHOOL: lazy_gettext("the whole school"),
        Scope.GRADE: lazy_gettext("a grade"),
        Scope.HOMEROOM: lazy_gettext("a homeroom"),
        Scope.LAB: lazy_gettext("a lab"),
        Scope.GATE: lazy_gettext("a gate"),
    },
    Theme: {
        Theme.SYSTEM: lazy_gettext("as the system"),
        Theme.LIGHT: lazy_gettext("light"),
        Theme.DARK: lazy_gettext("dark"),
    },
    Purpose: {Purpose.GATE: lazy_gettext("gate")},
    ByteOrder: {
        ByteOrder.AS_SENT: lazy_gettext("as the card sends them"),
        ByteOrder.REVERSED: lazy_gettext("last byte first"),
    },
}


def word(choice: StrEnum | None) -> str:
    """What a stored choice is called; nothing for None."""
    return str(WORDS[type(choice)][choice]) if choice is not None else ""


def rejection_word(reason: str) -> str:
    """What a stored reason is called; a reason that is none of ours stands as it is."""
    return word(Rejection(reason)) if reason in list(Rejection) else reason

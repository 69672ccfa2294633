"""How the parents' page says things: where a child is, what a day was, what became of a message."""

from typing import Final

from flask_babel import LazyString, gettext, lazy_gettext

from card_server.reports.child_days import ChildDay
from card_server.reports.day_plans import is_school_day
from card_server.reports.homeroom_now import Pupil
from card_server.words.attendance import result_words
from card_server.words.choices import word
from schema.tables.attendance import SessionStatus
from schema.tables.messages import MessageKind, MessageState

MESSAGE_STATES: Final[dict[MessageState, LazyString]] = {
    MessageState.QUEUED: lazy_gettext("on its way"),
    MessageState.SENDING: lazy_gettext("on its way"),
    MessageState.ACCEPTED: lazy_gettext("sent"),
    MessageState.DELIVERED: lazy_gettext("arrived on your phone"),
    MessageState.UNDELIVERED: lazy_gettext("could not be delivered"),
    MessageState.FAILED: lazy_gettext("could not be sent"),
    MessageState.UNKNOWN: lazy_gettext("sent; nobody can tell whether it arrived"),
    MessageState.SUPPRESSED: lazy_gettext("not sent"),
}
STATE_TONES: Final = {
    MessageState.ACCEPTED: "good",
    MessageState.DELIVERED: "good",
    MessageState.UNDELIVERED: "bad",
    MessageState.FAILED: "bad",
    MessageState.UNKNOWN: "warn",
}
WISH_WORDS: Final[dict[MessageKind, LazyString]] = {
    MessageKind.ARRIVAL: lazy_gettext("My child has entered the school"),
    MessageKind.DEPARTURE: lazy_gettext("My child has left the school"),
    MessageKind.LATE: lazy_gettext("My child came late"),
    MessageKind.ABSENCE: lazy_gettext("My child has not come, and when it comes after all"),
    MessageKind.LEAVE: lazy_gettext("A request for leave was decided"),
    MessageKind.LIBRARY: lazy_gettext("A library book is due"),
    MessageKind.LAB: lazy_gettext("My child used a computer of the school"),
    MessageKind.NOTICE: lazy_gettext("Notices of the school"),
}


def status_words(pupil: Pupil | None) -> str:
    """What is known of the child in the session that goes on."""
    if pupil is None:
        return str(gettext("Not expected at school at present"))
    if pupil.status is SessionStatus.LATE and pupil.late_minutes:
        return str(gettext("%(minutes)s min late", minutes=pupil.late_minutes))
    if pupil.status is SessionStatus.NOT_JUDGED and pupil.is_inside:
        return str(gettext("at school"))
    if pupil.leave_kind is not None:
        return word(pupil.leave_kind)
    return word(pupil.status)


def day_lines(one: ChildDay) -> list[tuple[str, str, SessionStatus | None]]:
    """Each session of a day: its name, what became of it, and its status."""
    names = {each.position: each.name for each in (one.plan.sessions if one.plan else ())}
    return [
        (
            names.get(each.position) or str(gettext("the whole day")),
            result_words(each),
            each.status,
        )
        for each in one.kept.results
    ]


def coming_words(one: ChildDay) -> str:
    """What a day is of which nothing is judged yet, or why nothing will be."""
    if one.leave is not None:
        return word(one.leave.kind)
    if one.plan is None:
        return str(gettext("Nothing is known of this day."))
    if is_school_day(one.plan):
        return str(gettext("School day"))
    if any(each.is_return for each in one.plan.sessions):
        return str(gettext("Boarders come back"))
    if one.plan.sessions:
        return str(gettext("School for boarders only"))
    return one.plan.note or str(gettext("No school"))

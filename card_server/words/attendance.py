"""How attendance is written everywhere: the word, the sign and the tone of what became of a day."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from flask_babel import LazyString, gettext, lazy_gettext

from card_server.attendance.facts import Finding, SessionResult, Waiting
from card_server.attendance.roll_call import Called
from schema.tables.attendance import SessionStatus
from schema.tables.leave import LeaveKind

ATTENDANCE_WORDS: Final[dict[type[StrEnum], dict[str, LazyString]]] = {
    SessionStatus: {
        SessionStatus.PRESENT: lazy_gettext("present"),
        SessionStatus.LATE: lazy_gettext("late"),
        SessionStatus.LEFT_EARLY: lazy_gettext("left early"),
        SessionStatus.ABSENT: lazy_gettext("absent"),
        SessionStatus.ON_LEAVE: lazy_gettext("on leave"),
        SessionStatus.NOT_JUDGED: lazy_gettext("not judged yet"),
        SessionStatus.NOT_EXPECTED: lazy_gettext("not expected"),
    },
    LeaveKind: {
        LeaveKind.SICK: lazy_gettext("sick leave"),
        LeaveKind.PERSONAL: lazy_gettext("personal leave"),
        LeaveKind.OFFICIAL: lazy_gettext("official leave"),
    },
    Finding: {
        Finding.MISSED_ENTRY: lazy_gettext("out without having come in"),
        Finding.MISSED_EXIT: lazy_gettext("in again without having gone out"),
        Finding.FORGOTTEN_EXIT: lazy_gettext("still inside when the school closed"),
        Finding.LEFT_AND_BACK: lazy_gettext("out and in again during a session"),
        Finding.CLOCK_SUSPECT: lazy_gettext("a tap's time may be wrong"),
        Finding.UNEXPECTED: lazy_gettext("came though nothing was expected"),
    },
    Called: {
        Called.HERE: lazy_gettext("here"),
        Called.MISSING: lazy_gettext("not here"),
        Called.ON_LEAVE: lazy_gettext("on leave"),
        Called.OPEN: lazy_gettext("not called yet"),
    },
    Waiting: {
        Waiting.NOT_DUE: lazy_gettext("not due yet"),
        Waiting.GATE_DARK: lazy_gettext("a gate has not reported"),
    },
}
"""A part of `choices.WORDS`: pages write all of these with the filter `word`."""
SIGNS: Final[dict[SessionStatus, LazyString]] = {
    SessionStatus.PRESENT: lazy_gettext("✓"),
    SessionStatus.LATE: lazy_gettext("L"),
    SessionStatus.LEFT_EARLY: lazy_gettext("E"),
    SessionStatus.ABSENT: lazy_gettext("A"),
    SessionStatus.ON_LEAVE: lazy_gettext("V"),
    SessionStatus.NOT_JUDGED: lazy_gettext("·"),
    SessionStatus.NOT_EXPECTED: lazy_gettext("–"),
}
"""One letter for a cell of a grid; a legend beside the grid says what each means."""
TONES: Final[dict[SessionStatus, str]] = {
    SessionStatus.PRESENT: "good",
    SessionStatus.LATE: "warn",
    SessionStatus.LEFT_EARLY: "warn",
    SessionStatus.ABSENT: "bad",
    SessionStatus.ON_LEAVE: "calm",
    SessionStatus.NOT_JUDGED: "",
    SessionStatus.NOT_EXPECTED: "",
}
"""The class of a badge or a cell, beside its word or sign and never in its place."""
_GRAVEST: Final = (
    SessionStatus.ABSENT,
    SessionStatus.LATE,
    SessionStatus.LEFT_EARLY,
    SessionStatus.ON_LEAVE,
    SessionStatus.NOT_JUDGED,
    SessionStatus.PRESENT,
    SessionStatus.NOT_EXPECTED,
)
CORRECTED: Final = "*"
"""Stands after a sign that a person has corrected."""


def sign_of(result: SessionResult) -> str:
    """The sign of one session; two of them for who came late and left early as well."""
    sign = str(SIGNS[result.status])
    if result.status is SessionStatus.LATE and result.early_minutes:
        sign += str(SIGNS[SessionStatus.LEFT_EARLY])
    return sign


def day_sign(results: Iterable[SessionResult]) -> str:
    """The signs of a day's sessions in their order, once when all are alike; empty for none.

    A session that was not expected is left out beside others.
    """
    found = list(results)
    counted = [one for one in found if one.status is not SessionStatus.NOT_EXPECTED] or found
    signs = [sign_of(one) for one in counted]
    written = signs[0] if len(set(signs)) == 1 else "".join(signs)
    return written + CORRECTED if any(one.is_corrected for one in found) else written


def day_tone(results: Iterable[SessionResult]) -> str:
    """The tone of a whole day: that of its gravest session."""
    statuses = {one.status for one in results}
    return next((TONES[one] for one in _GRAVEST if one in statuses), "")


def said_words(
    status: SessionStatus, leave_kind: LeaveKind | None, minutes: int | None = None
) -> str:
    """What staff said of a day: "late 12 min", "on leave (sick leave)"."""
    text = str(ATTENDANCE_WORDS[SessionStatus][status])
    if leave_kind:
        text += f" ({ATTENDANCE_WORDS[LeaveKind][leave_kind]})"
    if minutes:
        text += " " + gettext("%(minutes)s min", minutes=minutes)
    return text


def result_words(result: SessionResult) -> str:
    """What became of a session in words: "5 min late", "on leave (sick leave), corrected"."""
    text = ", ".join(_status_words(result))
    if result.leave_kind:
        text += f" ({ATTENDANCE_WORDS[LeaveKind][result.leave_kind]})"
    if result.waiting:
        text += f" ({ATTENDANCE_WORDS[Waiting][result.waiting]})"
    if result.is_corrected:
        text += ", " + gettext("corrected")
    return text


def _status_words(result: SessionResult) -> list[str]:
    """The status, which minutes may say alone."""
    minutes = {
        SessionStatus.LATE: result.late_minutes,
        SessionStatus.LEFT_EARLY: result.early_minutes,
    }
    words = (
        [] if minutes.get(result.status) else [str(ATTENDANCE_WORDS[SessionStatus][result.status])]
    )
    if result.late_minutes:
        words.append(gettext("%(minutes)s min late", minutes=result.late_minutes))
    if result.early_minutes:
        words.append(gettext("%(minutes)s min early", minutes=result.early_minutes))
    return words

"""The signs, tones and words of attendance: each choice has all, and a day's come together."""

import pytest
from flask import Flask
from flask.ctx import RequestContext
from flask_babel import Babel

from card_server.attendance.facts import Finding, SessionResult, Waiting
from card_server.words.attendance import (
    SIGNS,
    TONES,
    day_sign,
    day_tone,
    result_words,
    sign_of,
)
from card_server.words.choices import WORDS
from schema.tables.attendance import SessionStatus as Status
from schema.tables.leave import LeaveKind

PRESENT, ABSENT = SessionResult(1, Status.PRESENT), SessionResult(2, Status.ABSENT)
FREE = SessionResult(3, Status.NOT_EXPECTED)
BOTH = SessionResult(1, Status.LATE, late_minutes=5, early_minutes=20)
CORRECTED = SessionResult(2, Status.PRESENT, is_corrected=True)
ILL = SessionResult(1, Status.ON_LEAVE, leave_kind=LeaveKind.SICK)
DARK = SessionResult(1, Status.NOT_JUDGED, waiting=Waiting.GATE_DARK)


def _english() -> RequestContext:
    """A request in English, which needs no translations."""
    app = Flask(__name__)
    Babel(app, default_locale="en")
    return app.test_request_context()


def test_every_choice_has_a_word_and_every_status_a_sign_of_its_own() -> None:
    for kind in (Status, LeaveKind, Finding, Waiting):
        assert WORDS[kind].keys() == set(kind)
    assert SIGNS.keys() == TONES.keys() == set(Status)
    with _english():
        assert len({str(sign) for sign in SIGNS.values()}) == len(Status)


@pytest.mark.parametrize(
    ("results", "sign", "tone"),
    [
        ([], "", ""),
        ([PRESENT], "✓", "good"),
        ([PRESENT, PRESENT], "✓", "good"),
        ([PRESENT, ABSENT], "✓A", "bad"),
        ([BOTH, PRESENT], "LE✓", "warn"),
        ([PRESENT, FREE], "✓", "good"),
        ([FREE], "–", ""),
        ([PRESENT, CORRECTED], "✓*", "good"),
        ([ILL], "V", "calm"),
    ],
)
def test_a_day_is_written_with_its_sessions_signs(
    results: list[SessionResult], sign: str, tone: str
) -> None:
    with _english():
        assert day_sign(results) == sign
    assert day_tone(results) == tone


def test_a_result_is_said_in_words() -> None:
    with _english():
        assert sign_of(BOTH) == "LE"
        assert result_words(BOTH) == "5 min late, 20 min early"
        assert result_words(ILL) == "on leave (sick leave)"
        assert result_words(DARK) == "not judged yet (a gate has not reported)"
        assert result_words(CORRECTED) == "present, corrected"

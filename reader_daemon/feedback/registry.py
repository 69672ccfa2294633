"""Which file shows what, by the name that the settings use."""

import importlib
from typing import Final, cast

from reader_daemon.config import FeedbackName, Settings
from reader_daemon.feedback.protocol import Feedback

_MODULES: Final = {
    FeedbackName.LOG: "reader_daemon.feedback.log",
    FeedbackName.TERMINAL: "reader_daemon.feedback.terminal",
    FeedbackName.GPIO: "reader_daemon.feedback.gpio",
    FeedbackName.SOUND: "reader_daemon.feedback.sound",
}


def open_feedback(name: FeedbackName, settings: Settings) -> Feedback:
    """Ready to show. Imported only now: a box without lamps needs no library for them."""
    module = importlib.import_module(_MODULES[name])
    return cast("Feedback", module.open_feedback(settings))

"""What a parent reads of a day of which nothing is judged yet."""

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from flask_babel import Babel
from msgspec.structs import replace

from card_server.attendance.facts import DayPlan, SessionPlan
from card_server.reports.child_days import ChildDay
from card_server.reports.kept_days import NOTHING_KEPT
from card_server.words.parents import coming_words
from schema.tables.calendar import DayKind, DayPart, ForWhom

EVENING = SessionPlan(3, "晚自习", DayPart.EVENING, 1080, 1110, 1140, 1260, 1270)
RETURN = replace(EVENING, position=90, is_return=True)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    app = Flask(__name__)
    Babel(app, default_locale="en")
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("sessions", "told"),
    [
        ((), "No school"),
        ((EVENING,), "School day"),
        ((replace(EVENING, for_whom=ForWhom.DAY_STUDENTS),), "School day"),
        ((replace(EVENING, for_whom=ForWhom.BOARDERS),), "School for boarders only"),
        ((replace(EVENING, for_whom=ForWhom.BOARDERS), RETURN), "Boarders come back"),
        ((RETURN,), "Boarders come back"),
    ],
)
def test_a_day_to_come_says_whether_day_students_have_school(
    sessions: tuple[SessionPlan, ...], told: str
) -> None:
    plan = DayPlan(DayKind.LESSONS, sessions)
    assert coming_words(ChildDay(date(2026, 9, 7), plan, NOTHING_KEPT, None)) == told

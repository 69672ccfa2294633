"""What a student of today's list is, in the words and tones of the board."""

from typing import Final

from flask_babel import LazyString, lazy_gettext

from card_server.reports.today_list import TodayStatus

NAMES: Final[dict[TodayStatus, LazyString]] = {
    TodayStatus.ABSENT: lazy_gettext("Absent"),
    TodayStatus.NOT_JUDGED: lazy_gettext("Not judged"),
    TodayStatus.LATE: lazy_gettext("Late"),
    TodayStatus.LEFT_EARLY: lazy_gettext("Left early"),
    TodayStatus.ON_LEAVE: lazy_gettext("On leave"),
}
TONES: Final[dict[TodayStatus, str]] = {
    TodayStatus.ABSENT: "bad",
    TodayStatus.NOT_JUDGED: "",
    TodayStatus.LATE: "warn",
    TodayStatus.LEFT_EARLY: "warn",
    TodayStatus.ON_LEAVE: "calm",
}
"""The class of a badge, beside its word."""

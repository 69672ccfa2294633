"""A clock that stands still: what is today for a test stays today until the test has ended.

A day that is taken from the real clock when a file is loaded is yesterday for the tests that run
after midnight.
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from flask import Flask

ZONE = ZoneInfo("Asia/Shanghai")
"""Of the tests' schools."""
TODAY = date(2026, 11, 25)
"""A Wednesday of the small school's term: its week has days before and after it."""
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
"""Noon of that day at the school."""


def stop_clock(app: Flask, at: datetime = NOW) -> None:
    """It is this moment for the pages and for the API, however long the test takes."""
    for one in (app, app.extensions["api"]):
        one.extensions["now"] = lambda: at

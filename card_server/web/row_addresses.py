"""Addresses of a list's rows: they differ in one id or day, so each kind is built once."""

from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

from flask import url_for

_ANY = 7_000_000_000_000_000_007
"""Stands for a row's id in an address; no table has so many rows."""


def row_address(endpoint: str, name: str, /, **values: Any) -> Callable[[int | date], str]:
    """`url_for` with every value but the one called `name`, which each row brings."""
    before, _, after = url_for(endpoint, **{name: _ANY, **values}).partition(str(_ANY))
    return lambda key: f"{before}{key}{after}"


def student_day_address() -> Callable[[int, date], str]:
    """Where a student's day is shown: a list names many students, and a few days."""
    of_day = cache(lambda day: row_address("students.show_day", "student_id", day=day))
    return lambda student_id, day: of_day(day)(student_id)

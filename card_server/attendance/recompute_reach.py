"""Which days are to be judged anew: a time that is not longer than a year, and whose days."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.field_errors import Problems
from card_server.field_errors import marked as _
from schema.tables.school import Homeroom

LONGEST: Final = timedelta(days=365)
"""From the first day to the last: 366 days."""


class Reach(NamedTuple):
    """A time, and of the school one homeroom, one grade, or everybody."""

    first: date
    last: date
    grade: int | None = None
    homeroom_id: int | None = None


def read_reach(typed: Mapping[str, str], today: date) -> Reach:
    """What somebody chose in a form. Raises FieldsError."""
    wrong = Problems()
    first, last = (_read_day(wrong, name, typed.get(name, "")) for name in ("first", "last"))
    whom = typed.get("whom", "")
    kind, _colon, number = whom.partition(":")
    is_number = number.isascii() and number.isdigit() and len(number) < 10
    if whom and not (kind in ("grade", "homeroom") and is_number):
        wrong.add("whom", _("Choose the whole school, a grade or a homeroom."))
    wrong.refuse()
    reach = Reach(
        first,
        last,
        int(number) if kind == "grade" else None,
        int(number) if kind == "homeroom" else None,
    )
    check_reach(reach, today)
    return reach


def check_reach(reach: Reach, today: date) -> None:
    """Raises FieldsError for a time that is too long, the wrong way round, or yet to come."""
    wrong = Problems()
    if reach.last > today:
        wrong.add("last", _("This day has not come yet. Choose today at the latest."))
    if reach.first > reach.last:
        wrong.add("last", _("The last day lies before the first one."))
    elif reach.last - reach.first > LONGEST:
        wrong.add("last", _("Choose at most 366 days at a time."))
    wrong.refuse()


def homerooms_of(session: Session, school_id: int, reach: Reach) -> frozenset[int] | None:
    """The homerooms that are meant; None for the whole school. Raises AppError(NOT_FOUND).

    Those of years that are over belong to the grade that they were.
    """
    if reach.grade is None and reach.homeroom_id is None:
        return None
    wanted = select(Homeroom.id).where(Homeroom.school_id == school_id)
    if reach.homeroom_id is not None:
        wanted = wanted.where(Homeroom.id == reach.homeroom_id)
    if reach.grade is not None:
        wanted = wanted.where(Homeroom.grade == reach.grade)
    found = frozenset(session.scalars(wanted))
    if not found:
        raise AppError(Code.NOT_FOUND, _("There is no such grade or homeroom."))
    return found


def write_reach(reach: Reach) -> dict[str, Any]:
    """As a job's parameters and the audit log have it."""
    written = {"from": reach.first.isoformat(), "to": reach.last.isoformat()}
    narrower = {"grade": reach.grade, "homeroom": reach.homeroom_id}
    return written | {name: value for name, value in narrower.items() if value is not None}


def reach_of(parameters: Mapping[str, Any]) -> Reach:
    """What was written."""
    return Reach(
        date.fromisoformat(parameters["from"]),
        date.fromisoformat(parameters["to"]),
        parameters.get("grade"),
        parameters.get("homeroom"),
    )


def _read_day(wrong: Problems, name: str, typed: str) -> date:
    try:
        day = date.fromisoformat(typed.strip())
    except ValueError:
        wrong.add(name, _("Choose a day."))
        return date.min
    if day.year < 2000:
        wrong.add(name, _("Choose a day."))
    return day

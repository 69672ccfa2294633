"""Calling the roll of the boarders (晚点名): who is there this evening, as somebody has seen.

Boarders are not judged each day. What is said here judges nothing and tells nobody: it shows whom
to look for.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from card_server.attendance.correcting import Doing
from card_server.audit.writing import note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.people.boarding_days import boards_on
from card_server.school_time import day_of
from card_server.storage.among import is_among
from schema.tables.people import Student, StudentStatus
from schema.tables.roll_call import RollCall

MOST_MARKS: Final = 500
"""Of one call; a homeroom's boarders are far fewer."""
_UNTIL_NOON: Final = timedelta(hours=12)
_OPEN_FOR: Final = timedelta(days=7)
_LATE: Final = time(22)


class Called(StrEnum):
    """What the roll says of a boarder."""

    HERE = "here"
    MISSING = "missing"
    ON_LEAVE = "on_leave"
    """Nobody called them, and an approved slip covers the evening."""
    OPEN = "open"
    """Nobody has called them yet."""


def evening_of(now: datetime, zone: ZoneInfo) -> date:
    """The evening whose roll is called: until noon still that of the day before."""
    return day_of(now - _UNTIL_NOON, zone)


def night_of(day: date, zone: ZoneInfo) -> datetime:
    """The moment of an evening at which a leave slip excuses from its roll."""
    return datetime.combine(day, _LATE, zone)


def is_called(school_id: int, day: date) -> ColumnElement[bool]:
    """They are on the roll of that evening."""
    return (
        (Student.school_id == school_id)
        & (Student.status == StudentStatus.ENROLLED)
        & Student.erased_at.is_(None)
        & boards_on(day)
    )


def is_open(day: date, evening: date) -> bool:
    """Whether the roll of a day can still be called or mended, `evening` being the newest."""
    return evening - _OPEN_FOR <= day <= evening


def call_roll(
    session: Session,
    doing: Doing,
    day: date,
    marks: Mapping[int, bool | None],
    *,
    is_rest: bool = False,
) -> list[int]:
    """Write down who is there, who is not, or (None) that nothing is said of them any more.

    With `is_rest` only of whom nobody has said anything: whom a colleague called missing meanwhile
    stays so. Answers whose mark changed. Raises FieldsError for an evening that has not come or is
    more than a week ago, AppError(NOT_FOUND) for a student who is on no roll of it within reach.
    """
    _refuse_evening(doing, day)
    wanted = is_among(session, Student.id, marks.keys())
    found = session.scalars(select(Student.id).where(is_called(doing.school_id, day), wanted))
    if set(found) != marks.keys():
        raise AppError(Code.NOT_FOUND, "Not all of these students are on the roll of that evening.")
    known = read_marks(session, doing.school_id, day, marks.keys())
    if is_rest:
        marks = {one: said for one, said in marks.items() if one not in known}
    changed = {one: said for one, said in marks.items() if known.get(one) != said}
    told = {one: said for one, said in changed.items() if said is not None}
    _write(session, doing, day, told, is_rest=is_rest)
    _forget(session, doing, day, [one for one, said in changed.items() if said is None])
    if changed:
        _note(session, doing, day, changed)
    return sorted(changed)


def read_marks(
    session: Session, school_id: int, day: date, student_ids: Collection[int]
) -> dict[int, bool]:
    """What is said of these students, by id."""
    found = session.execute(
        select(RollCall.student_id, RollCall.is_here).where(
            RollCall.school_id == school_id,
            RollCall.day == day,
            is_among(session, RollCall.student_id, student_ids),
        )
    )
    return {row.student_id: row.is_here for row in found}


def _refuse_evening(doing: Doing, day: date) -> None:
    evening = evening_of(doing.now, doing.zone)
    if day > evening:
        raise FieldsError({"day": _("This evening has not come yet.")})
    if not is_open(day, evening):
        raise FieldsError({"day": _("This evening is more than a week ago.")})


def _write(
    session: Session, doing: Doing, day: date, marks: Mapping[int, bool], *, is_rest: bool
) -> None:
    """The last word stands, also where two call the same roll; but not that of the rest."""
    if not marks:
        return
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(RollCall)
    said = {name: insert.excluded[name] for name in ("is_here", "made_by", "made_at")}
    rows = [
        {
            "school_id": doing.school_id,
            "student_id": student_id,
            "day": day,
            "is_here": is_here,
            "made_by": doing.actor.name[:120],
            "made_at": doing.now,
        }
        for student_id, is_here in sorted(marks.items())
    ]
    key = ["student_id", "day"]
    if is_rest:
        session.execute(insert.values(rows).on_conflict_do_nothing(index_elements=key))
    else:
        session.execute(insert.values(rows).on_conflict_do_update(index_elements=key, set_=said))


def _forget(session: Session, doing: Doing, day: date, student_ids: Collection[int]) -> None:
    if student_ids:
        session.execute(
            delete(RollCall).where(
                RollCall.school_id == doing.school_id,
                RollCall.day == day,
                is_among(session, RollCall.student_id, student_ids),
            )
        )


def _note(session: Session, doing: Doing, day: date, changed: Mapping[int, bool | None]) -> None:
    said = {"here": True, "missing": False, "taken_back": None}
    details = {"day": day.isoformat()} | {
        word: sorted(one for one, now in changed.items() if now is is_here)
        for word, is_here in said.items()
        if is_here in changed.values()
    }
    subject = f"roll_call:{day}"
    note(session, doing.school_id, doing.actor, "roll_call.called", subject, details=details)

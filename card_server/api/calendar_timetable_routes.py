"""The school's timetables and the hours of their weekdays."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from card_server.access import actor, allow, changing_session, now, school_in_use, school_session
from card_server.api import calendar_shapes as shapes
from card_server.api.bodies import named_in_body
from card_server.api.calendar_inputs import (
    NewTimetable,
    TimetableChange,
    TimetablePath,
    WeekdayHours,
)
from card_server.api.calendar_routes import ADMINS, READING
from card_server.api.matching import if_match, lock_and_match
from card_server.calendar import sessions
from card_server.calendar import timetables as tables
from card_server.calendar.hours import read_minute
from card_server.calendar.reading import read_sessions
from card_server.calendar.sessions import MINUTES, SessionHours, change_hours, copy_hours
from card_server.field_errors import Problems
from schema.tables.calendar import Timetable, TimetableSession

routes = APIBlueprint("timetables", __name__, tag="Calendar")


@routes.get("/timetables")
@allow(*READING)
@routes.output(shapes.Timetables)
def timetables() -> Any:
    """The timetables in use, the newest first, the special ones last."""
    with school_session() as session:
        found = tables.list_timetables(session, school_in_use().id)
        hours = read_sessions(session, [one.id for one in found])
        return {"items": [_describe(one, hours[one.id]) for one in found]}


@routes.post("/timetables")
@allow(*ADMINS)
@routes.input(NewTimetable, arg_name="sent")
@routes.output(shapes.Timetable, status_code=201)
def add_timetable(sent: NewTimetable) -> Any:
    """Make a timetable."""
    school_id = school_in_use().id
    wanted = tables.read_settings(_typed(sent.model_dump(exclude={"copy_from"})))
    with named_in_body(), changing_session() as session:
        row = tables.add_timetable(session, actor(), school_id, wanted, now())
        if sent.copy_from is not None:
            copy_hours(session, actor(), school_id, sent.copy_from, row.id, now())
        return _show(session, row)


@routes.get("/timetables/<timetable_id>")
@allow(*READING)
@routes.input(TimetablePath, location="path", arg_name="asked")
@routes.output(shapes.Timetable)
def timetable(timetable_id: str, asked: TimetablePath) -> Any:
    """One timetable with its hours."""
    with school_session() as session:
        return _show(
            session, tables.find_timetable(session, school_in_use().id, asked.timetable_id)
        )


@routes.patch("/timetables/<timetable_id>")
@allow(*ADMINS)
@if_match
@routes.input(TimetablePath, location="path", arg_name="asked")
@routes.input(TimetableChange, arg_name="sent")
@routes.output(shapes.Timetable)
def change_timetable(timetable_id: str, asked: TimetablePath, sent: TimetableChange) -> Any:
    """Change a timetable's name, its days, or for whom it is."""
    school_id = school_in_use().id
    with changing_session() as session:
        row = tables.find_timetable(session, school_id, asked.timetable_id)
        lock_and_match(session, shapes.Timetable, row, lambda one: _show(session, one))
        changed = sent.model_dump(exclude_none=True)
        if "ends_on" in sent.model_fields_set:
            changed["ends_on"] = sent.ends_on
        wanted = tables.read_settings(_typed(asdict(tables.settings_of(row)) | changed))
        tables.change_timetable(session, actor(), school_id, row.id, wanted, now())
        return _show(session, row)


@routes.delete("/timetables/<timetable_id>")
@allow(*ADMINS)
@routes.input(TimetablePath, location="path", arg_name="asked")
@routes.output(shapes.Stays)
def end_timetable(timetable_id: str, asked: TimetablePath) -> Any:
    """Take a timetable out of use; days that were kept with it stay as they are."""
    school_id = school_in_use().id
    with changing_session() as session:
        stays = tables.end_timetable(session, actor(), school_id, asked.timetable_id, now())
        return {"stays": stays}


@routes.put("/timetables/<timetable_id>/hours")
@allow(*ADMINS)
@if_match
@routes.input(TimetablePath, location="path", arg_name="asked")
@routes.input(WeekdayHours, arg_name="sent")
@routes.output(shapes.Timetable)
def put_hours(timetable_id: str, asked: TimetablePath, sent: WeekdayHours) -> Any:
    """Give weekdays these sessions in place of what they have."""
    school_id = school_in_use().id
    wanted = [_hours_of(one.model_dump()) for one in sent.sessions]
    with changing_session() as session:
        row = tables.find_timetable(session, school_id, asked.timetable_id)
        lock_and_match(session, shapes.Timetable, row, lambda one: _show(session, one))
        change_hours(session, actor(), school_id, row.id, sent.weekdays, wanted, now())
        return _show(session, row)


def _show(session: Session, row: Timetable) -> dict[str, Any]:
    return _describe(row, read_sessions(session, [row.id])[row.id])


def _describe(row: Timetable, rows: Sequence[TimetableSession]) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "starts_on": row.starts_on,
        "ends_on": row.ends_on,
        "grades": row.grades,
        "homerooms": row.homerooms,
        "is_special": row.is_special,
        "sessions": [
            asdict(sessions.hours_of(one)) | {"weekday": one.weekday, "position": one.position}
            for one in rows
        ],
    }


def _typed(values: dict[str, Any]) -> dict[str, str]:
    """Settings as a form would give them to the rules."""
    typed = {name: "" if value in (None, False) else str(value) for name, value in values.items()}
    return typed | {name: " ".join(map(str, values[name])) for name in ("grades", "homerooms")}


def _hours_of(sent: dict[str, Any]) -> SessionHours:
    """Times as minutes; their form was checked as they came in."""
    return SessionHours(
        **sent | {name: read_minute(Problems(), name, sent[name]) for name in MINUTES}
    )

"""The token itself, its school, and the school's homerooms, readers and board."""

from datetime import UTC, datetime
from typing import Any

from apiflask import APIBlueprint

from card_server.access import (
    allow,
    allow_anywhere,
    caller,
    now,
    school_in_use,
    school_session,
)
from card_server.api import shapes
from card_server.api.changes import HomeroomPath
from card_server.api.inputs import BoardQuery, ReadersQuery
from card_server.register.homerooms import find_homeroom
from card_server.reports.arrivals import read_arrivals
from card_server.reports.board import read_board, shown_rooms, time_of
from card_server.reports.listings import list_homerooms
from card_server.reports.reader_report import read_aside, read_readers
from card_server.school_time import day_of
from card_server.staff.tokens import TokenCaller
from schema.tables.school import School
from schema.tables.staff import Role

routes = APIBlueprint("school", __name__, tag="School")
_MEETING_STUDENTS = tuple(role for role in Role if role is not Role.AUDITOR)
_MINDING_READERS = (
    Role.DISTRICT_ADMIN,
    Role.SCHOOL_ADMIN,
    Role.LAB_TEACHER,
    Role.GATE_GUARD,
)


@routes.get("/me")
@allow_anywhere(*Role)
@routes.output(shapes.Me)
def me() -> Any:
    """The token that was sent, and what it may do."""
    who = caller()
    if not isinstance(who, TokenCaller) or who.school is None:
        raise TypeError("only tokens call this, and each has a school")
    return {
        "name": who.name,
        "school_id": who.school.id,
        "grant": who.grants[0],
        "expires_at": who.expires_at,
    }


@routes.get("/school")
@allow(*_MEETING_STUDENTS)
@routes.output(shapes.School)
def school() -> Any:
    """The token's school."""
    with school_session() as session:
        return session.get_one(School, school_in_use().id)


@routes.get("/homerooms")
@allow(*_MEETING_STUDENTS)
@routes.output(shapes.Homerooms)
def homerooms() -> Any:
    """The homerooms within the token's reach, by grade."""
    with school_session() as session:
        return {"items": list_homerooms(session, school_in_use().id)}


@routes.get("/homerooms/<homeroom_id>")
@allow(*_MEETING_STUDENTS)
@routes.input(HomeroomPath, location="path", arg_name="asked")
@routes.output(shapes.Homeroom)
def homeroom(homeroom_id: str, asked: HomeroomPath) -> Any:
    """One homeroom."""
    with school_session() as session:
        return find_homeroom(session, school_in_use().id, asked.homeroom_id)


@routes.get("/board")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER)
@routes.input(BoardQuery, location="query", arg_name="asked")
@routes.output(shapes.Board)
def board(asked: BoardQuery) -> Any:
    """A day's numbers by homeroom and grade, what the day is, who is late or not judged."""
    at = school_in_use()
    moment = now()
    day = asked.day or day_of(moment, at.zone)
    with school_session() as session:
        time = time_of(day, moment, at.zone)
        found = read_board(session, at, time, asked.homeroom, asked.grade)
        arrivals = read_arrivals(session, at.id, day, shown_rooms(found))
    return {
        "day": day,
        "days": found.days,
        "late_after": found.late_after,
        "total": found.total,
        "rows": found.rows,
        "grades": found.grades,
        "not_yet": found.not_yet,
        "late": found.late,
        "arrivals": [one._asdict() for one in arrivals],
    }


@routes.get("/readers")
@allow(*_MINDING_READERS)
@routes.input(ReadersQuery, location="query", arg_name="asked")
@routes.output(shapes.Readers)
def readers(asked: ReadersQuery) -> Any:
    """How each reader within the token's reach is; retired ones only where they are asked for."""
    at = school_in_use()
    with school_session() as session:
        found = read_readers(session, at.id, at.cards_version, datetime.now(UTC))
    if asked.use != "all":
        found = [one for one in found if (one.retired_at is not None) == (asked.use == "retired")]
    return {"cards_version": at.cards_version, "items": found}


@routes.get("/readers/aside")
@allow(*_MINDING_READERS)
@routes.output(shapes.Asides)
def aside() -> Any:
    """What readers sent that could not be kept, newest first."""
    with school_session() as session:
        return {"items": read_aside(session, school_in_use().id)}

"""Registrations for a term (报到注册): how many came, one student's, and writing one down."""

from datetime import UTC, datetime
from typing import Any

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.api import registration_shapes as shapes
from card_server.api.people_inputs import TermPath
from card_server.api.registration_shapes import RegistrationPath, Why
from card_server.errors import AppError, Code
from card_server.people import registrations as rules
from card_server.register.terms import find_term
from card_server.reports.enrolment import Expected, count_rooms, read_registration
from schema.tables.staff import Role

routes = APIBlueprint("registrations", __name__, tag="School")
_SEEING = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER)
_ONE = "/terms/<term_id>/registrations/<student_id>"


@routes.get("/terms/<term_id>/registrations")
@allow(*_SEEING)
@routes.input(TermPath, location="path", arg_name="asked")
@routes.output(shapes.RegistrationCounts)
def registrations(term_id: str, asked: TermPath) -> Any:
    """How many of each homeroom within the token's reach have registered."""
    school_id = school_in_use().id
    with school_session() as session:
        term = find_term(session, school_id, asked.term_id)
        return {"items": count_rooms(session, school_id, term.id)}


@routes.get(_ONE)
@allow(*_SEEING)
@routes.input(RegistrationPath, location="path", arg_name="asked")
@routes.output(shapes.Registration)
def registration(term_id: str, student_id: str, asked: RegistrationPath) -> Any:
    """Whether a student has registered, and when."""
    with school_session() as session:
        return _find(session, asked)


@routes.post(_ONE)
@allow(*_SEEING)
@routes.input(RegistrationPath, location="path", arg_name="asked")
@routes.input(Why, arg_name="sent")
@routes.output(shapes.Registration)
def register(term_id: str, student_id: str, asked: RegistrationPath, sent: Why) -> Any:
    """Register a student who has no card at hand."""
    school_id, now = school_in_use().id, datetime.now(UTC)
    term, student = asked.term_id, asked.student_id
    with changing_session() as session:
        rules.register_by_hand(session, actor(), school_id, term, student, sent.reason, now)
        return _find(session, asked)


@routes.post(f"{_ONE}/remove")
@allow(*_SEEING)
@routes.input(RegistrationPath, location="path", arg_name="asked")
@routes.input(Why, arg_name="sent")
@routes.output(shapes.Registration)
def take_back(term_id: str, student_id: str, asked: RegistrationPath, sent: Why) -> Any:
    """Take a registration back, whether it was made by card or by hand."""
    school_id, term, student = school_in_use().id, asked.term_id, asked.student_id
    with changing_session() as session:
        rules.take_back(session, actor(), school_id, term, student, sent.reason)
        session.flush()
        return _find(session, asked)


def _find(session: Session, asked: RegistrationPath) -> Expected:
    school_id = school_in_use().id
    term = find_term(session, school_id, asked.term_id)
    found = read_registration(session, school_id, term.id, asked.student_id)
    if found is None:
        raise AppError(Code.NOT_FOUND, "There is no such student in this school.")
    return found

"""Terms and campuses."""

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint

from card_server.access import actor, allow, changing_session, now, school_in_use, school_session
from card_server.api import people_shapes as shapes
from card_server.api.matching import if_match, lock_and_match
from card_server.api.people_inputs import CampusName, CampusPath, NewTerm, TermChange, TermPath
from card_server.api.people_routes import ADMINS, typed_of
from card_server.register import campuses as places
from card_server.register import terms as years
from schema.tables.staff import Role

routes = APIBlueprint("school_year", __name__, tag="School")
_MEETING_STUDENTS = tuple(role for role in Role if role is not Role.AUDITOR)


@routes.get("/terms")
@allow(*_MEETING_STUDENTS)
@routes.output(shapes.Terms)
def terms() -> Any:
    """The school's terms, the newest first."""
    with school_session() as session:
        return {"items": years.list_terms(session, school_in_use().id)}


@routes.post("/terms")
@allow(*ADMINS)
@routes.input(NewTerm, arg_name="sent")
@routes.output(shapes.Term, status_code=201)
def add_term(sent: NewTerm) -> Any:
    """Make a term."""
    wanted = years.read_settings(typed_of({}, sent.model_dump()))
    with changing_session() as session:
        return years.add_term(session, actor(), school_in_use().id, wanted, now())


@routes.get("/terms/<term_id>")
@allow(*_MEETING_STUDENTS)
@routes.input(TermPath, location="path", arg_name="asked")
@routes.output(shapes.Term)
def term(term_id: str, asked: TermPath) -> Any:
    """One term."""
    with school_session() as session:
        return years.find_term(session, school_in_use().id, asked.term_id)


@routes.patch("/terms/<term_id>")
@allow(*ADMINS)
@if_match
@routes.input(TermPath, location="path", arg_name="asked")
@routes.input(TermChange, arg_name="sent")
@routes.output(shapes.Term)
def change_term(term_id: str, asked: TermPath, sent: TermChange) -> Any:
    """Change a term's name or days."""
    school_id = school_in_use().id
    with changing_session() as session:
        found = years.find_term(session, school_id, asked.term_id)
        lock_and_match(session, shapes.Term, found)
        stored = asdict(years.settings_of(found))
        wanted = years.read_settings(typed_of(stored, sent.model_dump(exclude_none=True)))
        years.change_term(session, actor(), school_id, found.id, wanted, now())
        return found


@routes.delete("/terms/<term_id>")
@allow(*ADMINS)
@routes.input(TermPath, location="path", arg_name="asked")
@routes.output({}, status_code=204)
def remove_term(term_id: str, asked: TermPath) -> Any:
    """Take a term away; what was recorded on its days stays."""
    with changing_session() as session:
        years.remove_term(session, actor(), school_in_use().id, asked.term_id, now())
    return ""


@routes.get("/campuses")
@allow(*_MEETING_STUDENTS)
@routes.output(shapes.Campuses)
def campuses() -> Any:
    """The school's campuses, where it has several."""
    with school_session() as session:
        return {"items": places.list_campuses(session, school_in_use().id)}


@routes.post("/campuses")
@allow(*ADMINS)
@routes.input(CampusName, arg_name="sent")
@routes.output(shapes.Campus, status_code=201)
def add_campus(sent: CampusName) -> Any:
    """Make a campus."""
    name = places.read_name({"name": sent.name})
    with changing_session() as session:
        return places.add_campus(session, actor(), school_in_use().id, name)


@routes.get("/campuses/<campus_id>")
@allow(*_MEETING_STUDENTS)
@routes.input(CampusPath, location="path", arg_name="asked")
@routes.output(shapes.Campus)
def campus(campus_id: str, asked: CampusPath) -> Any:
    """One campus."""
    with school_session() as session:
        return places.find_campus(session, school_in_use().id, asked.campus_id)


@routes.patch("/campuses/<campus_id>")
@allow(*ADMINS)
@if_match
@routes.input(CampusPath, location="path", arg_name="asked")
@routes.input(CampusName, arg_name="sent")
@routes.output(shapes.Campus)
def rename_campus(campus_id: str, asked: CampusPath, sent: CampusName) -> Any:
    """Rename a campus."""
    school_id = school_in_use().id
    name = places.read_name({"name": sent.name})
    with changing_session() as session:
        found = places.find_campus(session, school_id, asked.campus_id)
        lock_and_match(session, shapes.Campus, found)
        places.rename_campus(session, actor(), school_id, found.id, name)
        return found


@routes.delete("/campuses/<campus_id>")
@allow(*ADMINS)
@routes.input(CampusPath, location="path", arg_name="asked")
@routes.output({}, status_code=204)
def remove_campus(campus_id: str, asked: CampusPath) -> Any:
    """Take a campus away that no homeroom ever was of."""
    with changing_session() as session:
        places.remove_campus(session, actor(), school_in_use().id, asked.campus_id)
    return ""

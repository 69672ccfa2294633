"""What administrators decide: the school's settings, its homerooms, its readers."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from apiflask import APIBlueprint

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.api import shapes
from card_server.api.changes import (
    HomeroomChange,
    HomeroomPath,
    NewHomeroom,
    NewReader,
    ReaderChange,
    ReaderPath,
    ReaderUse,
    SchoolChange,
)
from card_server.api.matching import if_match, lock_and_match
from card_server.register import homerooms, readers, schools
from card_server.register.retiring import bring_back, retire_reader
from schema.tables.school import School
from schema.tables.staff import Role

routes = APIBlueprint("settings", __name__, tag="Settings")
_ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)


@routes.patch("/school")
@allow(*_ADMINS)
@if_match
@routes.input(SchoolChange, arg_name="sent")
@routes.output(shapes.School)
def change_school(sent: SchoolChange) -> Any:
    """Change the school's settings."""
    school_id = school_in_use().id
    with changing_session() as session:
        school = session.get_one(School, school_id)
        lock_and_match(session, shapes.School, school)
        typed = _typed(asdict(schools.settings_of(school)), sent.model_dump(exclude_none=True))
        schools.change_school(session, actor(), school_id, schools.read_settings(typed))
        return school


@routes.post("/homerooms")
@allow(*_ADMINS)
@routes.input(NewHomeroom, arg_name="sent")
@routes.output(shapes.Homeroom, status_code=201)
def add_homeroom(sent: NewHomeroom) -> Any:
    """Make a homeroom."""
    wanted = homerooms.read_settings(_typed({}, sent.model_dump()))
    with changing_session() as session:
        return homerooms.add_homeroom(session, actor(), school_in_use().id, wanted)


@routes.patch("/homerooms/<homeroom_id>")
@allow(*_ADMINS)
@if_match
@routes.input(HomeroomPath, location="path", arg_name="asked")
@routes.input(HomeroomChange, arg_name="sent")
@routes.output(shapes.Homeroom)
def change_homeroom(homeroom_id: str, asked: HomeroomPath, sent: HomeroomChange) -> Any:
    """Change a homeroom's grade or name."""
    school_id = school_in_use().id
    with changing_session() as session:
        found = homerooms.find_homeroom(session, school_id, asked.homeroom_id)
        lock_and_match(session, shapes.Homeroom, found)
        typed = _typed(asdict(homerooms.settings_of(found)), sent.model_dump(exclude_none=True))
        wanted = homerooms.read_settings(typed)
        homerooms.change_homeroom(session, actor(), school_id, found.id, wanted)
        return found


@routes.post("/readers")
@allow(*_ADMINS)
@routes.input(NewReader, arg_name="sent")
@routes.output(shapes.ReaderSettings, status_code=201)
def add_reader(sent: NewReader) -> Any:
    """Make a reader; its certificate is made at the server's command line."""
    wanted = readers.read_settings(_typed({}, sent.model_dump()))
    with changing_session() as session:
        return readers.add_reader(session, actor(), school_in_use().id, sent.code, wanted)


@routes.get("/readers/<reader_id>")
@allow(*_ADMINS)
@routes.input(ReaderPath, location="path", arg_name="asked")
@routes.output(shapes.ReaderSettings)
def reader(reader_id: str, asked: ReaderPath) -> Any:
    """What is decided for a reader."""
    with school_session() as session:
        return readers.find_reader(session, school_in_use().id, asked.reader_id)


@routes.patch("/readers/<reader_id>")
@allow(*_ADMINS)
@if_match
@routes.input(ReaderPath, location="path", arg_name="asked")
@routes.input(ReaderChange, arg_name="sent")
@routes.output(shapes.ReaderSettings)
def change_reader(reader_id: str, asked: ReaderPath, sent: ReaderChange) -> Any:
    """Change what is decided for a reader."""
    school_id = school_in_use().id
    with changing_session() as session:
        found = readers.find_reader(session, school_id, asked.reader_id)
        lock_and_match(session, shapes.ReaderSettings, found)
        changed = sent.model_dump(exclude_none=True)
        for name in {"direction", "campus_id"} & sent.model_fields_set:
            changed[name] = getattr(sent, name)
        wanted = readers.read_settings(_typed(asdict(readers.settings_of(found)), changed))
        readers.change_reader(session, actor(), school_id, found.id, wanted)
        return found


@routes.post("/readers/<reader_id>/retire")
@allow(*_ADMINS)
@routes.input(ReaderPath, location="path", arg_name="asked")
@routes.input(ReaderUse, arg_name="sent")
@routes.output(shapes.ReaderSettings)
def retire(reader_id: str, asked: ReaderPath, sent: ReaderUse) -> Any:
    """Take a reader out of use: nothing waits for it, and what it still sends counts."""
    school_id, at = school_in_use().id, datetime.now(UTC)
    with changing_session() as session:
        return retire_reader(session, actor(), school_id, asked.reader_id, sent.reason, at)


@routes.post("/readers/<reader_id>/bring-back")
@allow(*_ADMINS)
@routes.input(ReaderPath, location="path", arg_name="asked")
@routes.input(ReaderUse, arg_name="sent")
@routes.output(shapes.ReaderSettings)
def return_to_use(reader_id: str, asked: ReaderPath, sent: ReaderUse) -> Any:
    """Use a retired reader again: absence waits for it until it reports."""
    school_id = school_in_use().id
    with changing_session() as session:
        return bring_back(session, actor(), school_id, asked.reader_id, sent.reason)


def _typed(stored: dict[str, Any], changed: dict[str, Any]) -> dict[str, str]:
    """What is stored with what was sent in its place, as a form would give it to the rules."""
    both = stored | changed
    return {name: "" if value is None else str(value) for name, value in both.items()}

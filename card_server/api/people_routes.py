"""Students' records: added and changed, moved, boarding, status, notes, hidden numbers."""

from datetime import UTC, date, datetime
from typing import Any

from apiflask import APIBlueprint
from flask import current_app
from sqlalchemy.orm import Session

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.api import people_shapes as shapes
from card_server.api.inputs import StudentPath
from card_server.api.matching import if_match, lock_and_match
from card_server.api.people_inputs import (
    BoardingChange,
    Move,
    NewNote,
    NewStatus,
    NewStudent,
    NotePath,
    StudentChange,
    Why,
)
from card_server.audit.writing import note
from card_server.looks import note_look
from card_server.people import notes, students
from card_server.people.boarding import set_boarding
from card_server.people.stays import move_student
from card_server.people.student_numbers import open_numbers
from card_server.people.student_status import StatusChange, change_status
from card_server.reports.student_record import StudentRecord, read_record
from card_server.school_time import day_of
from card_server.storage.sealing import Seal
from schema.tables.people import Student
from schema.tables.staff import Role

routes = APIBlueprint("people", __name__, tag="Students", url_prefix="/students")
ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
SEEING = (*ADMINS, Role.HOMEROOM_TEACHER)


@routes.post("")
@allow(*ADMINS)
@routes.input(NewStudent, arg_name="sent")
@routes.output(shapes.StudentRecord, status_code=201)
def add_student(sent: NewStudent) -> Any:
    """Add a student."""
    school = school_in_use()
    wanted = students.read_settings(typed_of({}, sent.model_dump()))
    today = day_of(datetime.now(UTC), school.zone)
    with changing_session() as session:
        made = students.add_student(
            session, actor(), school.id, wanted, sent.homeroom_id, sent.on, today, seal()
        )
        return read_record(session, school.id, made.id, today)


@routes.get("/<student_id>/record")
@allow(*SEEING)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.output(shapes.StudentRecord)
def record(student_id: str, asked: StudentPath) -> Any:
    """All that is kept on a student but cards and days; the look is noted."""
    with school_session() as session:
        found = read_record(session, school_in_use().id, asked.student_id, _today())
    note_look("student.seen", f"student:{asked.student_id}", {})
    return found


@routes.patch("/<student_id>/record")
@allow(*ADMINS)
@if_match
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.input(StudentChange, arg_name="sent")
@routes.output(shapes.StudentRecord)
def change_student(student_id: str, asked: StudentPath, sent: StudentChange) -> Any:
    """Change who a student is."""
    school_id = school_in_use().id
    with changing_session() as session:
        found = students.find_student(session, school_id, asked.student_id)
        lock_and_match(session, shapes.StudentRecord, found, lambda row: _show(session, row))
        stored = students.settings_of(found) | {"identity": "", "registry": ""}
        typed = typed_of(stored, sent.model_dump(exclude_none=True))
        wanted = students.read_settings(typed)
        students.change_student(session, actor(), school_id, found.id, wanted, seal())
        return read_record(session, school_id, found.id, _today())


def _show(session: Session, row: Student) -> StudentRecord:
    return read_record(session, row.school_id, row.id, _today())


def _today() -> date:
    return day_of(datetime.now(UTC), school_in_use().zone)


@routes.post("/<student_id>/moves")
@allow(*ADMINS)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.input(Move, arg_name="sent")
@routes.output(shapes.StudentRecord)
def move(student_id: str, asked: StudentPath, sent: Move) -> Any:
    """Bring a student into another homeroom; days since then count for it."""
    school, student, now = school_in_use(), asked.student_id, datetime.now(UTC)
    with changing_session() as session:
        move_student(
            session, actor(), school.id, student, sent.homeroom_id, sent.on, now, school.zone
        )
        return read_record(session, school.id, student, _today())


@routes.post("/<student_id>/status")
@allow(*ADMINS)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.input(NewStatus, arg_name="sent")
@routes.output(shapes.StudentRecord)
def change_state(student_id: str, asked: StudentPath, sent: NewStatus) -> Any:
    """Suspend, transfer, graduate or enrol again; who leaves loses cards and bed at once."""
    school, now = school_in_use(), datetime.now(UTC)
    wanted = StatusChange(sent.status, sent.on, sent.reason or "", sent.homeroom_id)
    with changing_session() as session:
        change_status(session, actor(), school.id, asked.student_id, wanted, now, school.zone)
        return read_record(session, school.id, asked.student_id, _today())


@routes.post("/<student_id>/boarding")
@allow(*ADMINS)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.input(BoardingChange, arg_name="sent")
@routes.output(shapes.StudentRecord)
def change_boarding(student_id: str, asked: StudentPath, sent: BoardingChange) -> Any:
    """Let a student board, or live at home again, from a day on that may be a coming one."""
    school, student, now = school_in_use(), asked.student_id, datetime.now(UTC)
    with changing_session() as session:
        set_boarding(
            session, actor(), school.id, student, sent.is_boarding, sent.on, now, school.zone
        )
        return read_record(session, school.id, student, _today())


@routes.post("/<student_id>/notes")
@allow(*SEEING)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.input(NewNote, arg_name="sent")
@routes.output(shapes.Note, status_code=201)
def write_note(student_id: str, asked: StudentPath, sent: NewNote) -> Any:
    """Write a note on a student."""
    now = datetime.now(UTC)
    with changing_session() as session:
        return notes.add_note(
            session, actor(), school_in_use().id, asked.student_id, sent.body, now
        )


@routes.delete("/<student_id>/notes/<note_id>")
@allow(*ADMINS)
@routes.input(NotePath, location="path", arg_name="asked")
@routes.output({}, status_code=204)
def drop_note(student_id: str, note_id: str, asked: NotePath) -> Any:
    """Take a note away."""
    school_id = school_in_use().id
    with changing_session() as session:
        notes.remove_note(session, actor(), school_id, asked.student_id, asked.note_id)
    return ""


@routes.post("/<student_id>/numbers")
@allow(*ADMINS)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.input(Why, arg_name="sent")
@routes.output(shapes.Numbers)
def show_numbers(student_id: str, asked: StudentPath, sent: Why) -> Any:
    """A student's identity and registry numbers; the look is noted with its reason."""
    school_id, student = school_in_use().id, asked.student_id
    with changing_session() as session:
        _name, numbers = open_numbers(session, school_id, student, seal())
        subject = f"student:{student}"
        note(session, school_id, actor(), "student.numbers_seen", subject, reason=sent.reason)
    return numbers


@routes.delete("/<student_id>/numbers")
@allow(*ADMINS)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.output({}, status_code=204)
def forget_numbers(student_id: str, asked: StudentPath) -> Any:
    """Keep a student's identity and registry numbers no longer."""
    with changing_session() as session:
        students.forget_numbers(session, actor(), school_in_use().id, asked.student_id)
    return ""


def seal() -> Seal:
    """What seals personal numbers."""
    found: Seal = current_app.extensions["webhook_seal"]
    return found


def typed_of(stored: dict[str, Any], changed: dict[str, Any]) -> dict[str, str]:
    """What is stored with what was sent in its place, as a form would give it to the rules."""
    both = stored | changed
    return {
        name: "" if value is None or value is False else str(value) for name, value in both.items()
    }

"""Students: the list, the search, and one student's day."""

from typing import Any

from apiflask import APIBlueprint

from card_server.access import allow, school_in_use, school_session
from card_server.api import shapes
from card_server.api.cursors import next_address, read_id, write_id
from card_server.api.inputs import StudentDayPath, StudentPath, StudentsQuery, Words
from card_server.looks import note_look
from card_server.reports.listings import find_students, list_students, read_student
from card_server.reports.student_day import read_student_day
from schema.tables.people import StudentStatus
from schema.tables.staff import Role

routes = APIBlueprint("students", __name__, tag="Students", url_prefix="/students")
_FINDING = tuple(role for role in Role if role is not Role.AUDITOR)


@routes.get("")
@allow(*_FINDING)
@routes.input(StudentsQuery, location="query", arg_name="asked")
@routes.output(shapes.Students)
def students(asked: StudentsQuery) -> Any:
    """The students within the token's reach, by id; without a `status` those who are enrolled."""
    status = None if asked.status == "all" else StudentStatus(asked.status)
    with school_session() as session:
        found = list_students(
            session,
            school_in_use().id,
            read_id(asked.cursor),
            asked.limit + 1,
            asked.homeroom,
            status,
        )
    shown = found[: asked.limit]
    is_last = len(found) == len(shown)
    return {"items": shown, "next": next_address(None if is_last else write_id(shown[-1].id))}


@routes.post("/search")
@allow(*_FINDING)
@routes.input(Words, arg_name="asked")
@routes.output(shapes.FoundStudents)
def search(asked: Words) -> Any:
    """Who answers to a name, its pinyin or a student number.

    By POST, because a name must not stand in an address.
    """
    with school_session() as session:
        return {"items": find_students(session, school_in_use().id, asked.words)}


@routes.get("/<student_id>")
@allow(*_FINDING)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.output(shapes.Student)
def student(student_id: str, asked: StudentPath) -> Any:
    """One student."""
    with school_session() as session:
        return read_student(session, school_in_use().id, asked.student_id)


@routes.get("/<student_id>/days/<day>")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER)
@routes.input(StudentDayPath, location="path", arg_name="asked")
@routes.output(shapes.StudentDay)
def student_day(student_id: str, day: str, asked: StudentDayPath) -> Any:
    """One student's day: arrival, departure, every tap, and what the guardians were told."""
    at = school_in_use()
    with school_session() as session:
        found = read_student_day(session, at.id, asked.student_id, asked.day, at.zone)
    note_look("student.day_seen", f"student:{asked.student_id}", {"day": asked.day.isoformat()})
    return found

"""Students: the list, the search, and one student's day."""

from typing import Any

from apiflask import APIBlueprint

from card_server.access import allow, now, school_in_use, school_session
from card_server.api import shapes
from card_server.api.cursors import next_address, read_id, write_id
from card_server.api.inputs import StudentDayPath, StudentPath, StudentSearch, StudentsQuery
from card_server.looks import note_day_look
from card_server.people.student_search import MAX_FOUND
from card_server.reports import student_list
from card_server.reports.listings import list_students, read_student
from card_server.reports.on_campus import Part
from card_server.reports.student_day import read_student_day
from card_server.reports.student_list import Wanted
from card_server.school_time import day_of
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
@routes.input(StudentSearch, arg_name="asked")
@routes.output(shapes.FoundStudents)
def search(asked: StudentSearch) -> Any:
    """Who answers to a name, its pinyin or a student number, whatever their status.

    By POST, because a name must not stand in an address.
    """
    if not asked.words.strip():
        return {"items": []}
    school = school_in_use()
    wanted = Wanted(asked.homeroom, status=None, words=asked.words)
    part = Part(asked.sort.removeprefix("-"), asked.sort.startswith("-"), limit=MAX_FOUND)
    with school_session() as session:
        today = day_of(now(), school.zone)
        return {"items": student_list.list_students(session, school.id, wanted, today, part)}


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
    note_day_look(asked.student_id, asked.day)
    return found

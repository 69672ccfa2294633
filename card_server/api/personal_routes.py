"""What is kept on one student: the photo, everything in one zip, and erasing it."""

from datetime import UTC, datetime
from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import Response, request
from flask_babel import gettext
from pydantic import Field

from card_server.access import actor, allow, caller, changing_session, school_in_use, school_session
from card_server.api.files import answers_file, file_answer
from card_server.api.inputs import StudentPath
from card_server.api.people_inputs import Why
from card_server.api.people_routes import ADMINS, SEEING, seal
from card_server.api.pictures import answers_picture, takes_picture
from card_server.api.problems import problem
from card_server.field_errors import FieldsError
from card_server.people import photos
from card_server.people.students import find_student
from card_server.personal import giving
from card_server.personal.erasure import Erasing, erase_student
from schema.tables.staff import Role

routes = APIBlueprint("personal", __name__, tag="Students", url_prefix="/students/<student_id>")
_MAX_UPLOAD = photos.MOST_BYTES + 1024 * 1024
"""More than a photo may have, so that one that is too large is answered with a sentence."""


class Erasure(Why):
    """Who is to be erased, by the student number as well, and why."""

    number: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._/-]{0,31}$")]


@routes.url_value_preprocessor
def _allow_upload(endpoint: str | None, _values: object) -> None:
    """Before anything reads the body."""
    if endpoint == "personal.send_photo":
        request.max_content_length = _MAX_UPLOAD


@routes.get("/photo")
@allow(*SEEING)
@answers_picture
@routes.input(StudentPath, location="path", arg_name="asked")
def photo(student_id: str, asked: StudentPath) -> Any:
    """The student's photo."""
    with school_session() as session:
        found = photos.find_photo(session, school_in_use().id, asked.student_id, seal())
    return Response(found.body, mimetype=found.media_type)


@routes.put("/photo")
@allow(*SEEING)
@takes_picture
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.output({}, status_code=204)
def send_photo(student_id: str, asked: StudentPath) -> Any:
    """Take the body, a PNG, JPEG or WebP of at most 2 MB, as the student's photo."""
    school_id, now = school_in_use().id, datetime.now(UTC)
    with school_session() as session:
        find_student(session, school_id, asked.student_id)
    try:
        sent = photos.read_photo(request.get_data())
    except FieldsError as error:
        return problem(422, " ".join(gettext(said) for said in error.fields.values()))
    with changing_session() as session:
        photos.keep_photo(session, actor(), school_id, asked.student_id, sent, seal(), now)
    return ""


@routes.delete("/photo")
@allow(*SEEING)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.output({}, status_code=204)
def remove_photo(student_id: str, asked: StudentPath) -> Any:
    """Keep no picture of the student."""
    with changing_session() as session:
        photos.remove_photo(session, actor(), school_in_use().id, asked.student_id)
    return ""


@routes.post("/data")
@allow(*ADMINS)
@answers_file("application/zip")
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.input(Why, arg_name="sent")
def give_out(student_id: str, asked: StudentPath, sent: Why) -> Any:
    """Everything that is kept on a student, as a zip; the reason is noted."""
    taking = giving.Taking(actor(), caller().name, sent.reason)
    with changing_session() as session:
        package = giving.give_out(session, school_in_use(), asked.student_id, taking, seal())
    return file_answer(package.body, "application/zip", package.name)


@routes.post("/erase")
@allow(Role.SCHOOL_ADMIN)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.input(Erasure, arg_name="sent")
@routes.output({}, status_code=204)
def erase(student_id: str, asked: StudentPath, sent: Erasure) -> Any:
    """Erase a student who has left: nothing undoes it. Counts of past days stay as they were."""
    now = datetime.now(UTC)
    doing = Erasing(actor(), school_in_use().id, asked.student_id, sent.number, sent.reason, now)
    with changing_session() as session:
        erase_student(session, doing)
    return ""

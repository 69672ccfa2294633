"""Notes on a student (备注): what staff should know, who wrote it and when."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.clean_text import clean
from card_server.errors import AppError, Code
from card_server.field_errors import Problems
from card_server.field_errors import marked as _
from card_server.people.stays import lock_student
from schema.tables.people import StudentNote

MAX_NOTE = 1000


def list_notes(session: Session, school_id: int, student_id: int) -> list[StudentNote]:
    """A student's notes, the newest first."""
    wanted = select(StudentNote).where(
        StudentNote.school_id == school_id, StudentNote.student_id == student_id
    )
    return list(session.scalars(wanted.order_by(StudentNote.id.desc())))


def add_note(
    session: Session, actor: Actor, school_id: int, student_id: int, typed: str, now: datetime
) -> StudentNote:
    """A new note. Raises AppError(NOT_FOUND), FieldsError for an empty or a long one."""
    student = lock_student(session, school_id, student_id)
    body = read_body(typed)
    row = StudentNote(
        school_id=school_id,
        student_id=student.id,
        body=body,
        written_by=actor.name,
        written_at=now,
    )
    session.add(row)
    session.flush()
    note(
        session,
        school_id,
        actor,
        "student.noted",
        f"student:{student_id}",
        details={"note": row.id, "body": body},
    )
    return row


def remove_note(
    session: Session, actor: Actor, school_id: int, student_id: int, note_id: int
) -> None:
    """Take a note away. Raises AppError(NOT_FOUND)."""
    row = session.scalar(
        select(StudentNote).where(
            StudentNote.school_id == school_id,
            StudentNote.student_id == student_id,
            StudentNote.id == note_id,
        )
    )
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such note.")
    details = {"note": row.id, "body": row.body, "written_by": row.written_by}
    session.delete(row)
    session.flush()
    subject = f"student:{student_id}"
    note(session, school_id, actor, "student.note_removed", subject, details=details)


def read_body(typed: str) -> str:
    """A note as it is kept: its lines, without anything that cannot be seen. Raises FieldsError."""
    wrong = Problems()
    lines = [clean(line) for line in typed.splitlines()]
    body = "\n".join(lines).strip()
    if not body:
        wrong.add("body", _("Write what should be noted."))
    elif len(body) > MAX_NOTE:
        wrong.add("body", _("A note may have 1000 characters at most."))
    wrong.refuse()
    return body

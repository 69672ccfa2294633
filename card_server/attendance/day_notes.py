"""Notes beside a day (日备注): what staff know of it, whatever its status; it judges nothing."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.correcting import Doing, refuse_day
from card_server.audit.writing import note
from card_server.errors import AppError, Code
from card_server.field_errors import Problems
from card_server.people.stays import lock_student
from schema.tables.attendance import DayNote

MAX_NOTE = 200


def read_note(typed: str) -> str:
    """What somebody typed. Raises FieldsError for nothing, and for more than 200 characters."""
    wrong = Problems()
    body = wrong.text("body", typed, MAX_NOTE)
    wrong.refuse()
    return body


def note_day(session: Session, doing: Doing, student_id: int, day: date, body: str) -> DayNote:
    """Note something beside a student's day.

    Raises AppError(NOT_FOUND), FieldsError for a day that has not come or is too long ago.
    """
    lock_student(session, doing.school_id, student_id)
    refuse_day(session, doing, day)
    row = DayNote(
        school_id=doing.school_id,
        student_id=student_id,
        day=day,
        body=body,
        made_by=doing.actor.name[:120],
        made_by_id=doing.staff_id,
        made_at=doing.now,
    )
    session.add(row)
    session.flush()
    _note(session, doing, row, "attendance.day_noted")
    return row


def take_note_back(session: Session, doing: Doing, note_id: int) -> DayNote:
    """Take a note back, of however long ago: by whoever wrote it, or an administrator.

    Raises AppError(NOT_FOUND), AppError(NOT_ALLOWED) for a colleague, AppError(CONFLICT) when it
    is taken back already.
    """
    row = find_day_note(session, doing.school_id, note_id)
    lock_student(session, doing.school_id, row.student_id)
    session.refresh(row)
    if not doing.is_school and row.made_by_id != doing.staff_id:
        raise AppError(
            Code.NOT_ALLOWED, "Only who wrote this note, or an administrator, can take it back."
        )
    if row.ended_at is not None:
        raise AppError(Code.CONFLICT, "This note is taken back already.")
    row.ended_by, row.ended_at = doing.actor.name[:120], doing.now
    session.flush()
    _note(session, doing, row, "attendance.day_note_ended")
    return row


def find_day_note(session: Session, school_id: int, note_id: int) -> DayNote:
    """One note. Raises AppError(NOT_FOUND)."""
    row = session.scalar(
        select(DayNote).where(DayNote.school_id == school_id, DayNote.id == note_id)
    )
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such note.")
    return row


def list_day_notes(
    session: Session, school_id: int, student_ids: Sequence[int], first: date, last: date
) -> dict[tuple[int, date], list[DayNote]]:
    """All that was ever noted of these students' days, the newest first; in one query."""
    found = session.scalars(
        select(DayNote)
        .where(
            DayNote.school_id == school_id,
            DayNote.student_id.in_(student_ids),
            DayNote.day.between(first, last),
        )
        .order_by(DayNote.id.desc())
    )
    notes: dict[tuple[int, date], list[DayNote]] = {}
    for one in found:
        notes.setdefault((one.student_id, one.day), []).append(one)
    return notes


def _note(session: Session, doing: Doing, row: DayNote, action: str) -> None:
    details = {"note": row.id, "day": row.day, "body": row.body}
    subject = f"student:{row.student_id}"
    note(session, doing.school_id, doing.actor, action, subject, details=details)

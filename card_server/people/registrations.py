"""Registrations by hand (补登注册): for a student whose card is not there, and taking one back."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.people.students import find_student
from card_server.register.terms import find_term, list_terms, term_of
from card_server.school_time import day_of
from schema.tables.people import StudentStatus
from schema.tables.registration import Registration
from schema.tables.school import Term


def term_of_today(session: Session, school_id: int, now: datetime, zone: ZoneInfo) -> Term | None:
    """The term that today is in; None in the holidays."""
    return term_of(list_terms(session, school_id), day_of(now, zone))


def register_by_hand(
    session: Session,
    actor: Actor,
    school_id: int,
    term_id: int,
    student_id: int,
    reason: str,
    now: datetime,
) -> None:
    """Register a student for a term.

    Raises AppError(NOT_FOUND), FieldsError without a reason, AppError(CONFLICT) for somebody who is
    registered already or not at the school.
    """
    student = find_student(session, school_id, student_id)
    find_term(session, school_id, term_id)
    if not reason:
        raise FieldsError({"reason": _("Write why it was not done by card.")})
    if student.status is not StudentStatus.ENROLLED:
        raise AppError(Code.CONFLICT, "This student is not at the school now.")
    row = Registration(
        school_id=school_id,
        term_id=term_id,
        student_id=student_id,
        homeroom_id=student.homeroom_id,
        at=now,
        noted_at=now,
        by=actor.name[:120],
        reason=reason[:200],
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise AppError(Code.CONFLICT, "This student is registered already.") from error
    _note(session, actor, row, "registration.made", reason)


def take_back(
    session: Session, actor: Actor, school_id: int, term_id: int, student_id: int, reason: str
) -> None:
    """Undo a registration, whether it was made by card or by hand.

    Raises AppError(NOT_FOUND), FieldsError without a reason.
    """
    find_student(session, school_id, student_id)
    find_term(session, school_id, term_id)
    if not reason:
        raise FieldsError({"reason": _("Write why the registration is taken back.")})
    row = session.scalar(
        select(Registration)
        .where(
            Registration.school_id == school_id,
            Registration.term_id == term_id,
            Registration.student_id == student_id,
        )
        .with_for_update()
    )
    if row is None:
        raise AppError(Code.NOT_FOUND, "This student is not registered for this term.")
    _note(session, actor, row, "registration.taken_back", reason)
    session.delete(row)


def _note(session: Session, actor: Actor, row: Registration, action: str, reason: str) -> None:
    details = {"term": row.term_id, "at": row.at, "by_card": row.tap_id is not None}
    subject = f"student:{row.student_id}"
    note(session, row.school_id, actor, action, subject, reason=reason, details=details)

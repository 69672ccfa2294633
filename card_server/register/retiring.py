"""Retiring a reader (停用) that was dismantled or replaced, and bringing one back into use.

Nothing waits for a retired reader and nobody is told that it is silent. Its taps keep its name; one
that still comes is kept and judged like any other.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import Problems
from schema.tables.readers import Reader


def retire_reader(
    session: Session,
    actor: Actor,
    school_id: int,
    reader_id: int,
    typed_reason: str,
    now: datetime,
) -> Reader:
    """Take a reader out of use; what waits for it alone is judged at the clock's next turn.

    Raises AppError(NOT_FOUND), FieldsError without a reason, AppError(CONFLICT) when it is retired.
    """
    reader, reason = _lock(session, school_id, reader_id), _read_reason(typed_reason)
    if reader.retired_at is not None:
        raise AppError(Code.CONFLICT, "This reader is retired already.")
    reader.retired_at = now
    session.flush()
    note(session, school_id, actor, "reader.retired", f"reader:{reader_id}", reason=reason)
    return reader


def bring_back(
    session: Session, actor: Actor, school_id: int, reader_id: int, typed_reason: str
) -> Reader:
    """Use a retired reader again: absence waits for it until it reports.

    Raises AppError(NOT_FOUND), FieldsError without a reason, AppError(CONFLICT) when it is in use.
    """
    reader, reason = _lock(session, school_id, reader_id), _read_reason(typed_reason)
    if reader.retired_at is None:
        raise AppError(Code.CONFLICT, "This reader is in use already.")
    reader.retired_at = None
    session.flush()
    note(session, school_id, actor, "reader.brought_back", f"reader:{reader_id}", reason=reason)
    return reader


def _lock(session: Session, school_id: int, reader_id: int) -> Reader:
    reader = session.scalar(
        select(Reader)
        .where(Reader.school_id == school_id, Reader.id == reader_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if reader is None:
        raise AppError(Code.NOT_FOUND, "There is no such reader.")
    return reader


def _read_reason(typed: str) -> str:
    wrong = Problems()
    reason = wrong.text("reason", typed, 200)
    wrong.refuse()
    return reason

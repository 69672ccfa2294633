"""Judging a day without a gate that is in the dark, because somebody of the school says so.

What the gate has read comes in when it is back, and mends the day like any late tap.
"""

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from schema.tables.dark_gates import GateLeftOut
from schema.tables.readers import Purpose, Reader, ReaderHealth


def judge_without(
    session: Session,
    actor: Actor,
    school_id: int,
    day: date,
    reader_id: int,
    typed_reason: str,
    now: datetime,
) -> GateLeftOut:
    """Let a day's sessions be judged without a gate; the clock does so at its next turn.

    Raises AppError(NOT_FOUND) for what is no gate in use of the school, FieldsError without a
    reason or for a day to come, AppError(CONFLICT) when it is left out already or no gate would be
    left.
    """
    gates = _gates(session, school_id)
    if reader_id not in gates:
        raise AppError(Code.NOT_FOUND, "There is no such gate in this school.")
    reason = _read_reason(typed_reason, day, now)
    if session.get(GateLeftOut, (reader_id, day)) is not None:
        raise AppError(Code.CONFLICT, "This day is judged without this gate already.")
    left_out = session.scalars(
        select(GateLeftOut.reader_id).where(
            GateLeftOut.school_id == school_id, GateLeftOut.day == day
        )
    )
    heard = _heard(session, school_id)
    out = {*left_out, reader_id}
    campus_id = heard.get(reader_id)
    others = {
        one for one, campus in heard.items() if campus_id is None or campus in (None, campus_id)
    }
    if not others - out:
        raise AppError(
            Code.CONFLICT,
            "No other gate would be left to judge by: everybody would be absent. "
            "Correct the homerooms by hand instead.",
        )
    row = GateLeftOut(
        reader_id=reader_id,
        day=day,
        school_id=school_id,
        reason=reason,
        said_by=actor.name[:120],
        said_at=now,
    )
    session.add(row)
    session.flush()
    details = {"day": day, "reader": gates[reader_id]}
    subject = f"reader:{reader_id}"
    action = "attendance.gate_left_out"
    note(session, school_id, actor, action, subject, reason=reason, details=details)
    return row


def _read_reason(typed: str, day: date, now: datetime) -> str:
    wrong = Problems()
    reason = wrong.text("reason", typed, 200)
    wrong.refuse()
    # Nowhere is it tomorrow for longer than this.
    if (day - now.date()).days > 1:
        raise FieldsError({"day": _("This day has not come yet.")})
    return reason


def _gates(session: Session, school_id: int) -> dict[int, str]:
    found = session.execute(
        select(Reader.id, Reader.name).where(
            Reader.school_id == school_id,
            Reader.purpose == Purpose.GATE,
            Reader.retired_at.is_(None),
        )
    )
    return {reader_id: name for reader_id, name in found}  # noqa: C416 - a row is a tuple


def _heard(session: Session, school_id: int) -> dict[int, int | None]:
    """The campuses of the gates of which anything was ever heard: a judgement waits for them."""
    health, reader = ReaderHealth.__table__.c, Reader.__table__.c
    found = session.execute(
        select(health.reader_id, reader.campus_id)
        .join(Reader.__table__, reader.id == health.reader_id)
        .where(
            reader.school_id == school_id,
            reader.purpose == Purpose.GATE,
            reader.retired_at.is_(None),
        )
    )
    return dict(found.all())

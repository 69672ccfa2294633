"""Settling a school's rules for attendance: what was typed, and the change that is noted."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.calendar.entries import touch_days
from card_server.calendar.hours import read_minute
from card_server.calendar.points import read_points
from card_server.calendar.rules import Rules, rules_of
from card_server.field_errors import Problems
from card_server.seen import changes, refuse_if_changed
from schema.tables.attendance import AttendanceRules
from schema.tables.school import School


def read_rules(typed: Mapping[str, str]) -> Rules:
    """What somebody typed: times as 18:30, points as 0.5. Raises FieldsError."""
    wrong = Problems()
    rules = Rules(
        closes=read_minute(wrong, "closes", typed.get("closes", "")),
        boarders_weekday=wrong.number("boarders_weekday", typed.get("boarders_weekday", ""), 1, 7),
        boarders_by=read_minute(wrong, "boarders_by", typed.get("boarders_by", "")),
        leave_days=wrong.number("leave_days", typed.get("leave_days", ""), 1, 30),
        holds_exits=bool(typed.get("holds_exits")),
        late_tenths=read_points(wrong, "late_points", typed.get("late_points", "")),
        early_tenths=read_points(wrong, "early_points", typed.get("early_points", "")),
        absent_tenths=read_points(wrong, "absent_points", typed.get("absent_points", "")),
    )
    wrong.refuse()
    return rules


def change_rules(
    session: Session,
    actor: Actor,
    school_id: int,
    wanted: Rules,
    now: datetime,
    seen: str | None = None,
) -> bool:
    """Whether anything changed. Raises AppError(CONFLICT) when it is not as it was seen.

    What was judged stays so; what of today and later days was not follows the new rules.
    """
    session.execute(select(School.id).where(School.id == school_id).with_for_update(key_share=True))
    row = session.get(AttendanceRules, school_id, populate_existing=True)
    before = asdict(Rules() if row is None else rules_of(row))
    refuse_if_changed(before, seen)
    if before == asdict(wanted):
        return False
    if row is None:
        row = AttendanceRules(school_id=school_id)
        session.add(row)
    for name, value in asdict(wanted).items():
        setattr(row, name, value)
    session.flush()
    touch_days(session, school_id, now)
    details = changes(before, asdict(wanted))
    subject = f"school:{school_id}"
    note(session, school_id, actor, "attendance.rules_changed", subject, details=details)
    return True

"""What a school has settled for attendance (考勤规则): closing, boarders, leave, points."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.calendar.hours import read_minute
from card_server.calendar.points import read_points
from card_server.field_errors import Problems
from card_server.register.version import touch_register
from card_server.seen import changes, refuse_if_changed
from schema.tables.attendance import AttendanceRules
from schema.tables.school import School


@dataclass(frozen=True)
class Rules:
    """A school's rules; minutes are those of the day in its zone, points in tenths."""

    closes: int = 22 * 60
    boarders_weekday: int = 7
    boarders_by: int = 18 * 60 + 30
    leave_days: int = 3
    holds_exits: bool = False
    late_tenths: int = 5
    early_tenths: int = 5
    absent_tenths: int = 20


def rules_for(session: Session, school_id: int) -> Rules:
    """The rules in force; the defaults for a school that has settled none."""
    row = session.scalar(select(AttendanceRules).where(AttendanceRules.school_id == school_id))
    return Rules() if row is None else _rules_of(row)


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
    session: Session, actor: Actor, school_id: int, wanted: Rules, seen: str | None = None
) -> bool:
    """Whether anything changed. Raises AppError(CONFLICT) when it is not as it was seen.

    Days that are kept already stay as they were judged.
    """
    session.execute(select(School.id).where(School.id == school_id).with_for_update(key_share=True))
    row = session.get(AttendanceRules, school_id, populate_existing=True)
    before = asdict(Rules() if row is None else _rules_of(row))
    refuse_if_changed(before, seen)
    if before == asdict(wanted):
        return False
    if row is None:
        row = AttendanceRules(school_id=school_id)
        session.add(row)
    for name, value in asdict(wanted).items():
        setattr(row, name, value)
    touch_register(session, {school_id})
    details = changes(before, asdict(wanted))
    subject = f"school:{school_id}"
    note(session, school_id, actor, "attendance.rules_changed", subject, details=details)
    return True


def _rules_of(row: AttendanceRules) -> Rules:
    return Rules(**{name: getattr(row, name) for name in asdict(Rules())})

"""What a school has settled for attendance (考勤规则): closing, boarders, leave, points."""

from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from schema.tables.attendance import AttendanceRules


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
    return Rules() if row is None else rules_of(row)


def rules_of(row: AttendanceRules) -> Rules:
    """The rules that a stored row holds."""
    return Rules(**{name: getattr(row, name) for name in asdict(Rules())})

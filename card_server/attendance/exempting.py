"""Writing exemptions (免考勤): beginning one and ending it; its days are judged anew."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from card_server.attendance.exemptions import find_exemption, list_exemptions
from card_server.attendance.refold import refold
from card_server.audit.writing import Actor, note
from card_server.errors import Code
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.people.stays import lock_student
from card_server.register.terms import read_day
from card_server.school_time import day_of
from schema.tables.attendance import Exemption

_MOST_DAYS_BACK = 366


@dataclass(frozen=True)
class ExemptTime:
    """From which day until which, and why; `until_on` is the first day with attendance again."""

    from_on: date
    until_on: date | None
    reason: str


def read_exempt_time(typed: Mapping[str, str]) -> ExemptTime:
    """What somebody typed; its last day is the last without attendance. Raises FieldsError."""
    wrong = Problems()
    from_on = read_day(wrong, "from_on", typed.get("from_on", ""))
    last_typed = typed.get("last_on", "").strip()
    last_on = read_day(wrong, "last_on", last_typed) if last_typed else None
    reason = wrong.text("reason", typed.get("reason", ""), 200)
    if not wrong and last_on is not None and last_on < from_on:
        wrong.add("last_on", _("The last day lies before the first."))
    wrong.refuse()
    return ExemptTime(from_on, last_on + timedelta(days=1) if last_on else None, reason)


def exempt(
    session: Session,
    actor: Actor,
    school_id: int,
    student_id: int,
    wanted: ExemptTime,
    now: datetime,
    zone: ZoneInfo,
) -> Exemption:
    """Expect nothing of a student for a time.

    Raises AppError(NOT_FOUND), FieldsError when it runs into another exemption or lies too far
    back.
    """
    lock_student(session, school_id, student_id)
    today = day_of(now, zone)
    if wanted.from_on < today - timedelta(days=_MOST_DAYS_BACK):
        raise FieldsError({"from_on": _("This lies more than a year back.")})
    if any(_overlap(one, wanted) for one in list_exemptions(session, school_id, student_id)):
        raise FieldsError(
            {"from_on": _("The student is exempt in this time already.")}, Code.CONFLICT
        )
    row = Exemption(
        school_id=school_id,
        student_id=student_id,
        from_on=wanted.from_on,
        until_on=wanted.until_on,
        reason=wanted.reason,
    )
    session.add(row)
    session.flush()
    details = {"exemption": row.id, "from_on": row.from_on, "until_on": row.until_on}
    subject = f"student:{student_id}"
    note(
        session,
        school_id,
        actor,
        "exemption.made",
        subject,
        reason=wanted.reason,
        details=details,
    )
    _let_judge(session, row, row.from_on, row.until_on, now, today)
    return row


def end_exemption(
    session: Session,
    actor: Actor,
    school_id: int,
    exemption_id: int,
    on: date,
    now: datetime,
    zone: ZoneInfo,
) -> None:
    """Expect the student again from `on`; one that would have no day left never was.

    Raises AppError(NOT_FOUND), FieldsError for a day after its end.
    """
    row = find_exemption(session, school_id, exemption_id, is_locked=True)
    before = row.until_on
    if before is not None and on >= before:
        raise FieldsError({"on": _("It ends before this day already.")})
    details = {"exemption": row.id, "from_on": row.from_on, "until_on": [before, on]}
    subject = f"student:{row.student_id}"
    note(session, school_id, actor, "exemption.ended", subject, details=details)
    if on <= row.from_on:
        session.delete(row)
    else:
        row.until_on = on
    session.flush()
    _let_judge(session, row, max(on, row.from_on), before, now, day_of(now, zone))


def _overlap(one: Exemption, other: ExemptTime) -> bool:
    begins_before = other.until_on is None or one.from_on < other.until_on
    return begins_before and (one.until_on is None or one.until_on > other.from_on)


def _let_judge(
    session: Session,
    row: Exemption,
    from_on: date,
    until_on: date | None,
    now: datetime,
    today: date,
) -> None:
    last = min(until_on - timedelta(days=1), today) if until_on else today
    if from_on <= last:
        refold(session, row.school_id, row.student_id, from_on, last, now)

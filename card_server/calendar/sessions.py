"""The sessions (时段) of a timetable's weekdays: how they may lie in a day, and keeping them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import pairwise

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.calendar.entries import lock, touch_days
from card_server.calendar.hours import read_minute, write_minute
from card_server.calendar.timetables import find_timetable
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.seen import refuse_if_changed
from schema.tables.calendar import DayPart, ForWhom, TimetableSession

MOST = 6
"""Sessions of one day."""
MINUTES = ("arrive_from", "late_after", "absent_after", "leave_from", "ends")
"""The times of a session, as forms name them."""


@dataclass(frozen=True)
class SessionHours:
    """One session of a weekday; times in minutes of the day in the school's zone."""

    name: str
    part: DayPart
    arrive_from: int
    late_after: int
    absent_after: int
    leave_from: int
    ends: int
    expects_entry: bool = True
    expects_exit: bool = True
    for_whom: ForWhom = ForWhom.EVERYBODY


def sessions_of(session: Session, timetable_id: int, weekday: int) -> list[SessionHours]:
    """A weekday's sessions, in the order of the day."""
    wanted = (
        select(TimetableSession)
        .where(TimetableSession.timetable_id == timetable_id, TimetableSession.weekday == weekday)
        .order_by(TimetableSession.position)
    )
    return [hours_of(one) for one in session.scalars(wanted)]


def hours_of(row: TimetableSession) -> SessionHours:
    """A stored session's hours."""
    return SessionHours(
        row.name,
        row.part,
        row.arrive_from,
        row.late_after,
        row.absent_after,
        row.leave_from,
        row.ends,
        row.expects_entry,
        row.expects_exit,
        row.for_whom,
    )


def fields_of(sessions: Sequence[SessionHours]) -> dict[str, str]:
    """Sessions as the form shows them: `name-1`, `late_after-1`, …"""
    shown: dict[str, str] = {}
    for place, one in enumerate(sessions, 1):
        shown |= {f"name-{place}": one.name, f"part-{place}": one.part}
        shown[f"for_whom-{place}"] = one.for_whom
        shown |= {f"{name}-{place}": write_minute(getattr(one, name)) for name in MINUTES}
        for name in ("expects_entry", "expects_exit"):
            shown[f"{name}-{place}"] = "1" if getattr(one, name) else ""
    return shown


def read_sessions(typed: Mapping[str, str]) -> list[SessionHours]:
    """What a form holds; a session without a name and times is none. Raises FieldsError."""
    wrong = Problems()
    found = []
    for place in range(1, MOST + 1):
        if any(typed.get(f"{name}-{place}", "").strip() for name in ("name", *MINUTES)):
            found.append((place, _read_session(wrong, typed, place)))
    wrong.refuse()
    for place, one in found:
        _check_session(wrong, one, place)
    for (_before, earlier), (place, later) in pairwise(found):
        if later.arrive_from < earlier.ends:
            said = _("This session begins before the one above has ended.")
            wrong.add(f"arrive_from-{place}", said)
    wrong.refuse()
    return [one for _place, one in found]


def change_hours(
    session: Session,
    actor: Actor,
    school_id: int,
    timetable_id: int,
    weekdays: Iterable[int],
    wanted: Sequence[SessionHours],
    now: datetime,
    seen: str | None = None,
) -> list[date]:
    """Give weekdays these sessions; the days from today on of which a judged part stays.

    `seen` is of the first weekday. Raises AppError(NOT_FOUND), AppError(CONFLICT), and FieldsError
    for sessions that cannot lie in a day so.
    """
    lock(session, school_id)
    row = find_timetable(session, school_id, timetable_id)
    _refuse_impossible(wanted)
    named = list(dict.fromkeys(weekdays))
    if not named or not set(named) <= set(range(1, 8)):
        raise FieldsError({"weekdays": _("Choose at least one weekday.")})
    refuse_if_changed(fields_of(sessions_of(session, row.id, named[0])), seen)
    changed = {}
    for weekday in named:
        before = sessions_of(session, row.id, weekday)
        if before != list(wanted):
            _replace(session, row.id, weekday, wanted)
            changed[f"hours_{weekday}"] = [_written(before), _written(wanted)]
    if not changed:
        return []
    subject = f"timetable:{timetable_id}"
    note(session, school_id, actor, "timetable.hours_changed", subject, details=changed)
    return touch_days(session, school_id, now)


def _written(sessions: Iterable[SessionHours]) -> str:
    """A weekday's sessions in one line, as the audit log keeps them."""
    return "; ".join(
        " ".join(
            [
                one.name,
                *(write_minute(getattr(one, name)) for name in MINUTES),
                *([one.for_whom] if one.for_whom is not ForWhom.EVERYBODY else []),
            ]
        )
        for one in sessions
    )


def copy_hours(
    session: Session, actor: Actor, school_id: int, from_id: int, to_id: int, now: datetime
) -> None:
    """Give a timetable all the hours of another one. Raises AppError(NOT_FOUND)."""
    find_timetable(session, school_id, from_id)
    for weekday in range(1, 8):
        wanted = sessions_of(session, from_id, weekday)
        change_hours(session, actor, school_id, to_id, [weekday], wanted, now)


def _refuse_impossible(wanted: Sequence[SessionHours]) -> None:
    """The form's rules hold for programs too."""
    if len(wanted) > MOST:
        raise FieldsError({"sessions": _("A day has six sessions at most.")})
    read_sessions(fields_of(wanted))


def _replace(
    session: Session, timetable_id: int, weekday: int, wanted: Sequence[SessionHours]
) -> None:
    session.execute(
        delete(TimetableSession).where(
            TimetableSession.timetable_id == timetable_id, TimetableSession.weekday == weekday
        )
    )
    session.add_all(
        TimetableSession(timetable_id=timetable_id, weekday=weekday, position=place, **asdict(one))
        for place, one in enumerate(wanted, 1)
    )
    session.flush()


def _read_session(wrong: Problems, typed: Mapping[str, str], place: int) -> SessionHours:
    part = typed.get(f"part-{place}", "")
    if part not in list(DayPart):
        wrong.add(f"part-{place}", _("Choose one of the list."))
        part = DayPart.MORNING
    for_whom = typed.get(f"for_whom-{place}") or ForWhom.EVERYBODY
    if for_whom not in list(ForWhom):
        wrong.add(f"for_whom-{place}", _("Choose one of the list."))
        for_whom = ForWhom.EVERYBODY
    name = wrong.text(f"name-{place}", typed.get(f"name-{place}", ""), 20)
    arrive, late, absent, leave, ends = (
        read_minute(wrong, f"{one}-{place}", typed.get(f"{one}-{place}", "")) for one in MINUTES
    )
    return SessionHours(
        name,
        DayPart(part),
        arrive,
        late,
        absent,
        leave,
        ends,
        expects_entry=bool(typed.get(f"expects_entry-{place}")),
        expects_exit=bool(typed.get(f"expects_exit-{place}")),
        for_whom=ForWhom(for_whom),
    )


def _check_session(wrong: Problems, one: SessionHours, place: int) -> None:
    if one.late_after < one.arrive_from:
        wrong.add(f"late_after-{place}", _("This lies before students may arrive."))
    if one.absent_after < one.late_after:
        wrong.add(f"absent_after-{place}", _("Nobody is absent before they are late."))
    if one.leave_from < one.late_after:
        wrong.add(f"leave_from-{place}", _("Nobody may leave before they had to be there."))
    if one.ends < one.absent_after or one.ends < one.leave_from:
        wrong.add(f"ends-{place}", _("The session ends last of all these times."))

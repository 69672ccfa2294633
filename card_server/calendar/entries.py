"""What a school says of its days (校历): closed, make-up, exams; ended, never overwritten."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.follow_calendar import follow_calendar
from card_server.audit.writing import Actor, note
from card_server.calendar.audience import grades_of, read_grades, write_grades
from card_server.calendar.plan import sessions_on
from card_server.calendar.reading import as_hours, days_between, list_entries, read_sessions
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems, clean
from card_server.field_errors import marked as _
from card_server.register.terms import read_day
from card_server.register.version import touch_register
from schema.tables.calendar import CalendarEntry, DayKind, DayPart, EntrySource, Timetable
from schema.tables.school import School

_LONGEST = timedelta(days=61)
_SATURDAY = 6


@dataclass(frozen=True)
class EntrySettings:
    """What is said of a day, or of each day until another one."""

    day: date
    until: date
    """The last day; the day itself where it is one alone."""
    kind: DayKind
    grades: tuple[int, ...] = ()
    weekday: int | None = None
    parts: tuple[DayPart, ...] = ()
    timetable_id: int | None = None
    note: str = ""


def read_settings(typed: Mapping[str, str]) -> EntrySettings:
    """What somebody typed; grades and parts apart by spaces. Raises FieldsError."""
    wrong = Problems()
    day = read_day(wrong, "day", typed.get("day", ""))
    until = read_day(wrong, "until", typed["until"]) if typed.get("until", "").strip() else day
    kind = _read_kind(wrong, typed.get("kind", ""))
    settings = EntrySettings(
        day=day,
        until=until,
        kind=kind,
        grades=read_grades(wrong, "grades", typed.get("grades", "")),
        weekday=_read_number(wrong, "weekday", typed.get("weekday", ""), 7),
        parts=_read_parts(wrong, typed.get("parts", "")),
        timetable_id=_read_number(wrong, "timetable_id", typed.get("timetable_id", ""), 2**31 - 1),
        note=_read_note(wrong, typed.get("note", "")),
    )
    if settings.until < settings.day:
        wrong.add("until", _("The last day lies before the first."))
    elif settings.until - settings.day > _LONGEST:
        wrong.add("until", _("Say it for 62 days at most at once."))
    wrong.refuse()
    if kind is not DayKind.CLOSED:
        return settings
    return EntrySettings(day, until, kind, grades=settings.grades, note=settings.note)


def find_entry(session: Session, school_id: int, entry_id: int) -> CalendarEntry:
    """One entry in force. Raises AppError(NOT_FOUND)."""
    found = session.scalar(
        select(CalendarEntry).where(
            CalendarEntry.school_id == school_id,
            CalendarEntry.id == entry_id,
            CalendarEntry.ended_at.is_(None),
        )
    )
    if found is None:
        raise AppError(Code.NOT_FOUND, "The calendar has no such entry any more.")
    return found


@dataclass(frozen=True)
class Said:
    """What came of a change of the calendar."""

    entries: list[CalendarEntry]
    stays: list[date]
    """Days from today on that were judged in part already: that part stays as it was kept."""


def say(
    session: Session,
    actor: Actor,
    school_id: int,
    wanted: EntrySettings,
    now: datetime,
    source: EntrySource = EntrySource.STAFF,
) -> Said:
    """Say what each of the days is; what was said of the same grades before ends.

    Raises FieldsError: for a weekend's lessons without a word whose timetable applies, for a
    timetable that has no hours on that day, and for grades of which some, but not all, have an
    entry already: who reads the calendar could not tell which one counts.
    """
    lock(session, school_id)
    _check_timetable(session, school_id, wanted)
    made = []
    for day in days_between(wanted.day, wanted.until):
        _end_before(session, school_id, day, wanted.grades, now)
        entry = CalendarEntry(
            school_id=school_id,
            day=day,
            kind=wanted.kind,
            grades=write_grades(wanted.grades),
            weekday=wanted.weekday,
            parts=" ".join(wanted.parts),
            timetable_id=wanted.timetable_id,
            note=wanted.note,
            source=source,
            made_by=actor.name[:120],
            made_at=now,
        )
        session.add(entry)
        session.flush()
        made.append(entry)
        subject = f"calendar:{entry.id}"
        note(session, school_id, actor, "calendar.said", subject, details=_written(entry))
    return Said(made, touch_days(session, school_id, now))


def take_back(
    session: Session, actor: Actor, school_id: int, entry_id: int, now: datetime
) -> list[date]:
    """End an entry; the days from today on that were judged in part are returned: that stays.

    Raises AppError(NOT_FOUND).
    """
    lock(session, school_id)
    entry = find_entry(session, school_id, entry_id)
    entry.ended_at = now
    subject = f"calendar:{entry_id}"
    note(session, school_id, actor, "calendar.taken_back", subject, details=_written(entry))
    session.flush()
    return touch_days(session, school_id, now)


def lock(session: Session, school_id: int) -> ZoneInfo:
    """The school's zone. Two who change the calendar at once would each find the day free."""
    wanted = select(School.zone).where(School.id == school_id).with_for_update(key_share=True)
    return ZoneInfo(session.scalars(wanted).one())


def touch_days(session: Session, school_id: int, now: datetime) -> list[date]:
    """Let a change count: caches forget, and what nobody has judged follows it."""
    touch_register(session, {school_id})
    return follow_calendar(session, school_id, now)


def _written(entry: CalendarEntry) -> dict[str, object]:
    """What an entry says, as the audit log keeps it."""
    said = {
        "day": entry.day.isoformat(),
        "kind": entry.kind,
        "note": entry.note,
        "grades": entry.grades,
        "weekday": entry.weekday,
        "parts": entry.parts,
        "timetable_id": entry.timetable_id,
        "source": entry.source,
    }
    return {name: value for name, value in said.items() if value}


def _check_timetable(session: Session, school_id: int, wanted: EntrySettings) -> None:
    days = days_between(wanted.day, wanted.until)
    if wanted.timetable_id is not None:
        row = session.scalar(
            select(Timetable).where(
                Timetable.school_id == school_id,
                Timetable.id == wanted.timetable_id,
                Timetable.ended_at.is_(None),
            )
        )
        if row is None:
            raise FieldsError({"timetable_id": _("There is no such timetable.")})
        hours = as_hours(row, read_sessions(session, [row.id])[row.id])
        if not all(sessions_on(hours, wanted.weekday or one.isoweekday()) for one in days):
            said = _("This timetable has no hours on that weekday.")
            raise FieldsError({"timetable_id": said})
    elif (
        wanted.kind is not DayKind.CLOSED
        and wanted.weekday is None
        and any(one.isoweekday() >= _SATURDAY for one in days)
    ):
        raise FieldsError({"weekday": _("Say whose timetable applies on a Saturday or Sunday.")})


def _end_before(
    session: Session, school_id: int, day: date, grades: tuple[int, ...], now: datetime
) -> None:
    for entry in list_entries(session, school_id, day, day):
        before = grades_of(entry.grades)
        if before == grades:
            entry.ended_at = now
        elif before and grades and set(before) & set(grades):
            said = _("Some of these grades have an entry of their own on that day: end it first.")
            raise FieldsError({"grades": said}, Code.CONFLICT)
    session.flush()


def _read_kind(wrong: Problems, typed: str) -> DayKind:
    if typed in list(DayKind):
        return DayKind(typed)
    wrong.add("kind", _("Say what the day is."))
    return DayKind.CLOSED


def _read_number(wrong: Problems, field: str, typed: str, most: int) -> int | None:
    if not typed.strip():
        return None
    if typed.isascii() and typed.isdigit() and len(typed) < 11 and 1 <= int(typed) <= most:
        return int(typed)
    wrong.add(field, _("Choose one of the list."))
    return None


def _read_parts(wrong: Problems, typed: str) -> tuple[DayPart, ...]:
    """In the order of the day; all parts are as good as none."""
    named = set(typed.split())
    if not named <= set(DayPart):
        wrong.add("parts", _("Choose one of the list."))
    found = tuple(one for one in DayPart if one in named)
    return () if len(found) == len(DayPart) else found


def _read_note(wrong: Problems, typed: str) -> str:
    return wrong.text("note", typed, 120) if clean(typed) else ""


def by_day(entries: Iterable[CalendarEntry]) -> dict[date, list[CalendarEntry]]:
    """Entries by their day."""
    found: dict[date, list[CalendarEntry]] = {}
    for one in entries:
        found.setdefault(one.day, []).append(one)
    return found

"""A school's timetables (作息时间): what they are called, from when on, for whom."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.calendar.audience import grades_of, read_grades, read_ids, write_grades
from card_server.calendar.entries import lock, touch_days
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.register.terms import read_day
from card_server.school_time import day_of
from card_server.seen import changes, refuse_if_changed
from schema.tables.calendar import CalendarEntry, Timetable
from schema.tables.school import Homeroom

_MOST_HOMEROOMS = 40
_BEGINS_ALREADY = _("Another timetable for the same begins on that day: which one would count?")


@dataclass(frozen=True)
class TimetableSettings:
    """What a timetable is called, when it is in force, and for whom."""

    name: str
    starts_on: date
    ends_on: date | None = None
    """The last day; None for until another one begins."""
    grades: tuple[int, ...] = ()
    homerooms: tuple[int, ...] = ()
    """Ids; where any are named, the grades do not matter and are left empty."""
    is_special: bool = False


def list_timetables(session: Session, school_id: int) -> list[Timetable]:
    """Those in use, the special ones last; of the others the newest first."""
    wanted = (
        select(Timetable)
        .where(Timetable.school_id == school_id, Timetable.ended_at.is_(None))
        .order_by(Timetable.is_special, Timetable.starts_on.desc(), Timetable.id.desc())
    )
    return list(session.scalars(wanted))


def find_timetable(session: Session, school_id: int, timetable_id: int) -> Timetable:
    """One timetable in use. Raises AppError(NOT_FOUND)."""
    found = session.scalar(
        select(Timetable).where(
            Timetable.school_id == school_id,
            Timetable.id == timetable_id,
            Timetable.ended_at.is_(None),
        )
    )
    if found is None:
        raise AppError(Code.NOT_FOUND, "There is no such timetable.")
    return found


def settings_of(row: Timetable) -> TimetableSettings:
    """What the timetable is now."""
    return TimetableSettings(
        row.name,
        row.starts_on,
        row.ends_on,
        grades_of(row.grades),
        grades_of(row.homerooms),
        row.is_special,
    )


def read_settings(typed: Mapping[str, str]) -> TimetableSettings:
    """What somebody typed; grades and homerooms apart by spaces. Raises FieldsError."""
    wrong = Problems()
    last = typed.get("ends_on", "")
    settings = TimetableSettings(
        name=wrong.text("name", typed.get("name", ""), 40),
        starts_on=read_day(wrong, "starts_on", typed.get("starts_on", "")),
        ends_on=read_day(wrong, "ends_on", last) if last.strip() else None,
        grades=read_grades(wrong, "grades", typed.get("grades", "")),
        homerooms=read_ids(wrong, "homerooms", typed.get("homerooms", ""), _MOST_HOMEROOMS),
        is_special=bool(typed.get("is_special")),
    )
    if settings.grades and settings.homerooms:
        wrong.add("homerooms", _("Name either grades or homerooms."))
    if settings.ends_on is not None and settings.ends_on < settings.starts_on:
        wrong.add("ends_on", _("The last day lies before the first."))
    wrong.refuse()
    return settings


def add_timetable(
    session: Session, actor: Actor, school_id: int, wanted: TimetableSettings, now: datetime
) -> Timetable:
    """A new timetable, without hours. Raises FieldsError."""
    lock(session, school_id)
    _check(session, school_id, wanted, 0)
    row = Timetable(school_id=school_id)
    _keep(session, row, wanted)
    subject = f"timetable:{row.id}"
    note(session, school_id, actor, "timetable.made", subject, details=_present(wanted))
    touch_days(session, school_id, now)
    return row


def change_timetable(
    session: Session,
    actor: Actor,
    school_id: int,
    timetable_id: int,
    wanted: TimetableSettings,
    now: datetime,
    seen: str | None = None,
) -> list[date]:
    """Change name, days and for whom; the days from today on of which a judged part stays.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) when it is not as it was seen, FieldsError.
    """
    zone = lock(session, school_id)
    row = find_timetable(session, school_id, timetable_id)
    session.refresh(row)
    before = settings_of(row)
    refuse_if_changed(asdict(before), seen)
    if before == wanted:
        return []
    _check(session, school_id, wanted, timetable_id)
    if row.is_special and not wanted.is_special:
        _refuse_if_named(session, school_id, timetable_id, day_of(now, zone))
    _keep(session, row, wanted)
    subject = f"timetable:{timetable_id}"
    details = changes(_written(before), _written(wanted))
    note(session, school_id, actor, "timetable.changed", subject, details=details)
    return touch_days(session, school_id, now)


def end_timetable(
    session: Session, actor: Actor, school_id: int, timetable_id: int, now: datetime
) -> list[date]:
    """Take a timetable out of use; the days from today on of which a judged part stays.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) while a day from today on names it.
    """
    zone = lock(session, school_id)
    row = find_timetable(session, school_id, timetable_id)
    _refuse_if_named(session, school_id, timetable_id, day_of(now, zone))
    row.ended_at = now
    subject = f"timetable:{timetable_id}"
    note(session, school_id, actor, "timetable.ended", subject, details=_present(settings_of(row)))
    session.flush()
    return touch_days(session, school_id, now)


def _written(settings: TimetableSettings) -> dict[str, object]:
    """What a timetable is, as the audit log keeps it."""
    return {
        "name": settings.name,
        "starts_on": settings.starts_on.isoformat(),
        "ends_on": settings.ends_on.isoformat() if settings.ends_on else "",
        "grades": write_grades(settings.grades),
        "homerooms": write_grades(settings.homerooms),
        "is_special": settings.is_special,
    }


def _present(settings: TimetableSettings) -> dict[str, object]:
    return {name: value for name, value in _written(settings).items() if value}


def _refuse_if_named(session: Session, school_id: int, timetable_id: int, today: date) -> None:
    named = select(CalendarEntry.day).where(
        CalendarEntry.school_id == school_id,
        CalendarEntry.timetable_id == timetable_id,
        CalendarEntry.ended_at.is_(None),
        CalendarEntry.day >= today,
    )
    if session.scalar(named.limit(1)) is not None:
        raise AppError(
            Code.CONFLICT,
            "The calendar names this timetable for a day that is still to come. Say something else "
            "of that day first.",
        )


def _check(session: Session, school_id: int, wanted: TimetableSettings, own_id: int) -> None:
    """Refuse what could not be decided, and homerooms that are not the school's."""
    known = set(
        session.scalars(
            select(Homeroom.id).where(
                Homeroom.school_id == school_id, Homeroom.id.in_(wanted.homerooms)
            )
        )
    )
    if known != set(wanted.homerooms):
        raise FieldsError({"homerooms": _("There is no such homeroom.")})
    if wanted.is_special:
        return
    for other in list_timetables(session, school_id):
        is_beside = other.id != own_id and not other.is_special
        if is_beside and other.starts_on == wanted.starts_on and _meet(settings_of(other), wanted):
            raise FieldsError({"starts_on": _BEGINS_ALREADY}, Code.CONFLICT)


def _meet(one: TimetableSettings, other: TimetableSettings) -> bool:
    """Whether both are for the same, and equally closely named."""
    if one.homerooms or other.homerooms:
        return bool(set(one.homerooms) & set(other.homerooms))
    if one.grades or other.grades:
        return bool(set(one.grades) & set(other.grades))
    return True


def _keep(session: Session, row: Timetable, wanted: TimetableSettings) -> None:
    row.name, row.starts_on, row.ends_on = wanted.name, wanted.starts_on, wanted.ends_on
    row.grades, row.homerooms = write_grades(wanted.grades), write_grades(wanted.homerooms)
    row.is_special = wanted.is_special
    session.add(row)
    session.flush()

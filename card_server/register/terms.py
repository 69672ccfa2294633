"""School years and terms (学年, 学期): which there are, and which one a day belongs to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.follow_calendar import follow_calendar
from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.seen import changes, refuse_if_changed
from schema.tables.school import Homeroom, School, Term

FIRST_YEAR, LAST_YEAR = 2000, 2100
_YEAR_BEGINS = 8
"""The month from which a day without a term counts to the school year of its own number."""
_LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class TermSettings:
    """What a term is called and when it is."""

    school_year: int
    """The year in which its school year begins: 2026 for 2026–2027学年."""
    name: str
    starts_on: date
    ends_on: date
    """The last day."""


def list_terms(session: Session, school_id: int) -> list[Term]:
    """All terms of a school, the newest first."""
    wanted = select(Term).where(Term.school_id == school_id).order_by(Term.starts_on.desc())
    return list(session.scalars(wanted))


def find_term(session: Session, school_id: int, term_id: int) -> Term:
    """One term of a school. Raises AppError(NOT_FOUND)."""
    term = session.scalar(select(Term).where(Term.school_id == school_id, Term.id == term_id))
    if term is None:
        raise AppError(Code.NOT_FOUND, "There is no such term.")
    return term


def term_of(terms: Sequence[Term], day: date) -> Term | None:
    """The term that a day is in; None in the holidays."""
    return next((one for one in terms if one.starts_on <= day <= one.ends_on), None)


def school_year_of(terms: Sequence[Term], day: date) -> int:
    """The school year of a day: of the last term that has begun, or by the calendar.

    The calendar decides where no term tells of the year around that day: a school year begins with
    August then.
    """
    by_calendar = day.year if day.month >= _YEAR_BEGINS else day.year - 1
    begun = [one for one in terms if one.starts_on <= day]
    if not begun:
        return by_calendar
    last = max(begun, key=lambda one: one.starts_on)
    is_known = day <= last.ends_on or any(one.starts_on > day for one in terms)
    return last.school_year if is_known else max(last.school_year, by_calendar)


def year_in_use(session: Session, school_id: int, day: date) -> int:
    """The school year that the school's homerooms are of; where there are none, that of the day."""
    newest = session.scalar(
        select(Homeroom.school_year)
        .where(Homeroom.school_id == school_id, Homeroom.is_past.is_(False))
        .order_by(Homeroom.school_year.desc())
        .limit(1)
    )
    return newest if newest is not None else school_year_of(list_terms(session, school_id), day)


def read_settings(typed: Mapping[str, str]) -> TermSettings:
    """What somebody typed, as settings. Raises FieldsError."""
    wrong = Problems()
    settings = TermSettings(
        wrong.number("school_year", typed.get("school_year", ""), FIRST_YEAR, LAST_YEAR),
        wrong.text("name", typed.get("name", ""), 40),
        read_day(wrong, "starts_on", typed.get("starts_on", "")),
        read_day(wrong, "ends_on", typed.get("ends_on", "")),
    )
    wrong.refuse()
    if settings.ends_on < settings.starts_on:
        wrong.add("ends_on", _("The last day lies before the first."))
    elif settings.ends_on - settings.starts_on > _LONGEST:
        wrong.add("ends_on", _("A term is no longer than a year."))
    if settings.starts_on.year - settings.school_year not in (0, 1):
        wrong.add("school_year", _("A term begins in its school year or in the year after."))
    wrong.refuse()
    return settings


def read_day(wrong: Problems, field: str, typed: str, first: int = FIRST_YEAR) -> date:
    """A day of the calendar, written 2026-09-01, not before the year `first`."""
    try:
        day = date.fromisoformat(typed.strip())
    except ValueError:
        wrong.add(field, NO_DAY)
        return date(FIRST_YEAR, 1, 1)
    if not first <= day.year <= LAST_YEAR:
        wrong.add(field, NO_DAY)
    return day


def settings_of(term: Term) -> TermSettings:
    """What the term is now."""
    return TermSettings(term.school_year, term.name, term.starts_on, term.ends_on)


def add_term(
    session: Session, actor: Actor, school_id: int, wanted: TermSettings, now: datetime
) -> Term:
    """A new term. Raises FieldsError when it runs into another one."""
    _lock(session, school_id)
    term = Term(school_id=school_id)
    _keep(session, term, wanted)
    note(session, school_id, actor, "term.made", f"term:{term.id}", details=asdict(wanted))
    follow_calendar(session, school_id, now)
    return term


def change_term(
    session: Session,
    actor: Actor,
    school_id: int,
    term_id: int,
    wanted: TermSettings,
    now: datetime,
    seen: str | None = None,
) -> bool:
    """Whether anything changed.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) when it is not as it was seen, FieldsError when
    it runs into another one.
    """
    _lock(session, school_id)
    term = find_term(session, school_id, term_id)
    session.refresh(term)
    before, after = asdict(settings_of(term)), asdict(wanted)
    refuse_if_changed(before, seen)
    if before == after:
        return False
    _keep(session, term, wanted)
    changed = changes(before, after)
    note(session, school_id, actor, "term.changed", f"term:{term_id}", details=changed)
    follow_calendar(session, school_id, now)
    return True


def remove_term(
    session: Session, actor: Actor, school_id: int, term_id: int, now: datetime
) -> None:
    """Take a term away that was made by mistake. Raises AppError(NOT_FOUND)."""
    term = find_term(session, school_id, term_id)
    details = asdict(settings_of(term))
    session.delete(term)
    session.flush()
    note(session, school_id, actor, "term.removed", f"term:{term_id}", details=details)
    follow_calendar(session, school_id, now)


def _lock(session: Session, school_id: int) -> None:
    """Two who add terms at once would otherwise both find the days free."""
    session.execute(select(School.id).where(School.id == school_id).with_for_update(key_share=True))


def _keep(session: Session, term: Term, wanted: TermSettings) -> None:
    with session.no_autoflush:
        other = session.scalar(
            select(Term.name).where(
                Term.school_id == term.school_id,
                Term.id != (term.id or 0),
                Term.starts_on <= wanted.ends_on,
                Term.ends_on >= wanted.starts_on,
            )
        )
    if other is not None:
        raise FieldsError({"starts_on": _("These days belong to another term.")}, Code.CONFLICT)
    term.school_year, term.name = wanted.school_year, wanted.name
    term.starts_on, term.ends_on = wanted.starts_on, wanted.ends_on
    session.add(term)
    session.flush()


NO_DAY = _("Write a day like 2026-09-01.")

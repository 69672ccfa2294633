"""The state's holidays and make-up days as a proposal, which a school settles day by day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor
from card_server.calendar.entries import EntrySettings, Said, by_day, say
from card_server.calendar.reading import list_entries
from card_server.calendar.state_days import StateDay, StateKind, is_known, state_days
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from schema.tables.calendar import CalendarEntry, DayKind, EntrySource

ACCEPT, DECLINE = "accept", "decline"


class Proposal(Struct, frozen=True):
    """A day of the state's calendar, and what the school says of it."""

    state: StateDay
    entries: tuple[CalendarEntry, ...]
    """In force on that day."""

    @property
    def is_settled(self) -> bool:
        """Whether the whole school knows: an entry for some grades leaves the others open."""
        return any(not one.grades for one in self.entries)


@dataclass(frozen=True)
class Choice:
    """What a school makes of one proposed day."""

    day: date
    is_accepted: bool
    """A holiday is closed, a make-up day has lessons; else the day stays as its weekday."""
    weekday: int | None = None
    """Whose timetable applies on an accepted make-up day."""


def proposals_for(session: Session, school_id: int, year: int) -> list[Proposal]:
    """The state's days of a year; none of a year that is not known yet."""
    proposed = state_days(year)
    if not proposed:
        return []
    found = by_day(list_entries(session, school_id, date(year, 1, 1), date(year, 12, 31)))
    return [Proposal(one, tuple(found.get(one.day, ()))) for one in proposed]


def is_year_known(year: int) -> bool:
    """Whether the state's notice for a year is out, and we have it."""
    return is_known(date(year, 1, 1))


def read_choices(typed: Mapping[str, str], proposals: Sequence[Proposal]) -> list[Choice]:
    """What a form holds: `on-2026-10-01` is accept, decline, a weekday from 1 to 7, or empty.

    Raises FieldsError when nothing at all is chosen.
    """
    chosen = []
    for one in proposals:
        name = f"on-{one.state.day}"
        answer = typed.get(name, "")
        if answer == ACCEPT and one.state.kind is StateKind.HOLIDAY:
            chosen.append(Choice(one.state.day, is_accepted=True))
        elif answer == DECLINE:
            chosen.append(Choice(one.state.day, is_accepted=False))
        elif answer in set("1234567") and one.state.kind is StateKind.MAKE_UP:
            chosen.append(Choice(one.state.day, is_accepted=True, weekday=int(answer)))
        elif answer:
            raise FieldsError({name: _("Choose one of the list.")})
    if not chosen:
        raise FieldsError({"": _("Choose something for at least one day.")})
    return chosen


def all_holidays(proposals: Sequence[Proposal]) -> list[Choice]:
    """Every open holiday accepted. Make-up days stay open: each school says whose hours apply."""
    return [
        Choice(one.state.day, is_accepted=True)
        for one in proposals
        if one.state.kind is StateKind.HOLIDAY and not one.is_settled
    ]


def settle(
    session: Session, actor: Actor, school_id: int, choices: Sequence[Choice], now: datetime
) -> Said:
    """Write down what the school makes of proposed days.

    An accepted day comes from the state, a declined one from staff. Raises FieldsError for a
    make-up day without a weekday, AppError(NOT_FOUND) for a day that the state does not propose.
    """
    by_year = {one.day.year: state_days(one.day.year) for one in choices}
    proposed = {one.day: one for days in by_year.values() for one in days}
    said = Said([], [])
    for choice in choices:
        state = proposed.get(choice.day)
        if state is None:
            raise AppError(Code.NOT_FOUND, "The state's calendar proposes nothing for that day.")
        source = EntrySource.STATE if choice.is_accepted else EntrySource.STAFF
        one = say(session, actor, school_id, _settings(state, choice), now, source)
        said = Said([*said.entries, *one.entries], sorted({*said.stays, *one.stays}))
    return said


def _settings(state: StateDay, choice: Choice) -> EntrySettings:
    """The day as the school will have it."""
    is_make_up = state.kind is StateKind.MAKE_UP
    if is_make_up and choice.is_accepted and choice.weekday is None:
        raise FieldsError({f"on-{state.day}": _("Say whose timetable applies on this day.")})
    has_lessons = is_make_up if choice.is_accepted else state.day.isoweekday() < 6
    return EntrySettings(
        day=state.day,
        until=state.day,
        kind=DayKind.LESSONS if has_lessons else DayKind.CLOSED,
        weekday=choice.weekday if is_make_up and choice.is_accepted else None,
        note=state.name,
    )

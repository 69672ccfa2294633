"""The school's calendar (校历): a term by months, one day, and the state's days to settle."""

from collections.abc import Callable
from datetime import date

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from card_server.access import actor, allow, may, now, school_in_use, school_session
from card_server.calendar import entries, proposals
from card_server.calendar.kept import homerooms_that_differ
from card_server.calendar.months import describe_day, read_months
from card_server.calendar.reading import list_said, numbers_of, read_calendar
from card_server.calendar.state_days import is_known
from card_server.calendar.timetables import list_timetables
from card_server.register.homerooms import list_homerooms
from card_server.register.terms import FIRST_YEAR, LAST_YEAR, list_terms, term_of
from card_server.school_time import day_of
from card_server.web.calendar_words import (
    audience,
    look_of,
    month_name,
    say_saved,
    weekday_letters,
    weekday_name,
    weekday_options,
)
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.history import show_history
from card_server.web.tables import read_asked
from card_server.words.choices import word
from schema.tables.calendar import DayKind, DayPart
from schema.tables.school import Term
from schema.tables.staff import Role

ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
READING = (*ADMINS, Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER)
"""Whoever may read attendance; they see calendar and timetables, and change nothing."""

pages = Blueprint("calendar", __name__)


@pages.get("/settings/calendar")
@allow(*READING)
def show() -> ResponseReturnValue:
    """A term by months: what each day is, in colour and in words."""
    school, today = school_in_use(), _today()
    asked = read_asked(filters=("term",))
    with school_session() as session:
        terms = list_terms(session, school.id)
        term = _choose_term(terms, asked.filters.get("term", ""), today)
        months = read_months(session, school.id, term.starts_on, term.ends_on) if term else []
        years = _years(terms, today)
        open_days = sum(_count_open(session, school.id, year) for year in years)
    return render_template(
        "settings_calendar.html",
        asked=asked,
        terms=terms,
        term=term,
        months=months,
        today=today,
        letters=weekday_letters(),
        open_days=open_days,
        unknown=[one for one in years if not proposals.is_year_known(one)],
        look_of=look_of,
        month_name=month_name,
    )


def _choose_term(terms: list[Term], asked: str, today: date) -> Term | None:
    """The one that was asked for, else that of today, the next one, or the last."""
    chosen = next((one for one in terms if str(one.id) == asked), None)
    coming = [one for one in terms if one.starts_on > today]
    return (
        chosen
        or term_of(terms, today)
        or min(coming, key=lambda one: one.starts_on, default=None)
        or next(iter(terms), None)
    )


def _years(terms: list[Term], today: date) -> list[int]:
    """The calendar years of the terms that are not over yet."""
    coming = [one for one in terms if one.ends_on >= today]
    ends = {year for one in coming for year in (one.starts_on.year, one.ends_on.year)}
    return sorted({today.year, *ends})


def _count_open(session: Session, school_id: int, year: int) -> int:
    """How many of the state's days of a year wait for the school's word; past ones do not."""
    found, today = proposals.proposals_for(session, school_id, year), _today()
    return sum(not one.is_settled and one.state.day >= today for one in found)


@pages.get("/settings/calendar/day")
@allow(*READING)
def show_day() -> ResponseReturnValue:
    """One day: what it is, what was said of it, and a form to say something else."""
    try:
        day = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        day = _today()
    return _show_day(min(max(day, date(FIRST_YEAR, 1, 2)), date(LAST_YEAR, 12, 30)), NOTHING_WRONG)


@pages.post("/settings/calendar/day")
@allow(*ADMINS)
def say() -> ResponseReturnValue:
    """Say what a day is, or each day until another one."""
    typed = request.form.to_dict()
    typed |= {name: " ".join(request.form.getlist(name)) for name in ("grades", "parts")}
    stays: list[date] = []

    def change(session: Session) -> None:
        wanted = entries.read_settings(typed)
        stays.extend(entries.say(session, actor(), school_in_use().id, wanted, now()).stays)

    wrong = try_change(change)
    if wrong.errors:
        return _show_day(_day_of(typed), wrong, typed)
    say_saved(stays)
    return redirect(url_for("calendar.show_day", day=_day_of(typed)))


@pages.post("/settings/calendar/entries/<int:entry_id>/end")
@allow(*ADMINS)
def take_back(entry_id: int) -> ResponseReturnValue:
    """Take back what was said of a day: the weekday, or what is said of the school, decides."""
    school_id, stays, days = school_in_use().id, list[date](), list[date]()

    def change(session: Session) -> None:
        days.append(entries.find_entry(session, school_id, entry_id).day)
        stays.extend(entries.take_back(session, actor(), school_id, entry_id, now()))

    try_change(change)
    say_saved(stays)
    return redirect(url_for("calendar.show_day", day=days[0]))


def _day_of(typed: dict[str, str]) -> date:
    try:
        return date.fromisoformat(typed.get("day", ""))
    except ValueError:
        return _today()


def _show_day(day: date, wrong: Wrong, typed: dict[str, str] | None = None) -> ResponseReturnValue:
    school_id, is_writing = school_in_use().id, may("calendar.say")
    with school_session() as session:
        calendar = read_calendar(session, school_id, day, day)
        ever_said = list_said(session, school_id, day)
        said = [one for one in ever_said if one.ended_at is None]
        timetables = list_timetables(session, school_id)
        grades = sorted({one.grade for one in list_homerooms(session, school_id)})
        differing = homerooms_that_differ(session, school_id, day, calendar)
        subjects = [f"calendar:{one.id}" for one in ever_said] if is_writing else []
        history = show_history(session, school_id, subjects) if subjects else []
    shown = describe_day(calendar, said, day)
    page = render_template(
        "settings_calendar_day.html",
        shown=shown,
        said=said,
        is_known=is_known(day),
        kept=differing is not None,
        differs=bool(differing),
        names={one.id: one.name for one in timetables},
        timetables=[(one.id, one.name) for one in timetables],
        grades=grades,
        kinds=[(one, word(one)) for one in DayKind],
        parts=list(DayPart),
        weekdays=weekday_options(),
        weekday_name=weekday_name,
        numbers_of=numbers_of,
        audience=audience,
        values=typed or {"day": day, "kind": _kind_to_offer(shown.plan.kind)},
        errors=wrong.errors,
        is_writing=is_writing,
        history=history,
    )
    return page, wrong.status


def _kind_to_offer(kind: DayKind) -> DayKind:
    """Who opens an ordinary day mostly wants it to be another one."""
    return DayKind.CLOSED if kind is DayKind.LESSONS else DayKind.LESSONS


@pages.get("/settings/calendar/proposals")
@allow(*ADMINS)
def show_proposals() -> ResponseReturnValue:
    """The state's holidays and make-up days of a year, to accept, change or decline."""
    return _show_proposals(_year_of(request.args.get("year", "")), NOTHING_WRONG)


@pages.post("/settings/calendar/proposals")
@allow(*ADMINS)
def settle() -> ResponseReturnValue:
    """Settle some days of a year, each as it was chosen."""
    form, year = request.form, _year_of(request.form.get("year", ""))
    return _settle(year, lambda found: proposals.read_choices(form, found), form.to_dict())


@pages.post("/settings/calendar/proposals/holidays")
@allow(*ADMINS)
def accept_holidays() -> ResponseReturnValue:
    """Accept every holiday of a year that is still open; make-up days stay to be chosen."""
    return _settle(_year_of(request.form.get("year", "")), proposals.all_holidays, {})


def _settle(
    year: int,
    choose: Callable[[list[proposals.Proposal]], list[proposals.Choice]],
    typed: dict[str, str],
) -> ResponseReturnValue:
    school_id, stays = school_in_use().id, list[date]()

    def change(session: Session) -> None:
        choices = choose(proposals.proposals_for(session, school_id, year))
        stays.extend(proposals.settle(session, actor(), school_id, choices, now()).stays)

    wrong = try_change(change)
    if wrong.errors:
        return _show_proposals(year, wrong, typed)
    say_saved(stays)
    return redirect(url_for("calendar.show_proposals", year=year))


def _show_proposals(
    year: int, wrong: Wrong, typed: dict[str, str] | None = None
) -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        found = proposals.proposals_for(session, school_id, year)
        years = {*_years(list_terms(session, school_id), _today()), year}
    page = render_template(
        "settings_calendar_proposals.html",
        year=year,
        years=sorted(years),
        found=found,
        can_accept=bool(proposals.all_holidays(found)),
        weekdays=weekday_options(),
        weekday_name=weekday_name,
        values=typed or {},
        errors=wrong.errors,
    )
    return page, wrong.status


def _year_of(typed: str) -> int:
    is_year = typed.isascii() and typed.isdigit() and FIRST_YEAR <= int(typed[:5]) <= LAST_YEAR
    return int(typed) if is_year else _today().year


def _today() -> date:
    return day_of(now(), school_in_use().zone)

"""Timetables (作息时间): which there are, for whom, and the hours of each weekday."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import actor, allow, may, now, school_in_use, school_session
from card_server.calendar import sessions, timetables
from card_server.calendar.hours import write_minute
from card_server.calendar.reading import read_sessions
from card_server.calendar.sessions import SessionHours, hours_of
from card_server.register.homerooms import list_homerooms
from card_server.web.calendar_pages import ADMINS, READING
from card_server.web.calendar_words import audience, say_saved, weekday_name, weekday_options
from card_server.web.changing import NOTHING_WRONG, Wrong, seen_by_form, try_change
from card_server.web.history import show_history
from card_server.words.choices import word
from schema.tables.calendar import DayPart, ForWhom, TimetableSession

pages = Blueprint("timetables", __name__)


@pages.get("/settings/timetables")
@allow(*READING)
def show() -> ResponseReturnValue:
    """All timetables in use, and a form for one more."""
    return _show(NOTHING_WRONG)


@pages.post("/settings/timetables")
@allow(*ADMINS)
def add() -> ResponseReturnValue:
    """Make a timetable, with the hours of another one if that is wanted."""
    typed, school_id, made = _typed(), school_in_use().id, list[int]()

    def change(session: Session) -> None:
        wanted = timetables.read_settings(typed)
        row = timetables.add_timetable(session, actor(), school_id, wanted, now())
        source = typed.get("copy_from", "")
        if source.isascii() and source.isdigit():
            sessions.copy_hours(session, actor(), school_id, int(source[:9]), row.id, now())
        made.append(row.id)

    wrong = try_change(change)
    if wrong.errors:
        return _show(wrong, typed)
    flash(gettext("The timetable is there. Now give its weekdays their hours."), "good")
    return redirect(url_for("timetables.show_timetable", timetable_id=made[0]))


def _show(wrong: Wrong, typed: Mapping[str, str] | None = None) -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        found = timetables.list_timetables(session, school_id)
        hours = read_sessions(session, [one.id for one in found])
        rooms = list_homerooms(session, school_id)
    names = {room.id: room.name for room in rooms}
    shown = [
        (one, _audience(timetables.settings_of(one), names), _first_day(hours[one.id]))
        for one in found
    ]
    page = render_template(
        "settings_timetables.html",
        found=shown,
        rooms=rooms,
        grades=sorted({one.grade for one in rooms}),
        sources=[(one.id, one.name) for one in found],
        values=typed or {},
        errors=wrong.errors,
        is_writing=may("timetables.add"),
        write_minute=write_minute,
    )
    return page, wrong.status


def _first_day(rows: Sequence[TimetableSession]) -> list[SessionHours]:
    """The hours of the first weekday that has any."""
    return [hours_of(one) for one in rows if one.weekday == rows[0].weekday]


@pages.get("/settings/timetables/<int:timetable_id>")
@allow(*READING)
def show_timetable(timetable_id: int) -> ResponseReturnValue:
    """One timetable: its week as bars, and a form for its name, days and for whom it is."""
    return _show_timetable(timetable_id, NOTHING_WRONG)


@pages.post("/settings/timetables/<int:timetable_id>")
@allow(*ADMINS)
def change(timetable_id: int) -> ResponseReturnValue:
    """Change a timetable's name, its days, or for whom it is."""
    typed = _typed()
    wrong, stays = _try(
        lambda session: timetables.change_timetable(
            session,
            actor(),
            school_in_use().id,
            timetable_id,
            timetables.read_settings(typed),
            now(),
            typed.get("seen", ""),
        )
    )
    if wrong.errors:
        return _show_timetable(timetable_id, wrong, typed)
    say_saved(stays)
    return redirect(url_for("timetables.show_timetable", timetable_id=timetable_id))


@pages.post("/settings/timetables/<int:timetable_id>/end")
@allow(*ADMINS)
def end(timetable_id: int) -> ResponseReturnValue:
    """Take a timetable out of use."""
    wrong, stays = _try(
        lambda session: timetables.end_timetable(
            session, actor(), school_in_use().id, timetable_id, now()
        )
    )
    if wrong.errors:
        return _show_timetable(timetable_id, wrong)
    say_saved(stays)
    return redirect(url_for("timetables.show"))


def _show_timetable(
    timetable_id: int, wrong: Wrong, typed: dict[str, str] | None = None
) -> ResponseReturnValue:
    school_id, is_writing = school_in_use().id, may("timetables.change")
    with school_session() as session:
        row = timetables.find_timetable(session, school_id, timetable_id)
        rows = read_sessions(session, [timetable_id])[timetable_id]
        rooms = list_homerooms(session, school_id)
        subjects = [f"timetable:{timetable_id}"]
        history = show_history(session, school_id, subjects) if is_writing else []
    settings = timetables.settings_of(row)
    stored = asdict(settings)
    shown = stored | {
        "ends_on": settings.ends_on or "",
        "grades": " ".join(map(str, settings.grades)),
        "homerooms": " ".join(map(str, settings.homerooms)),
    }
    week = [
        (number, name, [hours_of(one) for one in rows if one.weekday == number])
        for number, name in weekday_options()
    ]
    page = render_template(
        "settings_timetable.html",
        row=row,
        week=week,
        for_whom=_audience(settings, {room.id: room.name for room in rooms}),
        rooms=rooms,
        grades=sorted({one.grade for one in rooms}),
        values=typed or shown,
        errors=wrong.errors,
        seen=seen_by_form(stored, typed, wrong),
        is_writing=is_writing,
        history=history,
        write_minute=write_minute,
    )
    return page, wrong.status


@pages.get("/settings/timetables/<int:timetable_id>/hours")
@allow(*ADMINS)
def show_hours(timetable_id: int) -> ResponseReturnValue:
    """The hours of one weekday, as a picture and to change."""
    weekday = request.args.get("weekday", 1, type=int)
    return _show_hours(timetable_id, min(max(weekday, 1), 7), NOTHING_WRONG)


@pages.post("/settings/timetables/<int:timetable_id>/hours")
@allow(*ADMINS)
def change_hours(timetable_id: int) -> ResponseReturnValue:
    """Give a weekday, and others that are ticked, these hours."""
    form = request.form
    weekday = min(max(form.get("weekday", 1, type=int), 1), 7)
    named = [int(one) for one in form.getlist("also") if one in set("1234567")]
    wrong, stays = _try(
        lambda session: sessions.change_hours(
            session,
            actor(),
            school_in_use().id,
            timetable_id,
            [weekday, *named],
            sessions.read_sessions(form),
            now(),
            form.get("seen", ""),
        )
    )
    if wrong.errors:
        typed = form.to_dict() | {"also": " ".join(map(str, named))}
        return _show_hours(timetable_id, weekday, wrong, typed)
    say_saved(stays)
    return redirect(url_for("timetables.show_timetable", timetable_id=timetable_id))


def _show_hours(
    timetable_id: int, weekday: int, wrong: Wrong, typed: dict[str, str] | None = None
) -> ResponseReturnValue:
    with school_session() as session:
        row = timetables.find_timetable(session, school_in_use().id, timetable_id)
        found = sessions.sessions_of(session, timetable_id, weekday)
    stored: dict[str, str] = sessions.fields_of(found)
    offered = min(len(found) + 1, sessions.MOST) if typed is None else sessions.MOST
    empty = {} if found else {f"expects_{way}-1": "1" for way in ("entry", "exit")}
    page = render_template(
        "settings_timetable_hours.html",
        row=row,
        weekday=weekday,
        weekday_name=weekday_name,
        weekdays=weekday_options(),
        hours=found,
        places=list(range(1, max(offered, 3) + 1)),
        parts=[(one, word(one)) for one in DayPart],
        whom=[(one, word(one)) for one in ForWhom],
        values=typed if typed is not None else empty | stored,
        errors=wrong.errors,
        seen=seen_by_form(stored, typed, wrong),
        write_minute=write_minute,
    )
    return page, wrong.status


def _try(change: Callable[[Session], list[date]]) -> tuple[Wrong, list[date]]:
    """What was wrong, and the days that stay as they were kept."""
    stays: list[date] = []
    return try_change(lambda session: stays.extend(change(session))), stays


def _typed() -> dict[str, str]:
    """The form, with what may be ticked several times apart by spaces."""
    several = {name: " ".join(request.form.getlist(name)) for name in ("grades", "homerooms")}
    return request.form.to_dict() | several


def _audience(settings: timetables.TimetableSettings, names: Mapping[int, str]) -> str:
    rooms = [names.get(one, gettext("a homeroom of another year")) for one in settings.homerooms]
    return audience(settings.grades, rooms)

"""Not judged (待判定): what waits for which gate, and judging a day without one."""

from collections.abc import Mapping
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from card_server.access import actor, allow, may, now, school_in_use, school_session
from card_server.attendance.dark_gates import judge_without
from card_server.errors import AppError, Code
from card_server.leave.callers import SCHOOL, SEEING
from card_server.reports.waiting import read_waiting
from card_server.school_time import day_of
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.fragments import render_part
from card_server.web.tables import Column, cut_page, read_asked

pages = Blueprint("waiting", __name__)
_COLUMNS = (
    Column(lazy_gettext("Day")),
    Column(lazy_gettext("Session")),
    Column(lazy_gettext("Due at")),
    Column(lazy_gettext("Waits for")),
    Column(lazy_gettext("Homerooms")),
)


@pages.get("/attendance/waiting")
@allow(*SEEING)
def show() -> ResponseReturnValue:
    """The gates in the dark, and what waits for them."""
    moment, asked = now(), read_asked()
    with school_session() as session:
        found = read_waiting(session, school_in_use().id, moment)
    return render_part(
        "waiting.html",
        "waiting_part.html",
        asked=asked,
        columns=_COLUMNS,
        gates=found.gates,
        may_leave_out=may("waiting.leave_out"),
        now=moment,
        page=cut_page(found.sessions, asked),
    )


@pages.get("/attendance/waiting/<int:reader_id>")
@allow(*SCHOOL)
def show_gate(reader_id: int) -> ResponseReturnValue:
    """The form to judge a day without a gate; today unless `day` names another."""
    return _show_gate(reader_id, NOTHING_WRONG, {"day": request.args.get("day", "")})


@pages.post("/attendance/waiting/<int:reader_id>")
@allow(*SCHOOL)
def leave_out(reader_id: int) -> ResponseReturnValue:
    """Judge a day without this gate."""
    form, school = request.form, school_in_use()
    day = _read_day(form.get("day", ""))
    wrong = try_change(
        lambda session: judge_without(
            session, actor(), school.id, day, reader_id, form.get("reason", ""), now()
        )
    )
    if wrong.errors:
        return _show_gate(reader_id, wrong, form)
    flash(gettext("The day is judged without this gate, within a minute."), "good")
    return redirect(url_for("waiting.show"))


def _read_day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return day_of(now(), school_in_use().zone)


def _show_gate(reader_id: int, wrong: Wrong, values: Mapping[str, str]) -> ResponseReturnValue:
    with school_session() as session:
        found = read_waiting(session, school_in_use().id, now())
        gate = next((one for one in found.gates if one.reader_id == reader_id), None)
    if gate is None:
        raise AppError(Code.NOT_FOUND, "Nothing waits for this gate.")
    left_out = {one.day for one in gate.left_out}
    page = render_template(
        "waiting_gate.html",
        days=[(one.isoformat(), one.isoformat()) for one in gate.days if one not in left_out],
        errors=wrong.errors,
        gate=gate,
        now=now(),
        values=values,
    )
    return page, wrong.status

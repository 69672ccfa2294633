"""Judging days anew (重新判定): chosen, tried out, looked at, and applied as it was seen."""

from collections.abc import Mapping, Sequence
from datetime import date

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from card_server.access import allow, now, reading, school_in_use, school_session
from card_server.attendance import recompute_asking as asking
from card_server.attendance.recompute_job import DO, ChangedDay, Trial
from card_server.attendance.recompute_names import StudentName, name_homerooms, name_students
from card_server.attendance.recompute_reach import Reach, reach_of, read_reach
from card_server.attendance.recomputed import MOST_LISTED
from card_server.background import asker_in_use
from card_server.jobs.report import JobReport
from card_server.register.homerooms import list_homerooms
from card_server.school_time import day_of
from card_server.storage.sealing import Seal
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.downloads import send_noted
from card_server.web.export import Cell, Export, asked_export
from card_server.web.fragments import render_part
from card_server.web.languages import choose_language
from card_server.web.tables import Column, cut_page, read_asked
from card_server.words.choices import word
from card_server.words.grades import grade_word
from schema.tables.attendance import SessionStatus
from schema.tables.people import Language
from schema.tables.staff import Role

ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)

pages = Blueprint("recompute", __name__, url_prefix="/settings/calendar/recompute")

_COLUMNS = (
    Column(lazy_gettext("Day")),
    Column(lazy_gettext("Full name")),
    Column(lazy_gettext("Student number")),
    Column(lazy_gettext("Homeroom")),
    Column(lazy_gettext("What changes")),
)


@pages.get("")
@allow(*ADMINS)
def show() -> ResponseReturnValue:
    """Where a time is chosen, and whose days; a link may bring the days."""
    today = _today()
    values = {name: str(_asked_day(name, today)) for name in ("first", "last")}
    return _show(values | {"whom": request.args.get("whom", "")}, NOTHING_WRONG)


@pages.post("")
@allow(*ADMINS)
def try_out() -> ResponseReturnValue:
    """Find out in the background what would change; nothing does."""
    typed, school, made = request.form.to_dict(), school_in_use(), list[int]()

    def ask(session: Session) -> None:
        reach = read_reach(typed, _today())
        asker = asker_in_use(Language(choose_language()))
        made.append(asking.ask_trial(session, asker, school, reach, now()))

    wrong = try_change(ask)
    if wrong.errors:
        return _show(typed, wrong)
    return redirect(url_for("recompute.show_job", job_id=made[0]))


def _show(values: Mapping[str, str], wrong: Wrong) -> ResponseReturnValue:
    with school_session() as session:
        rooms = list_homerooms(session, school_in_use().id)
    grades = sorted({one.grade for one in rooms})
    whom = [("", gettext("the whole school"))]
    whom += [(f"grade:{one}", grade_word(one)) for one in grades]
    whom += [(f"homeroom:{one.id}", one.name) for one in rooms]
    page = render_template(
        "settings_recompute.html",
        values=values,
        errors=wrong.errors,
        whom=whom,
        today=_today(),
    )
    return page, wrong.status


@pages.get("/<int:job_id>")
@allow(*ADMINS)
def show_job(job_id: int) -> ResponseReturnValue:
    """How far it is; what would change, with a button that applies it; or what has changed."""
    return _show_job(job_id, NOTHING_WRONG)


@pages.post("/<int:job_id>")
@allow(*ADMINS)
def apply(job_id: int) -> ResponseReturnValue:
    """Apply what the try-out found, in the background."""
    job, trial = _read(job_id)
    seen, made = request.form.get("seen", ""), list[int]()
    asker = asker_in_use(Language(choose_language()))
    wrong = try_change(
        lambda session: made.append(asking.apply_trial(session, asker, job, trial, seen, now()))
    )
    if wrong.errors:
        return _show_job(job_id, wrong)
    return redirect(url_for("recompute.show_job", job_id=made[0]))


def _read(job_id: int) -> tuple[JobReport, Trial | None]:
    with school_session() as session:
        job = asking.find_recomputation(session, school_in_use().id, job_id)
    seal: Seal = current_app.extensions["job_seal"]
    return job, asking.open_trial(reading(), seal, job)


def _show_job(job_id: int, wrong: Wrong) -> ResponseReturnValue:
    job, trial = _read(job_id)
    asked, reach = read_asked(), reach_of(job.parameters)
    if trial and (kind := asked_export()):
        return _send(kind, trial)
    page = cut_page(trial.days if trial else (), asked)
    with school_session() as session:
        students = name_students(session, {one.student_id for one in page.rows})
        rooms = _rooms(session, trial)
        whom = _whom(session, reach)
    response = render_part(
        "settings_recompute_job.html",
        "settings_recompute_job_part.html",
        job=job,
        trial=trial,
        reach=reach,
        whom=whom,
        is_applied=job.kind == DO,
        goes_on=reach.last >= _today(),
        page=page,
        asked=asked,
        columns=_COLUMNS,
        students=students,
        rooms=rooms,
        most_listed=MOST_LISTED,
        status_word=_status_word,
        errors=wrong.errors,
    )
    response.status_code = wrong.status
    return response


def _send(kind: Export, trial: Trial) -> ResponseReturnValue:
    with school_session() as session:
        students = name_students(session, {one.student_id for one in trial.days})
        rooms = _rooms(session, trial)
    heads = [gettext("Day"), gettext("Student number"), gettext("Full name")]
    heads += [
        gettext("Homeroom"),
        gettext("Session"),
        gettext("Judged before"),
        gettext("Judged anew"),
    ]
    rows = [row for one in trial.days for row in _rows_of(one, students, rooms)]
    return send_noted(kind, "days-judged-anew", heads, rows)


def _rows_of(
    one: ChangedDay, students: Mapping[int, StudentName], rooms: Mapping[int, str]
) -> Sequence[tuple[Cell, ...]]:
    """One row for each session whose status changes, and one where only minutes do."""
    who = students.get(one.student_id)
    lead = (one.day, who.number if who else "", who.name if who else "")
    lead_room = (*lead, rooms.get(one.homeroom_id, ""))
    if not one.sessions:
        return [(*lead_room, gettext("minutes or findings alone"), "", "")]
    return [
        (*lead_room, move.name, _status_word(move.before), _status_word(move.after))
        for move in one.sessions
    ]


def _status_word(status: SessionStatus | None) -> str:
    return gettext("no session") if status is None else word(status)


def _rooms(session: Session, trial: Trial | None) -> dict[int, str]:
    return name_homerooms(session, [room for room, _days in trial.homerooms] if trial else [])


def _whom(session: Session, reach: Reach) -> str:
    if reach.homeroom_id is not None:
        return name_homerooms(session, [reach.homeroom_id]).get(reach.homeroom_id, "")
    return gettext("the whole school") if reach.grade is None else grade_word(reach.grade)


def _asked_day(name: str, today: date) -> date:
    try:
        return min(date.fromisoformat(request.args.get(name, "")), today)
    except ValueError:
        return today


def _today() -> date:
    return day_of(now(), school_in_use().zone)

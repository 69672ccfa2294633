"""Background jobs (后台任务): how far each is, its file once it is done, and ending it."""

from collections.abc import Iterable
from datetime import UTC, datetime

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from card_server.access import (
    actor,
    allow_anywhere,
    caller,
    changing_session,
    reading,
    school_in_use,
    school_session,
    use_school,
)
from card_server.audit.writing import note
from card_server.config import Settings
from card_server.errors import AppError, Code
from card_server.jobs.kinds import KINDS
from card_server.jobs.pieces import read_pieces
from card_server.jobs.queue import cancel as end_job
from card_server.jobs.reach import OF_DISTRICT
from card_server.jobs.report import (
    JobReport,
    find_job,
    list_jobs,
    note_seen,
    read_job,
    read_news,
)
from card_server.storage.sealing import Seal
from card_server.web.export import send_bytes
from card_server.web.fragments import render_part
from card_server.web.tables import PAGE_ROWS, Asked, Column, key_page, read_asked
from schema.tables.jobs import JobPart
from schema.tables.staff import Role

pages = Blueprint("jobs", __name__)

_ADMINS = frozenset({Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN})
_COLUMNS = (
    Column(lazy_gettext("Job")),
    Column(lazy_gettext("State")),
    Column(lazy_gettext("Asked for")),
    Column(lazy_gettext("By")),
    Column(lazy_gettext("File")),
)


def open_jobs(app: Flask, settings: Settings) -> None:
    """Give the application what these pages need of the settings."""
    app.extensions["job_seal"] = Seal(settings.data_key)
    app.jinja_env.globals.update(job_title=job_title, job_message=job_message)


def job_title(job: JobReport) -> str:
    """What people call this job."""
    kind = KINDS.get(job.kind)
    if kind is None:
        return job.kind
    about = kind.describe(job.parameters)
    title = str(gettext(kind.title))
    return str(gettext("%(title)s: %(about)s", title=title, about=about)) if about else title


def job_message(job: JobReport) -> str:
    """What came of it, as a sentence; empty while nothing did."""
    return str(gettext(job.message, **job.values)) if job.message else ""


@pages.get("/jobs")
@allow_anywhere(*Role)
def show() -> ResponseReturnValue:
    """The caller's jobs; all of the school's for its administrators."""
    _use_jobs()
    asked, now = read_asked(), datetime.now(UTC)
    with school_session() as session:
        jobs = list_jobs(session, school_in_use().id, _whose(), _read_before(asked), PAGE_ROWS + 1)
    _note_seen(jobs, now)
    return render_part(
        "jobs.html",
        "jobs_part.html",
        page=key_page(jobs, asked, lambda job: (job.id,)),
        asked=asked,
        columns=_COLUMNS,
        sees_all=_whose() is None,
        now=now,
    )


@pages.get("/jobs/<int:job_id>")
@allow_anywhere(*Role)
def show_job(job_id: int) -> ResponseReturnValue:
    """One job, live until it has ended."""
    _use_jobs()
    now = datetime.now(UTC)
    with school_session() as session:
        job = read_job(session, school_in_use().id, job_id, _whose())
    _note_seen([job], now)
    return render_part(
        "jobs_job.html",
        "jobs_job_part.html",
        job=job,
        has_file=job.has_file(now),
        is_own=job.made_by == caller().staff_id,
    )


@pages.get("/jobs/<int:job_id>/file")
@allow_anywhere(*Role)
def download(job_id: int) -> ResponseReturnValue:
    """The job's file, for who asked for it, after a note that it was taken."""
    _use_jobs()
    now, school_id, who = datetime.now(UTC), school_in_use().id, caller()
    with changing_session() as session:
        job = read_job(session, school_id, job_id, who.staff_id)
        if job.file_name is None or not job.has_file(now):
            raise AppError(Code.NOT_FOUND, "This file is not there any more. Begin the job again.")
        note(
            session,
            school_id,
            actor(),
            "export.taken",
            f"job:{job_id}",
            details={**job.parameters, "file": job.file_name, "rows": job.file_rows},
        )
        note_seen(session, [job_id], now)
    seal: Seal = current_app.extensions["job_seal"]
    body = read_pieces(reading(), seal, job_id, JobPart.RESULT)
    response = send_bytes(body, job.media_type, job.file_name)
    response.content_length = job.file_bytes
    return response


@pages.post("/jobs/<int:job_id>/cancel")
@allow_anywhere(*Role)
def cancel(job_id: int) -> ResponseReturnValue:
    """End a job that has not ended yet."""
    _use_jobs()
    with changing_session() as session:
        job = find_job(session, school_in_use().id, job_id, _whose())
        end_job(session, job, actor(), datetime.now(UTC))
    flash(gettext("The job has ended; nothing of it is kept."), "good")
    return redirect(url_for("jobs.show_job", job_id=job_id))


@pages.get("/jobs/news")
@allow_anywhere(*Role)
def show_news() -> ResponseReturnValue:
    """For the frame of every page: that jobs of the caller have ended, until they look."""
    _use_jobs()
    with school_session() as session:
        news = read_news(session, school_in_use().id, caller().staff_id)
    return render_template("jobs_news.html", news=news)


def _use_jobs() -> None:
    """Limit the request to the school that the caller is in, or else to the district's own."""
    who = caller()
    use_school(who.school or OF_DISTRICT, who.grants)


def _whose() -> int | None:
    """Whose jobs the caller sees: their own, and administrators all."""
    who = caller()
    return None if who.roles & _ADMINS else who.staff_id


def _note_seen(jobs: Iterable[JobReport], now: datetime) -> None:
    """What has ended is no news any more to its maker."""
    news = [job.id for job in jobs if job.is_news and job.made_by == caller().staff_id]
    if news:
        with changing_session() as session:
            note_seen(session, news, now)


def _read_before(asked: Asked) -> int | None:
    text = asked.after[0] if asked.after else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

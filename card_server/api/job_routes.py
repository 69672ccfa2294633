"""Background jobs of the school: how far each is, and what came of it."""

from datetime import UTC, datetime
from typing import Any

from apiflask import APIBlueprint
from flask_babel import gettext
from pydantic import Field

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.api.cursors import next_address, read_id, write_id
from card_server.api.inputs import IdCursor, Limit, RowId, Taken
from card_server.api.shapes import Next, Shape
from card_server.jobs.queue import cancel as end_job
from card_server.jobs.report import JobReport, find_job, list_jobs, read_job
from schema.tables.jobs import JobState
from schema.tables.staff import Role

routes = APIBlueprint("jobs", __name__, tag="Jobs", url_prefix="/jobs")
_ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)


class JobPath(Taken):
    """Which job."""

    job_id: RowId


class JobsQuery(Taken):
    """Which part of the jobs."""

    limit: Limit = 50
    cursor: IdCursor | None = None


class Job(Shape):
    """One piece of long work; its file is for who asked for it, on the page."""

    id: int
    kind: str
    state: JobState
    made_by: int = Field(description="The account that asked for it.")
    made_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    done: int
    total: int | None = Field(description="How much there is to do; null while nobody knows.")
    message: str = Field(description="What came of it, as a sentence; empty before the end.")
    file_name: str | None
    file_bytes: int
    file_rows: int | None


class Jobs(Shape):
    """A part of the jobs, newest first."""

    items: list[Job]
    next: Next


@routes.get("")
@allow(*_ADMINS)
@routes.input(JobsQuery, location="query", arg_name="asked")
@routes.output(Jobs)
def jobs(asked: JobsQuery) -> Any:
    """All background jobs of the school, newest first; they are kept for a month."""
    before = read_id(asked.cursor) if asked.cursor else None
    with school_session() as session:
        found = list_jobs(session, school_in_use().id, None, before, asked.limit + 1)
    last = write_id(found[-2].id) if len(found) > asked.limit else None
    return {"items": [_shape(job) for job in found[: asked.limit]], "next": next_address(last)}


@routes.get("/<job_id>")
@allow(*_ADMINS)
@routes.input(JobPath, location="path", arg_name="asked")
@routes.output(Job)
def job(job_id: str, asked: JobPath) -> Any:
    """One background job."""
    with school_session() as session:
        return _shape(read_job(session, school_in_use().id, asked.job_id, None))


@routes.post("/<job_id>/cancel")
@allow(*_ADMINS)
@routes.input(JobPath, location="path", arg_name="asked")
@routes.output(Job)
def cancel(job_id: str, asked: JobPath) -> Any:
    """End a job that has not ended yet; nothing of it is kept."""
    school_id = school_in_use().id
    with changing_session() as session:
        found = find_job(session, school_id, asked.job_id, None)
        end_job(session, found, actor(), datetime.now(UTC))
        session.refresh(found)
        return _shape(read_job(session, school_id, asked.job_id, None))


def _shape(job: JobReport) -> dict[str, Any]:
    message = str(gettext(job.message, **job.values)) if job.message else ""
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "made_by": job.made_by,
        "made_at": job.made_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "done": job.done,
        "total": job.total,
        "message": message,
        "file_name": job.file_name,
        "file_bytes": job.file_bytes,
        "file_rows": job.file_rows,
    }

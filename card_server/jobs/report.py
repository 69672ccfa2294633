"""What pages and programs read of jobs: one, a list, and what its maker has not seen yet."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.jobs.kinds import KINDS
from card_server.jobs.queue import RESULT_KEPT
from schema.tables.jobs import Job, JobState

_ENDED = (JobState.DONE, JobState.FAILED)
_MOST_NEWS = 9


@dataclass(frozen=True)
class JobReport:
    """One job; `message` is English, with %(…)s where `values` stand."""

    id: int
    kind: str
    parameters: Mapping[str, Any]
    state: JobState
    made_by: int
    made_by_name: str
    made_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    done: int
    total: int | None
    message: str
    values: Mapping[str, int | str]
    file_name: str | None
    media_type: str
    file_bytes: int
    file_rows: int | None
    is_news: bool
    """Whether it has ended and its maker has not seen that."""

    @property
    def is_open(self) -> bool:
        """Whether it waits or is being done."""
        return self.finished_at is None

    @property
    def can_cancel(self) -> bool:
        """Whether it may still be ended before its end."""
        kind = KINDS.get(self.kind)
        must_end = kind is not None and kind.must_end
        is_untouched = self.state is JobState.QUEUED and self.started_at is None
        return is_untouched if must_end else self.is_open

    def has_file(self, now: datetime) -> bool:
        """Whether its result can be taken: for a day."""
        return bool(self.file_name and self.finished_at and now < self.finished_at + RESULT_KEPT)


def list_jobs(
    session: Session, school_id: int, made_by: int | None, before: int | None, limit: int
) -> list[JobReport]:
    """A school's jobs, newest first; of one member of staff, or of all for None."""
    wanted = select(Job).where(Job.school_id == school_id)
    if made_by is not None:
        wanted = wanted.where(Job.made_by == made_by)
    if before is not None:
        wanted = wanted.where(Job.id < before)
    return [_report(job) for job in session.scalars(wanted.order_by(Job.id.desc()).limit(limit))]


def find_job(session: Session, school_id: int, job_id: int, made_by: int | None) -> Job:
    """One job's row. Raises AppError(NOT_FOUND), also for another's where `made_by` is given."""
    job = session.scalar(select(Job).where(Job.school_id == school_id, Job.id == job_id))
    if job is None or made_by not in (None, job.made_by):
        raise AppError(Code.NOT_FOUND, "There is no such job.")
    return job


def read_job(session: Session, school_id: int, job_id: int, made_by: int | None) -> JobReport:
    """One job. Raises AppError(NOT_FOUND), also for another's where `made_by` is given."""
    return _report(find_job(session, school_id, job_id, made_by))


def read_job_if_kept(session: Session, school_id: int, job_id: int | None) -> JobReport | None:
    """One job of a school; None when there is none, or it is so old that it is gone."""
    if job_id is None:
        return None
    job = session.scalar(select(Job).where(Job.school_id == school_id, Job.id == job_id))
    return _report(job) if job else None


def read_news(session: Session, school_id: int, made_by: int) -> list[JobReport]:
    """Somebody's jobs that have ended since they last looked, newest first."""
    found = session.scalars(
        select(Job)
        .where(
            Job.school_id == school_id,
            Job.made_by == made_by,
            Job.seen_at.is_(None),
            Job.state.in_(_ENDED),
        )
        .order_by(Job.id.desc())
        .limit(_MOST_NEWS)
    )
    return [_report(job) for job in found]


def note_seen(session: Session, job_ids: Collection[int], now: datetime) -> None:
    """Their maker has seen how these jobs ended."""
    unseen = update(Job).where(Job.id.in_(job_ids), Job.seen_at.is_(None))
    session.execute(unseen.values(seen_at=now))


def _report(job: Job) -> JobReport:
    return JobReport(
        job.id,
        job.kind,
        json.loads(job.parameters),
        job.state,
        job.made_by,
        job.made_by_name,
        job.made_at,
        job.started_at,
        job.finished_at,
        job.done,
        job.total,
        job.message,
        json.loads(job.message_values),
        job.file_name,
        job.media_type,
        job.file_bytes,
        job.file_rows,
        job.state in _ENDED and job.seen_at is None,
    )

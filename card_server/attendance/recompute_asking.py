"""What staff do to have days judged anew, on a page or by a program: try it out, look, apply it.

A try-out is a background job that changes nothing; another job then applies the very difference
that was seen, or nothing.
"""

from datetime import datetime

from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.recompute_job import DO, TRY_OUT, Trial, read_trial
from card_server.attendance.recompute_reach import Reach, check_reach, homerooms_of, write_reach
from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.jobs.pieces import read_pieces
from card_server.jobs.queue import Asker, ask_once
from card_server.jobs.report import JobReport, read_job
from card_server.school_time import day_of
from card_server.staff.sessions import SchoolInUse
from card_server.storage.sealing import Seal
from schema.tables.jobs import JobPart, JobState


def ask_trial(
    session: Session, asker: Asker, school: SchoolInUse, reach: Reach, now: datetime
) -> int:
    """Ask what would change; the job's id.

    Raises FieldsError for a time that cannot be, and AppError: NOT_FOUND for a grade or homeroom
    that is not there, CONFLICT for somebody with many jobs under way.
    """
    check_reach(reach, day_of(now, school.zone))
    homerooms_of(session, school.id, reach)
    return ask_once(session, asker, TRY_OUT, write_reach(reach), now)


def find_recomputation(session: Session, school_id: int, job_id: int) -> JobReport:
    """A try-out, or what was applied of one. Raises AppError(NOT_FOUND)."""
    job = read_job(session, school_id, job_id, None)
    if job.kind not in (TRY_OUT, DO):
        raise AppError(Code.NOT_FOUND, "There is no such job.")
    return job


def open_trial(reading: sessionmaker[Session], seal: Seal, job: JobReport) -> Trial | None:
    """What a try-out found; None before its end, and when it is not kept any more."""
    if job.kind != TRY_OUT or job.state is not JobState.DONE:
        return None
    body = b"".join(read_pieces(reading, seal, job.id, JobPart.RESULT))
    return read_trial(body) if body else None


def apply_trial(
    session: Session, asker: Asker, job: JobReport, trial: Trial | None, seen: str, now: datetime
) -> int:
    """Ask for the very changes that were `seen`; the job's id. Raises AppError(CONFLICT)."""
    if trial is None:
        raise AppError(Code.CONFLICT, _("Try out first what would change."))
    if seen != trial.seen:
        raise AppError(Code.CONFLICT, _("This is not what the try-out found. Look once more."))
    if trial.is_nothing:
        raise AppError(Code.CONFLICT, _("Nothing would change: there is nothing to apply."))
    days = {name: job.parameters[name] for name in _REACH if name in job.parameters}
    return ask_once(session, asker, DO, {**days, "seen": trial.seen, "trial": job.id}, now)


_REACH = ("from", "to", "grade", "homeroom")

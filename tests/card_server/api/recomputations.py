"""A try-out of judging days anew that has ended, for tests that need one to be there."""

import json

import msgspec
from sqlalchemy.orm import Session

from card_server.attendance.recompute_job import TRY_OUT, ChangedDay, Trial
from card_server.jobs.pieces import keep_piece
from schema.messages import utc_now
from schema.tables.jobs import Job, JobPart, JobState
from tests.card_server.web.small_school import SEAL, SmallSchool, add_job

DAYS = {"from": "2026-09-01", "to": "2026-09-02"}


def add_trial(session: Session, school: SmallSchool, login: str | None = None) -> int:
    """A try-out by which the first student's day would change: its `seen` is as-it-was."""
    id_ = add_job(session, school, login, JobState.DONE)
    job = session.get_one(Job, id_)
    job.kind, job.parameters, job.file_name = TRY_OUT, json.dumps(DAYS), None
    job.finished_at = utc_now()
    day = ChangedDay(school.students[0], job.made_at.date(), school.homerooms[0], ())
    trial = Trial("as-it-was", 1, 1, 1, 1, 1, (), ((school.homerooms[0], 1),), (day,))
    keep_piece(session, SEAL, id_, JobPart.RESULT, 0, msgspec.json.encode(trial))
    return id_

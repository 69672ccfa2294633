"""Whose turn it is: asking for a job, claiming one, and writing down how it went.

A claim holds a job as long as its lease, which each sign of progress renews. The job of a process
that died is claimed again, or fails where its kind may not begin anew.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.jobs.kinds import KINDS
from card_server.jobs.pieces import drop_pieces, keep_input
from card_server.jobs.protocol import Result
from card_server.storage.sealing import Seal
from schema.tables.jobs import Job, JobPart, JobPiece, JobState
from schema.tables.people import Language
from schema.tables.staff import Role

LEASE: Final = timedelta(minutes=1)
"""Much longer than any work between two signs of progress."""
TOKEN: Final = "token"  # noqa: S105 - the name of a parameter
"""The parameter that names the token by which a program asked."""
RESULT_KEPT: Final = timedelta(days=1)
ROW_KEPT: Final = timedelta(days=30)
_MOST_OPEN: Final = 5
"""Jobs that one person may have waiting or running."""
_MOST_ATTEMPTS: Final = 3
_OPEN: Final = (JobState.QUEUED, JobState.RUNNING)
_ANYTHING: Final = frozenset(JobPart)


@dataclass(frozen=True)
class Asker:
    """Who asks for a job: a member of staff, or a program with a token of theirs."""

    school_id: int
    actor: Actor
    staff_id: int
    name: str
    roles: frozenset[Role]
    """Those of the asker's roles that let them ask: the job can never do more."""
    language: Language
    token_id: int | None = None
    """The token that a program asks with: the job can never do more than that."""


class Claim(NamedTuple):
    """A job that this process, and no other, works on until its lease runs out."""

    job_id: int
    school_id: int
    kind: str
    lease: UUID
    parameters: Mapping[str, Any]
    language: Language
    made_by: int
    made_by_name: str
    roles: frozenset[Role]


def ask_for(
    session: Session,
    asker: Asker,
    kind: str,
    parameters: Mapping[str, Any],
    now: datetime,
    handed_in: tuple[Seal, bytes] | None = None,
) -> int:
    """The id of a new job. Raises AppError(CONFLICT) for somebody with many under way.

    `parameters` hold ids and choices, nothing about a person; a file goes with the job as
    `handed_in`, sealed.
    """
    own = and_(Job.made_by == asker.staff_id, Job.state.in_(_OPEN))
    if (session.scalar(select(func.count()).select_from(Job).where(own)) or 0) >= _MOST_OPEN:
        raise AppError(
            Code.CONFLICT,
            "You have five background jobs under way. Wait until one has ended, or cancel one.",
        )
    if kind not in KINDS:
        raise ValueError(f"{kind} is no kind of job")
    parameters = _with_token(asker, parameters)
    job = Job(
        school_id=asker.school_id,
        kind=kind,
        state=JobState.QUEUED,
        parameters=_write(parameters),
        language=asker.language,
        made_by=asker.staff_id,
        made_by_name=asker.name,
        made_as=_write_roles(asker.roles),
        made_at=now,
        changed_at=now,
    )
    session.add(job)
    session.flush()
    if handed_in:
        keep_input(session, handed_in[0], job.id, handed_in[1])
    details = {**parameters, "kind": kind}
    note(session, asker.school_id, asker.actor, "job.asked", f"job:{job.id}", details=details)
    return job.id


def find_alike(
    session: Session, asker: Asker, kind: str, parameters: Mapping[str, Any]
) -> int | None:
    """The asker's job that is under way and does the same; so that asking twice is asking once."""
    return session.scalar(
        select(Job.id).where(
            Job.school_id == asker.school_id,
            Job.made_by == asker.staff_id,
            Job.made_as == _write_roles(asker.roles),
            Job.state.in_(_OPEN),
            Job.kind == kind,
            Job.language == asker.language,
            Job.parameters == _write(_with_token(asker, parameters)),
        )
    )


def ask_once(
    session: Session, asker: Asker, kind: str, parameters: Mapping[str, Any], now: datetime
) -> int:
    """The asker's job that does this already, or a new one. Raises AppError(CONFLICT)."""
    known = find_alike(session, asker, kind, parameters)
    return known if known is not None else ask_for(session, asker, kind, parameters, now)


def cancel(session: Session, job: Job, actor: Actor, now: datetime) -> None:
    """End a job now; one that has ended stays as it is. What it has changed by then stays.

    Raises AppError(CONFLICT) for one that is being done and has to come to its end.
    """
    kind = KINDS.get(job.kind)
    must_end = kind is not None and kind.must_end
    # Of a process that was stopped half-way it waits as well, and has been begun.
    is_untouched = (Job.state == JobState.QUEUED) & Job.started_at.is_(None)
    ended = session.execute(
        update(Job)
        .where(Job.id == job.id, is_untouched if must_end else Job.state.in_(_OPEN))
        .values(
            state=JobState.CANCELLED,
            changed_at=now,
            finished_at=now,
            seen_at=now,
            lease=None,
            lease_until=None,
        )
        .returning(Job.id)
    ).one_or_none()
    if ended:
        drop_pieces(session, [job.id], *_ANYTHING)
        note(session, job.school_id, actor, "job.cancelled", f"job:{job.id}")
    elif must_end and session.scalar(select(Job.state).where(Job.id == job.id)) in _OPEN:
        raise AppError(
            Code.CONFLICT, _("This job is changing days already and goes on to its end.")
        )


def is_something_to_do(connection: Connection, now: datetime) -> bool:
    """Whether a claim would find anything; it only reads."""
    return bool(connection.scalar(select(exists().where(_is_free(now)))))


def claim(session: Session, worker: str, now: datetime) -> Claim | None:
    """The job that has waited longest, if one waits; others of dead processes fail on the way."""
    job = session.scalar(
        select(Job).where(_is_free(now)).order_by(Job.id).limit(1).with_for_update(skip_locked=True)
    )
    if job is None:
        return None
    drop_pieces(session, [job.id], JobPart.RESULT)
    kind = KINDS.get(job.kind)
    was_begun = job.state is JobState.RUNNING
    if kind is None or (was_begun and not kind.is_repeatable) or job.attempts >= _MOST_ATTEMPTS:
        _end(job, JobState.FAILED, _died(was_begun), now)
        drop_pieces(session, [job.id], JobPart.INPUT)
        return None
    job.state, job.done, job.total = JobState.RUNNING, 0, None
    job.attempts, job.worker = job.attempts + 1, worker[:60]
    job.lease, job.lease_until = uuid7(), now + LEASE
    job.started_at = job.changed_at = now
    return Claim(
        job.id,
        job.school_id,
        job.kind,
        job.lease,
        json.loads(job.parameters),
        job.language,
        job.made_by,
        job.made_by_name,
        frozenset(map(Role, job.made_as.split())),
    )


def renew(connection: Connection, held: Claim, done: int, total: int | None, now: datetime) -> bool:
    """Write down how far a job is; whether it is still this process's to do."""
    values = {"done": done, "total": total, "changed_at": now, "lease_until": now + LEASE}
    return connection.execute(update(Job).where(_is_held(held)).values(values)).rowcount > 0


def remember(session: Session, held: Claim, values: Mapping[str, int | str], now: datetime) -> bool:
    """Keep values among a job's parameters; False when it is not this process's any more."""
    job = _lock(session, held)
    if job is None:
        return False
    job.parameters, job.changed_at = _write({**held.parameters, **values}), now
    return True


def finish(session: Session, held: Claim, result: Result, file_bytes: int, now: datetime) -> bool:
    """The job ends well, unless it is not this process's any more: then False."""
    job = _lock(session, held)
    if job is None:
        return False
    if result.file:
        job.file_name, job.media_type = result.file.name[:160], result.file.media_type
        job.file_bytes, job.file_rows = file_bytes, result.file.rows
    job.done = job.total if job.total is not None else job.done
    _end(job, JobState.DONE, result, now)
    drop_pieces(session, [job.id], JobPart.INPUT)
    return True


def fail(session: Session, held: Claim, why: Result, now: datetime) -> None:
    """The job ends badly, unless it is not this process's any more."""
    job = _lock(session, held)
    if job is not None:
        _end(job, JobState.FAILED, why, now)
        drop_pieces(session, [job.id], *_ANYTHING)


def give_back(session: Session, held: Claim, now: datetime) -> None:
    """This process ends: the job waits for another one, or fails where it may not begin anew."""
    job = _lock(session, held)
    if job is None:
        return
    if KINDS[job.kind].is_repeatable:
        job.state, job.attempts = JobState.QUEUED, job.attempts - 1
        job.lease = job.lease_until = None
        job.changed_at = now
    else:
        fail(session, held, _died(was_begun=True), now)


def forget_old(session: Session, now: datetime) -> None:
    """Results go a day after the job's end, and the job itself after a month."""
    over = select(Job.id).where(Job.finished_at < now - RESULT_KEPT)
    session.execute(delete(JobPiece).where(JobPiece.job_id.in_(over)))
    session.execute(delete(Job).where(Job.finished_at < now - ROW_KEPT))


def _with_token(asker: Asker, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """A job remembers the token that it was asked with among its parameters (TOKEN)."""
    return parameters if asker.token_id is None else {**parameters, TOKEN: asker.token_id}


def _write(parameters: Mapping[str, Any]) -> str:
    return json.dumps(dict(parameters), sort_keys=True)


def _write_roles(roles: frozenset[Role]) -> str:
    return " ".join(sorted(roles))


def _is_free(now: datetime) -> Any:
    return or_(
        Job.state == JobState.QUEUED,
        and_(Job.state == JobState.RUNNING, Job.lease_until < now),
    )


def _is_held(held: Claim) -> Any:
    return and_(Job.id == held.job_id, Job.lease == held.lease, Job.state == JobState.RUNNING)


def _lock(session: Session, held: Claim) -> Job | None:
    return session.scalar(select(Job).where(_is_held(held)).with_for_update())


def _died(was_begun: bool) -> Result:
    if was_begun:
        return Result(_("The server was stopped while it did this. Begin again."))
    return Result(_("The server could not do this. Begin again, or tell whoever runs the server."))


def _end(job: Job, state: JobState, told: Result, now: datetime) -> None:
    job.state, job.finished_at, job.changed_at = state, now, now
    job.lease = job.lease_until = None
    job.message, job.message_values = told.message[:500], json.dumps(dict(told.values or {}))

"""Days are judged anew by a program: tried out, looked at, and applied as it was seen."""

from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import allow, changing_session, now, reading, school_in_use, school_session
from card_server.api import recompute_shapes as shapes
from card_server.api.bodies import named_in_body
from card_server.api.cursors import next_address, read_id, write_id
from card_server.api.people_routes import ADMINS, seal
from card_server.api.recompute_shapes import ChangedDaysQuery, RecomputationPath
from card_server.api.requests import language_in_use
from card_server.attendance import recompute_asking as asking
from card_server.attendance.recompute_job import DO, Trial
from card_server.attendance.recompute_reach import Reach, reach_of
from card_server.background import asker_in_use
from card_server.jobs.report import JobReport

routes = APIBlueprint("recompute", __name__, tag="Calendar", url_prefix="/recomputations")


@routes.post("")
@allow(*ADMINS)
@routes.input(shapes.NewTrial, arg_name="sent")
@routes.output(shapes.Recomputation, status_code=201)
def try_out(sent: shapes.NewTrial) -> Any:
    """Find out in the background what judging these days by the calendar of now would change.

    Nothing changes by that.
    """
    reach = Reach(sent.first, sent.last, sent.grade, sent.homeroom_id)
    asker = asker_in_use(language_in_use())
    with named_in_body(), changing_session() as session:
        job_id = asking.ask_trial(session, asker, school_in_use(), reach, now())
        return _show(_find(session, job_id), None)


@routes.get("/<recomputation_id>")
@allow(*ADMINS)
@routes.input(RecomputationPath, location="path", arg_name="asked")
@routes.output(shapes.Recomputation)
def one(recomputation_id: str, asked: RecomputationPath) -> Any:
    """How far a try-out is and what it found, or what came of applying it."""
    return _show(*_read(asked))


@routes.get("/<recomputation_id>/days")
@allow(*ADMINS)
@routes.input(RecomputationPath, location="path", arg_name="asked")
@routes.input(ChangedDaysQuery, location="query", arg_name="part")
@routes.output(shapes.ChangedDays)
def days(recomputation_id: str, asked: RecomputationPath, part: ChangedDaysQuery) -> Any:
    """The students' days that would change."""
    _job, trial = _read(asked)
    rows = trial.days if trial else ()
    first = read_id(part.cursor)
    last = first + part.limit
    return {
        "seen": trial.seen if trial else None,
        "items": [msgspec.to_builtins(one) for one in rows[first:last]],
        "next": next_address(write_id(last) if last < len(rows) else None),
    }


@routes.post("/<recomputation_id>/apply")
@allow(*ADMINS)
@routes.input(RecomputationPath, location="path", arg_name="asked")
@routes.input(shapes.SeenDifference, arg_name="sent")
@routes.output(shapes.Recomputation, status_code=201)
def apply(recomputation_id: str, asked: RecomputationPath, sent: shapes.SeenDifference) -> Any:
    """Apply what a try-out found, in the background, unless it is something else by then.

    No message is sent for what changes.
    """
    job, trial = _read(asked)
    asker = asker_in_use(language_in_use())
    with changing_session() as session:
        job_id = asking.apply_trial(session, asker, job, trial, sent.seen, now())
        return _show(_find(session, job_id), None)


def _read(asked: RecomputationPath) -> tuple[JobReport, Trial | None]:
    with school_session() as session:
        job = _find(session, asked.recomputation_id)
    return job, asking.open_trial(reading(), seal(), job)


def _find(session: Session, job_id: int) -> JobReport:
    return asking.find_recomputation(session, school_in_use().id, job_id)


def _show(job: JobReport, trial: Trial | None) -> dict[str, Any]:
    message = str(gettext(job.message, **job.values)) if job.message else ""
    return {
        **reach_of(job.parameters)._asdict(),
        "id": job.id,
        "kind": "apply" if job.kind == DO else "try_out",
        "state": job.state,
        "made_at": job.made_at,
        "finished_at": job.finished_at,
        "message": message,
        "difference": _difference(trial) if trial else None,
    }


def _difference(trial: Trial) -> dict[str, Any]:
    homerooms = [{"homeroom_id": id_, "changed_days": days_} for id_, days_ in trial.homerooms]
    found = msgspec.structs.asdict(trial)
    return {**found, "homerooms": homerooms}

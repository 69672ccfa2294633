"""The background jobs of recomputing: trying out what would change, and doing just that."""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy.orm import Session

from card_server.attendance.plans import PlanKey, read_school
from card_server.attendance.recompute import Looked, Recomputing
from card_server.attendance.recompute_reach import homerooms_of, reach_of, write_reach
from card_server.attendance.recomputed import Changed, Recomputed, moved_sessions
from card_server.audit.writing import note
from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.jobs.protocol import Progress, Result, RunningJob, Sessions
from schema.messages import utc_now
from schema.tables.attendance import SessionStatus

TRY_OUT: Final = "recompute_trial"
DO: Final = "recompute"
_BEGUN: Final = "begun"
"""The parameter of a job whose new plans are kept: from then on it goes to its end."""


class MovedSession(Struct, frozen=True):
    """A session whose status is another; None where there is no such session."""

    position: int
    name: str
    before: SessionStatus | None
    after: SessionStatus | None


class ChangedDay(Struct, frozen=True):
    """A student's day that would change."""

    student_id: int
    day: date
    homeroom_id: int
    sessions: tuple[MovedSession, ...]
    """None: minutes or findings alone would differ."""


class StatusChange(Struct, frozen=True):
    """How many sessions would turn from one status to another."""

    before: SessionStatus | None
    after: SessionStatus | None
    sessions: int


class Trial(Struct, frozen=True):
    """What a try-out found; nobody's name is in it."""

    seen: str
    """What tells this difference from another."""
    students: int
    """Who was looked at."""
    changed_days: int
    changed_students: int
    same_status: int
    """Changed days of which minutes or findings alone differ."""
    differing: int
    """Homerooms' days that calendar and timetables say otherwise now than when they began."""
    statuses: tuple[StatusChange, ...]
    homerooms: tuple[tuple[int, int], ...]
    """Changed days by homeroom."""
    days: tuple[ChangedDay, ...]
    """The first of them; all are counted."""

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not self.changed_days and not self.differing


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Trial)


def read_trial(body: bytes) -> Trial:
    """What a try-out kept."""
    return _DECODER.decode(body)


def describe(parameters: Mapping[str, Any]) -> str:
    """Which days."""
    reach = reach_of(parameters)
    same = reach.first == reach.last
    return str(reach.first) if same else f"{reach.first} – {reach.last}"


def try_out(sessions: Sessions, job: RunningJob, progress: Progress) -> Result:
    """Find what would change, and keep that for its pages; nothing else is written."""
    doing = _recomputing(sessions, job, by_new_calendar=True)
    looked, found = doing.look(), doing.try_out(progress)
    progress.keep(_ENCODER.encode(_make_trial(looked, found)))
    numbers: dict[str, int | str] = {
        "days": found.changed,
        "students": len(found.changed_students),
    }
    return Result(_WOULD_CHANGE if found.changed else _NOTHING, numbers)


def recompute(sessions: Sessions, job: RunningJob, progress: Progress) -> Result:
    """Judge anew what was shown, or nothing. Raises AppError(CONFLICT) when it is another by now.

    What began before the server was stopped is gone on with, by the plans that are kept since.
    """
    if _BEGUN in job.parameters:
        done = _recomputing(sessions, job, by_new_calendar=False).do(progress)
    else:
        done = _do_as_seen(sessions, job, progress)
    with sessions.writing.begin() as session:
        _note(session, job, "attendance.recomputed", done.changed, done.counts_mended)
        numbers: dict[str, int | str] = {
            "days": done.changed,
            "students": len(done.changed_students),
        }
        result = Result(_CHANGED, numbers)
        progress.settle(session, result)
    return result


def _do_as_seen(sessions: Sessions, job: RunningJob, progress: Progress) -> Recomputed:
    doing = _recomputing(sessions, job, by_new_calendar=True)
    before = doing.try_out(lambda done, total: progress(done, 2 * total))

    def begin(session: Session, looked: Looked) -> None:
        if _seen(looked, before) != job.parameters["seen"]:
            raise AppError(Code.CONFLICT, _OUTDATED)
        _note(session, job, "attendance.recompute_begun", before.changed)
        progress.remember(session, **{_BEGUN: 1})

    return doing.do(lambda done, total: progress(total + done, 2 * total), begin)


_WOULD_CHANGE = _("%(days)s days of %(students)s students would change. Nothing has changed yet.")
_NOTHING = _("No student's day would change.")
_CHANGED = _("Judged anew: %(days)s days of %(students)s students have changed.")
_OUTDATED = _(
    "The days are not what they were when you looked: nothing was changed. Try it out once more."
)


def _recomputing(sessions: Sessions, job: RunningJob, *, by_new_calendar: bool) -> Recomputing:
    """In sessions that may write: judging locks students, and a trial takes it all back."""
    reach = reach_of(job.parameters)
    with sessions.reading() as session:
        school = read_school(session, job.school.id)
        homerooms = homerooms_of(session, job.school.id, reach)
    return Recomputing(
        sessions.writing,
        school,
        reach.first,
        reach.last,
        utc_now(),
        by_new_calendar=by_new_calendar,
        homerooms=homerooms,
    )


def _note(session: Session, job: RunningJob, action: str, changed: int, counts: int = 0) -> None:
    numbers = {"new_calendar": True, "changed": changed, "counts": counts, "job": job.id}
    details = write_reach(reach_of(job.parameters)) | numbers
    note(session, job.school.id, job.actor, action, f"school:{job.school.id}", details=details)


def _seen(looked: Looked, found: Recomputed) -> str:
    return hashlib.sha256(f"{looked.seen} {found.seen}".encode()).hexdigest()


def _make_trial(looked: Looked, found: Recomputed) -> Trial:
    statuses = sorted(found.by_status.items(), key=lambda item: (-item[1], str(item[0])))
    return Trial(
        seen=_seen(looked, found),
        students=found.students,
        changed_days=found.changed,
        changed_students=len(found.changed_students),
        same_status=found.same_status,
        differing=looked.differing,
        statuses=tuple(StatusChange(*which, number) for which, number in statuses),
        homerooms=tuple(sorted(found.by_homeroom.items())),
        days=tuple(_show(looked, one) for one in found.listed),
    )


def _show(looked: Looked, one: Changed) -> ChangedDay:
    key = PlanKey(one.after.school_id, one.day, one.homeroom_id)
    moved = (
        MovedSession(move.position, looked.name_of(key, move.position), move.before, move.after)
        for move in moved_sessions(one)
    )
    return ChangedDay(one.student_id, one.day, one.homeroom_id, tuple(moved))

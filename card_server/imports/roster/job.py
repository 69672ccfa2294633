"""The background jobs of rosters: comparing a file with the school, and importing it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy.orm import Session, sessionmaker

from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.imports.roster import pull
from card_server.imports.roster.apply import Importing
from card_server.imports.roster.facts import read_file
from card_server.imports.roster.importing import Consent, digest_of, import_roster, preview
from card_server.imports.roster.staging import find_import, finish, keep_view, open_file, stage
from card_server.imports.roster.view import make_view
from card_server.jobs.protocol import Progress, Result, RunningJob, Sessions
from card_server.school_time import day_of
from card_server.staff.scope import narrow
from schema.messages import utc_now
from schema.tables.roster import RosterSource

CHECK = "roster_check"
IMPORT = "roster_import"
FETCH = "roster_fetch"
_STEPS = 10


def check_roster(sessions: Sessions, job: RunningJob, progress: Progress) -> Result:
    """Read a file, compare it with the school, and keep the difference for its pages."""
    now, import_id = utc_now(), int(job.parameters["import"])
    with _narrowed(sessions.reading, job) as session:
        row = find_import(session, job.school.id, import_id)
        said, file = row.choices_sealed, open_file(row, job.seal)
        progress(1, _STEPS)
        reading = read_file(session, job.school.id, file, day_of(now, job.school.zone), job.seal)
        progress(6, _STEPS)
        difference = preview(session, _importing(job, now), reading.roster)
        progress(8, _STEPS)
        view, digest = make_view(reading, difference), digest_of(difference, job.seal)
    with _narrowed(sessions.writing, job) as session:
        row = find_import(session, job.school.id, import_id, lock=True)
        if row.choices_sealed == said:
            keep_view(row, view, digest, job.seal)
        result = Result(_("The file has been compared with the school."))
        progress.settle(session, result)
        session.commit()
    return result


def do_import(sessions: Sessions, job: RunningJob, progress: Progress) -> Result:
    """Import what was shown, all of it or nothing. Raises AppError for what may not be."""
    now, import_id = utc_now(), int(job.parameters["import"])
    with _narrowed(sessions.reading, job) as session:
        row = find_import(session, job.school.id, import_id)
        file = open_file(row, job.seal)
        progress(0, _STEPS)
        # Outside the transaction that writes: on SQLite nobody else could write meanwhile.
        reading = read_file(session, job.school.id, file, day_of(now, job.school.zone), job.seal)
    progress(2, _STEPS)
    with _narrowed(sessions.writing, job) as session:
        row = find_import(session, job.school.id, import_id, lock=True)
        if row.body_sealed is None or row.digest is None:
            raise AppError(Code.CONFLICT, _LOOK_FIRST)
        consent = Consent(row.digest, bool(job.parameters["yes"]))
        about = {"import": row.id, "file": row.file_name, "sha256": row.file_hash}
        counts = import_roster(
            session,
            _importing(job, now),
            reading.roster,
            consent,
            about,
            lambda done, _total: progress(2 + done, _STEPS),
        )
        finish(row, counts, now)
        result = Result(_NOTHING)
        if not counts.is_nothing:
            numbers: dict[str, int | str] = {
                "new": counts.new,
                "changed": counts.changed,
                "gone": counts.gone,
                "unchanged": counts.unchanged,
            }
            result = Result(_CHANGED, numbers)
        progress.settle(session, result)
        session.commit()
    return result


def fetch_roster(sessions: Sessions, job: RunningJob, progress: Progress) -> Result:
    """Fetch the school's roster from its service, and put it beside the files handed in."""
    with _narrowed(sessions.reading, job) as session:
        access, options = pull.find_access(session, job.school.id, job.seal)
    progress(1, _STEPS)
    body, now = pull.fetch(access, options), utc_now()
    progress(9, _STEPS)
    with _narrowed(sessions.writing, job) as session:
        name, source = f"OneRoster {day_of(now, job.school.zone)}", RosterSource.FETCHED
        stage(session, job.school.id, job.actor.name, name, body, now, job.seal, source)
        service = pull.find_service(session, job.school.id)
        if service is not None:
            service.fetched_at = now
        result = Result(_("The roster has been fetched. Look at the difference under Roster."))
        progress.settle(session, result)
        session.commit()
    return result


_LOOK_FIRST = _(
    "This file has not been compared with the school yet. Look at the difference first."
)
_NOTHING = _("Nothing changed: the school is as the roster says.")
_CHANGED = _(
    "Imported: %(new)s new, %(changed)s changed, %(gone)s not named any more, "
    "%(unchanged)s as before."
)


def _importing(job: RunningJob, now: datetime) -> Importing:
    return Importing(job.school.id, job.school.zone, job.actor, now, job.seal)


@contextmanager
def _narrowed(sessions: sessionmaker[Session], job: RunningJob) -> Iterator[Session]:
    with sessions() as session:
        narrow(session, job.school.id, job.grants)
        yield session

"""The job "export": a list of any length as a file, whole, as it stood at one moment."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.exports.files import MEDIA_TYPES, Cell, Export, Row, Sheet, name_file, write_file
from card_server.exports.lists import ExportList, Filters
from card_server.exports.registry import LISTS
from card_server.exports.speaking import speaking
from card_server.field_errors import marked as _
from card_server.jobs.protocol import File, Progress, Result, RunningJob, Sessions
from card_server.staff.scope import narrow
from card_server.staff.sessions import SchoolInUse
from schema.messages import utc_now

MOST_BYTES: Final = 500 * 1000 * 1000
_SAY_EACH: Final = 200


def parameters_of(kind: Export, listed: ExportList, filters: Filters) -> dict[str, Any]:
    """What a job needs to know to write this list."""
    return {"list": listed.name, "format": kind.value, "filters": dict(filters)}


def describe_export(parameters: Mapping[str, Any]) -> str:
    """Which list, in the language of the page: "Taps, CSV"."""
    listed = LISTS.get(parameters["list"])
    title = str(listed.title) if listed else parameters["list"]
    written = _FORMATS[Export(parameters["format"])]
    return str(gettext("%(title)s, %(format)s", title=title, format=written))


_FORMATS = {Export.XLSX: "Excel", Export.CSV: "CSV"}


def write_export(sessions: Sessions, job: RunningJob, progress: Progress) -> Result:
    """Write the list that the parameters name. Raises AppError(INVALID) when it is too much."""
    kind, listed = Export(job.parameters["format"]), LISTS[job.parameters["list"]]
    filters: Filters = job.parameters["filters"]
    with speaking(job.language), _snapshot(sessions, job) as session:
        total = listed.count(session, job.school, filters)
        tally = _Tally(progress, total)
        now = utc_now()
        rows = tally.over(listed.read(session, job.school, filters))
        sheet = make_sheet(listed, job.school, filters, rows, lambda: tally.rows, now)
        written = 0
        for body in write_file(kind, sheet):
            written += len(body)
            if written > MOST_BYTES:
                raise AppError(Code.INVALID, _TOO_MUCH)
            progress.keep(body)
        progress(tally.rows, tally.rows)
    name = name_file(kind, sheet, now.astimezone(job.school.zone).date())
    message = _("The file is ready and holds all %(rows)s rows.")
    return Result(message, {"rows": tally.rows}, File(name, MEDIA_TYPES[kind], tally.rows))


_TOO_MUCH = _(
    "The file would have more than 500 MB. Choose fewer rows by a filter, and begin again."
)


def make_sheet(
    listed: ExportList,
    school: SchoolInUse,
    filters: Filters,
    rows: Iterable[Row],
    count: Callable[[], int],
    now: datetime,
) -> Sheet:
    """The list with its heads, and what it says of itself; `count` is asked after the last row."""
    heads = [str(head) for head in listed.heads]
    about = _about(listed, school, filters, count, now)
    return Sheet(listed.name, heads, rows, school.zone, filters, about)


def _about(
    listed: ExportList,
    school: SchoolInUse,
    filters: Filters,
    count: Callable[[], int],
    now: datetime,
) -> Iterator[tuple[str, Cell]]:
    yield gettext("List"), str(listed.title)
    yield gettext("School"), school.name
    yield gettext("Written"), now
    yield from listed.describe(school, filters)
    yield gettext("Rows"), count()


@contextmanager
def _snapshot(sessions: Sessions, job: RunningJob) -> Iterator[Session]:
    """What the maker may see, all of it as of one moment: a row that changes is not missed."""
    with sessions.reading() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        narrow(session, job.school.id, job.grants)
        yield session


class _Tally:
    """Counts rows on their way into a file, and says how far they are."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.rows = 0
        self._progress = progress
        self._total = total

    def over(self, rows: Iterable[Row]) -> Iterator[Row]:
        self._progress(0, self._total)
        for row in rows:
            yield row
            self.rows += 1
            if self.rows % _SAY_EACH == 0:
                self._progress(min(self.rows, self._total), self._total)

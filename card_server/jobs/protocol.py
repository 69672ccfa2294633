"""What a kind of job is: a function that gets its job, works, and says how far it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any, NamedTuple, Protocol

from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import Actor
from card_server.staff.scope import Grant
from card_server.staff.sessions import SchoolInUse
from card_server.storage.sealing import Seal
from schema.tables.people import Language


class Sessions(NamedTuple):
    """The makers of sessions; `reading` does not wait for whoever writes, not on SQLite either."""

    reading: sessionmaker[Session]
    writing: sessionmaker[Session]


@dataclass(frozen=True)
class RunningJob:
    """The job, as its function needs to know it."""

    id: int
    school: SchoolInUse
    """Its id is 0 for what belongs to the district and to no school."""
    parameters: Mapping[str, Any]
    language: Language
    """In which the result is to be written."""
    actor: Actor
    """Who asked for it: whom the audit log names for what the job does."""
    grants: tuple[Grant, ...]
    """What its maker may do today, of the roles by which they asked: give it to `narrow`."""
    open_input: Callable[[], IO[bytes]]
    """What was handed in with the job, as a file of its own on disk when it is long."""
    seal: Seal
    """For the personal numbers that it reads and writes."""


class File(NamedTuple):
    """What the result's file is called; its bytes were given to `Progress.keep`."""

    name: str
    media_type: str
    rows: int | None = None


@dataclass(frozen=True)
class Result:
    """What came of a job."""

    message: str = ""
    """One sentence in English, `marked` for translation, with %(…)s where values stand."""
    values: Mapping[str, int | str] | None = None
    """These values: numbers, ids and words; nothing about a person."""
    file: File | None = None


class Progress(Protocol):
    """How a job says how far it is, and hands over what it makes."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """Say how much of how much is done: as often as you like, it is written now and then.

        Raises StoppedError when the job is to end here: let it pass.
        """

    def keep(self, body: bytes) -> None:
        """Append bytes to the result's file."""

    def remember(self, session: Session, **values: int | str) -> None:
        """Keep values among the job's parameters, in the transaction that changes the school.

        A job that changes it in several transactions finds there how far it was when it begins
        anew. Raises StoppedError when the job is not this process's any more: let it pass.
        """

    def settle(self, session: Session, result: Result) -> None:
        """End the job well in the transaction that changes the school: both, or neither.

        Call it last before the commit. Raises StoppedError when the job is not to end well any
        more: let it pass, so that the transaction is rolled back.
        """


class StoppedError(Exception):
    """The job was cancelled, or this process ends, or another process has taken it over."""


class Kind(NamedTuple):
    """One kind of job."""

    run: Callable[[Sessions, RunningJob, Progress], Result]
    """Does it. An AppError fails it with that sentence; `settle` has ended it already."""
    title: str
    """What people call it: in English, `marked` for translation."""
    is_repeatable: bool
    """Whether it may begin anew after the process that did it has died half-way."""
    describe: Callable[[Mapping[str, Any]], str] = lambda _: ""
    """What one job of this kind is about, by its parameters, in the language of the page."""
    must_end: bool = False
    """Whether nobody may cancel it once it is being done: half of it would be wrong."""

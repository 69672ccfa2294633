"""The hub behind live pages: one thread looks for changes and wakes whoever watches a school."""

import logging
import threading
from types import TracebackType

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from card_server.reports.changes import Change, Watch

_LOOK_EACH_S = 0.3
_AFTER_ERROR_S = 2.0
_log = logging.getLogger(__name__)


class Stream:
    """One live page. What changed twice before it was taken is told once."""

    def __init__(self, hub: "Hub", school_id: int) -> None:
        self.school_id = school_id
        self.is_new = True
        """Until the first look: what changed since the page was made, nobody knows."""
        self._hub = hub
        self._woken = threading.Condition()
        self._changes: set[Change] = set()

    def wake(self, changes: set[Change]) -> None:
        with self._woken:
            self._changes |= changes
            self._woken.notify()

    def wait(self, seconds: float) -> set[Change]:
        """What changed; an empty set when nothing did for so long, or the hub closed."""
        with self._woken:
            if not self._changes and not self._hub.is_closed:
                self._woken.wait(seconds)
            changes, self._changes = self._changes, set()
            return changes

    def __enter__(self) -> "Stream":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hub.leave(self)


class Hub:
    """All live pages of one process, `most` at once; its thread starts with the first page."""

    def __init__(self, engine: Engine, most: int) -> None:
        self._engine = engine.execution_options(read_only=True)
        self._most = most
        self._lock = threading.Lock()
        self._streams: set[Stream] = set()
        self._watches: dict[int, Watch] = {}
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    @property
    def is_closed(self) -> bool:
        return self._closing.is_set()

    def join(self, school_id: int) -> Stream | None:
        """A stream of one school's changes; None when there are too many already."""
        with self._lock:
            if len(self._streams) >= self._most or self.is_closed:
                return None
            stream = Stream(self, school_id)
            self._streams.add(stream)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                self._thread.start()
            return stream

    def leave(self, stream: Stream) -> None:
        """The page is gone."""
        with self._lock:
            self._streams.discard(stream)

    def close(self) -> None:
        """End all streams and the thread."""
        self._closing.set()
        with self._lock:
            streams, thread = list(self._streams), self._thread
        for stream in streams:
            stream.wake(set())
        if thread:
            thread.join()

    def _run(self) -> None:
        was_wrong = False
        while not self._closing.wait(_AFTER_ERROR_S if was_wrong else _LOOK_EACH_S):
            try:
                self._look()
            except SQLAlchemyError as error:
                if not was_wrong:
                    _log.warning("live pages wait: %s", type(error).__name__)
                was_wrong = True
            else:
                was_wrong = False

    def _look(self) -> None:
        """One look at each school that somebody watches."""
        with self._lock:
            streams = list(self._streams)
        schools = {stream.school_id for stream in streams}
        self._watches = {school: self._watches.get(school) or Watch(school) for school in schools}
        if not schools:
            return
        with self._engine.connect() as connection:
            changes = {school: watch.look(connection) for school, watch in self._watches.items()}
        for stream in streams:
            found = set(Change) if stream.is_new else changes[stream.school_id]
            stream.is_new = False
            if found:
                stream.wake(found)

"""Delivering events: a loop that claims webhooks, and a few threads that post to them.

No transaction is open while a receiver is asked. An event is sent at least once: whoever dies
between a receiver's answer and its record leaves a lease that runs out, and the event goes again
under the id that it had.
"""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from card_server.errors import AppError
from card_server.figures import notify as figures
from card_server.storage.database import open_sessions
from card_server.storage.sealing import Seal
from card_server.webhooks.post import Answer, Line, NoAnswerError, Rules, open_line
from card_server.webhooks.queue import (
    Claim,
    Tried,
    Waiting,
    claim,
    forget_old,
    give_up_old,
    is_something_to_do,
    record,
    release,
)
from card_server.webhooks.signing import sign
from schema.messages import utc_now
from schema.tables.webhooks import Trouble

THREADS: Final = 8
POLL_S: Final = 0.2
_TURN_S: Final = 5.0
"""After so long another webhook may have the thread."""
_DATABASE_RETRY_S: Final = 0.5
_TIDY_EACH: Final = timedelta(hours=1)
_DATABASE_GONE = (OperationalError, InterfaceError)


_log = structlog.get_logger()


class Deliverer:
    """One process's deliveries."""

    def __init__(self, engine: Engine, seal: Seal, rules: Rules) -> None:
        self._engine = engine
        self._sessions = open_sessions(engine)
        self._seal = seal
        self._rules = rules
        self._stop = threading.Event()
        self._is_free = threading.Event()
        self._tidy_at = utc_now()

    def work(self, stop: threading.Event) -> None:
        """Until `stop`; then waits for the receivers that are being asked."""
        self._stop = stop
        serving: set[Future[None]] = set()
        with ThreadPoolExecutor(THREADS, "webhook") as pool:
            while not stop.is_set():
                self._is_free.clear()
                done = {future for future in serving if future.done()}
                for future in done:
                    future.result()
                serving -= done
                claims = self._claim_what_is_due(THREADS - len(serving))
                for held in claims:
                    future = pool.submit(self._serve, held)
                    future.add_done_callback(lambda _: self._is_free.set())
                    serving.add(future)
                if not claims:
                    self._is_free.wait(POLL_S)

    def _claim_what_is_due(self, most: int) -> list[Claim]:
        """Nothing, too, while the database is away."""
        try:
            self._tidy()
            with self._engine.connect().execution_options(read_only=True) as connection:
                if most == 0 or not is_something_to_do(connection, utc_now()):
                    return []
            with self._sessions.begin() as session:
                now = utc_now()
                figures.EVENTS.labels("given up").inc(give_up_old(session, now))
                return claim(session, now, most)
        except _DATABASE_GONE as error:
            _log.warning("database away", error=type(error).__name__)
            self._stop.wait(_DATABASE_RETRY_S)
            return []

    def _tidy(self) -> None:
        """Forget old events, each hour some at a time."""
        now = utc_now()
        if now < self._tidy_at:
            return
        with self._sessions.begin() as session:
            has_more = forget_old(session, now) > 0
        self._tidy_at = now if has_more else now + _TIDY_EACH

    def _serve(self, held: Claim) -> None:
        """Send a webhook its events, one after the other, until one fails or its turn is over."""
        until = time.monotonic() + _TURN_S
        try:
            secret = self._seal.open(held.secret_sealed)
        except AppError:
            self._record(held, Tried(held.events[0], None, Trouble.SEALED))
            return
        try:
            with open_line(held.url, self._rules) as line:
                for event in held.events:
                    if not self._record(held, _try(line, held, event, secret)):
                        return
                    if self._stop.is_set() or time.monotonic() > until:
                        break
        except AppError:
            # The settings have changed: they do not allow this URL any more.
            self._record(held, Tried(held.events[0], None, Trouble.PRIVATE))
            return
        self._release(held)

    def _record(self, held: Claim, tried: Tried) -> bool:
        """Whether the next event may be sent; not while the database is away."""
        outcome = "failed" if tried.trouble else "delivered"
        figures.EVENTS.labels(outcome).inc()
        _log.info(
            "webhook tried",
            webhook_id=held.webhook_id,
            event_id=str(tried.event.id),
            attempt=tried.event.attempts + 1,
            status=tried.answer.status if tried.answer else None,
            trouble=tried.trouble and tried.trouble.value,
        )
        try:
            with self._sessions.begin() as session:
                return record(session, held, tried, utc_now(), random.random())  # noqa: S311
        except _DATABASE_GONE as error:
            # The lease runs out, and the event goes again: its receiver knows it by its id.
            _log.warning("a delivery is not recorded", error=type(error).__name__)
            return False

    def _release(self, held: Claim) -> None:
        try:
            with self._sessions.begin() as session:
                release(session, held)
        except _DATABASE_GONE as error:
            _log.warning("a webhook is not released", error=type(error).__name__)


@contextmanager
def delivering(deliverer: Deliverer, stop: threading.Event) -> Iterator[None]:
    """Deliver on a thread of its own while the block runs; if either ends, `stop` is set."""

    def work() -> None:
        try:
            deliverer.work(stop)
        finally:
            stop.set()

    with ThreadPoolExecutor(1, "webhooks") as pool:
        working = pool.submit(work)
        try:
            yield
        finally:
            stop.set()
        working.result()


def _try(line: Line, held: Claim, event: Waiting, secret: str) -> Tried:
    body = event.body.encode()
    started = time.monotonic()
    try:
        answer = line.post(sign(secret, str(event.id), utc_now(), body), body)
    except NoAnswerError as error:
        return Tried(event, None, error.trouble)
    except Exception:
        # One receiver's oddities must not end the process that sends messages to parents.
        _log.exception("a webhook's program failed", webhook_id=held.webhook_id)
        return Tried(event, None, Trouble.FAULT)
    finally:
        figures.RECEIVER.observe(time.monotonic() - started)
    return Tried(event, answer, _trouble_with(answer))


def _trouble_with(answer: Answer) -> Trouble | None:
    """What is wrong with an answer; None when the event was taken."""
    if 200 <= answer.status < 300:
        return None
    return Trouble.REDIRECT if 300 <= answer.status < 400 else Trouble.ANSWER

"""The notifier: takes due messages, sends them outside any transaction, records each outcome.

A message is taken (`sending`, with a lease) and that is committed before the carrier is called.
From there it goes back to `queued` only by a notifier that knows that the carrier did not take
it. Whoever dies in between leaves a lease that runs out, and the message ends as `unknown`: its
carrier is asked about it before anything is sent again.
"""

import random
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from card_server.audit.details import seal_details
from card_server.carriers import build_carriers
from card_server.config import Settings
from card_server.figures import notify as figures
from card_server.health import check_database, serve_health
from card_server.sending.choosing import Carriers
from card_server.sending.claiming import (
    Claim,
    Taken,
    Waiting,
    claim_due,
    give_up_lost,
    look_for_work,
)
from card_server.sending.handing_over import hand_over
from card_server.sending.looking_up import (
    LookUp,
    ask,
    settle,
    take_unclear,
)
from card_server.sending.outcomes import Tried, record
from card_server.sending.write_down import write_down
from card_server.storage.database import open_engine
from card_server.storage.sealing import Seal
from card_server.storage.single import claim_role
from card_server.webhooks.deliver import Deliverer, delivering
from card_server.webhooks.post import Rules
from integrations.sms.protocol import Report
from schema.messages import utc_now

THREADS: Final = 32
"""Calls to carriers at once: a carrier takes 50 to 500 ms for one message."""
POLL_S: Final = 0.2
_LOOK_UPS_AT_ONCE: Final = 4
_DATABASE_RETRY_S: Final = 0.5
_RECORDING_AT_STOP_S: Final = 10.0
_DATABASE_GONE = (OperationalError, InterfaceError)


_log = structlog.get_logger()


def run(settings: Settings, stop: threading.Event) -> None:
    """Send what is due until `stop`: messages, and beside them events to webhooks.

    Raises AppError: INVALID for a carrier that cannot work, CONFLICT on SQLite for a second
    notifier.
    """
    engine = seal_details(open_engine(settings.database_url), settings.data_key)
    seal = Seal(settings.data_key)
    notifier = Notifier(engine, Carriers(build_carriers(settings), utc_now), seal)
    rules = Rules(settings.webhook_allow_private, settings.webhook_ca)
    deliverer = Deliverer(engine, seal, rules)
    checks = {"database": check_database(engine), "carrier": notifier.carriers.trouble}
    try:
        with claim_role(engine, "notify"):
            health = serve_health(settings.notify_health_port, checks)
            try:
                with delivering(deliverer, stop):
                    notifier.work(stop)
            finally:
                health.shutdown()
                health.server_close()
    finally:
        engine.dispose()


class Notifier:
    """One process's sending: a loop that takes and records, and threads that call carriers."""

    def __init__(self, engine: Engine, carriers: Carriers, seal: Seal) -> None:
        self.carriers = carriers
        self._engine = engine
        self._seal = seal
        self._stop = threading.Event()
        self._sending: set[Future[Tried]] = set()
        self._asking: set[Future[None]] = set()
        self._unrecorded: list[Tried] = []

    def work(self, stop: threading.Event) -> None:
        """Until `stop`; then waits for the calls that are under way, and records them."""
        self._stop = stop
        with ThreadPoolExecutor(THREADS, "sms") as pool:
            while not stop.is_set():
                self._collect()
                if self._round(pool):
                    continue
                if self._sending:
                    wait(self._sending, POLL_S, FIRST_COMPLETED)
                else:
                    stop.wait(POLL_S)
        self._record_at_the_end()

    def _collect(self) -> None:
        """Take over what the threads have finished. Raises what was a fault of ours."""
        done = {one for one in self._sending if one.done()}
        self._sending -= done
        self._unrecorded += [one.result() for one in done]
        asked = {one for one in self._asking if one.done()}
        self._asking -= asked
        for one in asked:
            one.result()

    def _round(self, pool: ThreadPoolExecutor) -> bool:
        """Record what is finished, hand over what is due, ask about what is unclear.

        Whether more is due that need not wait for a free thread. Nothing is done while the
        database is away.
        """
        most = THREADS - len(self._sending)
        try:
            self._record()
            waiting = self._look()
            claims, judged = self._take(waiting, most)
            # Before anything else may fail: what is taken and not handed over ends as unknown.
            self._sending |= {pool.submit(self._deliver, claim) for claim in claims}
            if waiting.is_unclear and not self._asking:
                self._ask_about_unclear(pool)
        except _DATABASE_GONE as error:
            _log.warning("database away", error=type(error).__name__)
            self._stop.wait(_DATABASE_RETRY_S)
            return False
        return len(claims) < judged == most

    def _record(self) -> None:
        """An outcome that is lost turns its message into `unknown`: it is kept until it is in."""
        if not self._unrecorded:
            return
        with self._engine.begin() as connection:
            record(connection, self._unrecorded, utc_now())
            if self.carriers.has_news():
                write_down(connection, self.carriers.states(), utc_now())
        self._unrecorded = []

    def _look(self) -> Waiting:
        with self._engine.connect().execution_options(read_only=True) as connection:
            return look_for_work(connection, utc_now())

    def _take(self, waiting: Waiting, most: int) -> Taken:
        if waiting.is_lost:
            # Apart from the claim: a record locks the day's limits before its costs.
            with self._engine.begin() as connection:
                give_up_lost(connection, utc_now())
        if not waiting.is_due or most == 0:
            return Taken([], 0)
        with self._engine.begin() as connection:
            return claim_due(connection, self.carriers, utc_now(), most)

    def _deliver(self, claim: Claim) -> Tried:
        """One call to a carrier, with no transaction open."""
        started = time.monotonic()
        outcome = hand_over(self.carriers, self._seal, claim, utc_now, random.random())  # noqa: S311
        figures.CARRIER.observe(time.monotonic() - started)
        figures.MESSAGES.labels(outcome.state).inc()
        _log.info(
            "message tried",
            message_id=str(claim.id),
            carrier=claim.carrier,
            attempt=claim.attempt,
            outcome=outcome.state.value,
            error=outcome.error,
        )
        return Tried(claim, outcome)

    def _ask_about_unclear(self, pool: ThreadPoolExecutor) -> None:
        with self._engine.begin() as connection:
            taken = take_unclear(connection, utc_now(), _LOOK_UPS_AT_ONCE)

        def look_up() -> None:
            for one in taken:
                report = ask(self.carriers, self._seal, one)
                _log.info("message looked up", message_id=str(one.id), fate=report.fate.value)
                self._settle(one, report)

        self._asking.add(pool.submit(look_up))

    def _settle(self, look_up: LookUp, report: Report) -> None:
        """What a carrier said is asked for again later when the database is away."""
        try:
            with self._engine.begin() as connection:
                settle(connection, look_up, report, utc_now())
        except _DATABASE_GONE as error:
            _log.warning("answer to a look-up not kept", error=type(error).__name__)

    def _record_at_the_end(self) -> None:
        """The last calls' outcomes, for as long as may be waited for the database."""
        give_up_at = time.monotonic() + _RECORDING_AT_STOP_S
        self._collect()
        while self._unrecorded:
            try:
                self._record()
            except _DATABASE_GONE as error:
                if time.monotonic() > give_up_at:
                    ids = [str(one.claim.id) for one in self._unrecorded]
                    _log.error("outcomes not recorded", messages=ids, error=type(error).__name__)
                    return
                time.sleep(_DATABASE_RETRY_S)

"""The notifier: claims due messages, sends them outside any transaction, records each outcome.

A message is claimed (`sending`, with a lease) and that is committed before the carrier is called.
From there it goes back to `queued` only by a notifier that knows that the carrier did not take
it. Whoever dies in between leaves a lease that runs out, and the message ends as `unknown`: it
is never sent twice.
"""

import random
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import Connection, Engine, exists, func, select, text, tuple_, update
from sqlalchemy.exc import InterfaceError, OperationalError

from card_server.audit.details import seal_details
from card_server.config import Settings
from card_server.errors import AppError, Code
from card_server.figures import notify as figures
from card_server.health import check_database, serve_health
from card_server.messages import states_before
from card_server.storage.database import open_engine
from card_server.storage.sealing import Seal
from card_server.storage.single import claim_role
from card_server.webhooks.deliver import Deliverer, delivering
from card_server.webhooks.outbox import SETTLED, MessageKey, tell_of_messages
from card_server.webhooks.post import Rules
from integrations.sms.protocol import SendError, Sms, SmsCarrier
from integrations.sms.registry import build_carrier
from schema.messages import utc_now
from schema.tables.messages import Message, MessageState, Suppression
from schema.tables.people import Guardian

THREADS: Final = 8
LEASE: Final = timedelta(minutes=2)
"""Far longer than a call can take: nothing depends on it but how soon a death is seen."""
POLL_S: Final = 0.2
_DATABASE_RETRY_S: Final = 0.5
_LONGEST_HOLD_S: Final = 60.0
"""All sending pauses no longer than this when the carrier asks one message to wait."""
_RECORDING_AT_STOP_S: Final = 10.0
_DATABASE_GONE = (OperationalError, InterfaceError)


_log = structlog.get_logger()


def run(settings: Settings, stop: threading.Event) -> None:
    """Send what is due until `stop`: messages, and beside them events to webhooks.

    Raises AppError: CONFLICT on SQLite for a second notifier.
    """
    engine = seal_details(open_engine(settings.database_url), settings.data_key)
    seal = Seal(settings.data_key)
    notifier = Notifier(engine, _carrier_of(settings), seal)
    rules = Rules(settings.webhook_allow_private, settings.webhook_ca)
    deliverer = Deliverer(engine, seal, rules)
    checks = {"database": check_database(engine), "carrier": notifier.carrier_trouble}
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


def _carrier_of(settings: Settings) -> SmsCarrier:
    """The carrier with its own settings: for twilio those that begin with `twilio_`."""
    prefix = f"{settings.sms_provider}_"
    options = {
        name.removeprefix(prefix): str(value) for name, value in settings if name.startswith(prefix)
    }
    try:
        return build_carrier(settings.sms_provider, options)
    except ValueError as error:
        raise AppError(Code.INVALID, f"Messages cannot be sent: {error}.") from error


class Claim(NamedTuple):
    """One message that this notifier, and no other, may send once."""

    school_id: int
    id: UUID
    guardian_id: int
    body: str
    attempt: int
    expires_at: datetime
    phone_sealed: bytes


class Outcome(NamedTuple):
    """What became of one try."""

    state: MessageState
    due_at: datetime | None = None
    """When to try again; None for never."""
    provider_id: str | None = None
    error: str | None = None


class Notifier:
    """One process's sending: a loop that claims, and a few threads that send."""

    def __init__(self, engine: Engine, carrier: SmsCarrier, seal: Seal) -> None:
        self._engine = engine
        self._carrier = carrier
        self._seal = seal
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._failures_in_a_row = 0
        self._last_failure = ""
        self._hold_until = 0.0

    def work(self, stop: threading.Event) -> None:
        """Until `stop`; then waits for the calls that are under way."""
        self._stop = stop
        sending: set[Future[None]] = set()
        with ThreadPoolExecutor(THREADS, "sms") as pool:
            while not stop.is_set():
                sending -= _finished(sending)
                claims = self._claim_what_is_due(THREADS - len(sending))
                sending |= {pool.submit(self._deliver, claim) for claim in claims}
                if len(sending) == THREADS:
                    wait(sending, POLL_S, FIRST_COMPLETED)
                elif not claims:
                    stop.wait(POLL_S)
        _finished(sending)

    def carrier_trouble(self) -> str | None:
        """A sentence when the last few messages could not be handed over."""
        with self._lock:
            return self._last_failure if self._failures_in_a_row >= 3 else None

    def _claim_what_is_due(self, most: int) -> list[Claim]:
        """Nothing, too, while the database is away or the carrier asked for a pause."""
        if time.monotonic() < self._hold_until:
            most = 0
        try:
            with self._engine.connect().execution_options(read_only=True) as connection:
                if not _is_something_to_do(connection, utc_now()):
                    return []
            with self._engine.begin() as connection:
                now = utc_now()
                _suppress_stale(connection, now)
                _give_up_lost(connection, now)
                return _claim(connection, now, most, self._carrier.name) if most > 0 else []
        except _DATABASE_GONE as error:
            _log.warning("database away", error=type(error).__name__)
            self._stop.wait(_DATABASE_RETRY_S)
            return []

    def _deliver(self, claim: Claim) -> None:
        """One call to the carrier with no transaction open, and its outcome recorded at once."""
        outcome = self._send(claim)
        figures.MESSAGES.labels(outcome.state).inc()
        _log.info(
            "message tried",
            message_id=str(claim.id),
            attempt=claim.attempt,
            outcome=outcome.state.value,
            error=outcome.error,
        )
        self._record(claim, outcome)

    def _send(self, claim: Claim) -> Outcome:
        started = time.monotonic()
        valid_s = max(1, int((claim.expires_at - utc_now()).total_seconds()))
        try:
            number = self._seal.open(claim.phone_sealed)
            provider_id = self._carrier.send(Sms(number, claim.body, valid_s, str(claim.id)))
        except AppError as error:
            return self._fail(claim, SendError(error.message))
        except SendError as error:
            return self._fail(claim, error)
        except Exception as error:
            # Its text may hold the number; and the call may have gone through.
            said = f"The carrier's program failed ({type(error).__name__})."
            return self._fail(claim, SendError(said, ambiguous=True))
        finally:
            figures.CARRIER.observe(time.monotonic() - started)
        self._note(None)
        return Outcome(MessageState.ACCEPTED, provider_id=provider_id)

    def _fail(self, claim: Claim, error: SendError) -> Outcome:
        self._note(error)
        return judge(error, claim.attempt, claim.expires_at, utc_now(), random.random())  # noqa: S311

    def _note(self, error: SendError | None) -> None:
        """Keep in mind how the carrier does, for /ready and for the pause that it asks for."""
        with self._lock:
            if error is None or error.permanent:
                self._failures_in_a_row = 0
                return
            self._failures_in_a_row += 1
            self._last_failure = error.message
            pause_s = min(error.retry_after_s or 0.0, _LONGEST_HOLD_S)
            self._hold_until = max(self._hold_until, time.monotonic() + pause_s)

    def _record(self, claim: Claim, outcome: Outcome) -> None:
        """As long as it takes: an outcome that is lost turns the message into `unknown`."""
        give_up_at = None
        while True:
            try:
                with self._engine.begin() as connection:
                    _record(connection, claim, outcome)
                return
            except _DATABASE_GONE as error:
                _log.warning("outcome waits", message_id=str(claim.id), error=type(error).__name__)
            if self._stop.is_set():
                give_up_at = give_up_at or time.monotonic() + _RECORDING_AT_STOP_S
                if time.monotonic() > give_up_at:
                    _log.error("outcome not recorded", message_id=str(claim.id))
                    return
            time.sleep(_DATABASE_RETRY_S)


def judge(
    error: SendError, attempt: int, expires_at: datetime, now: datetime, chance: float
) -> Outcome:
    """What follows from a failed try; `chance` in [0, 1) spreads the next ones. Pure."""
    if error.ambiguous:
        return Outcome(MessageState.UNKNOWN, error=error.message)
    if error.permanent:
        return Outcome(MessageState.FAILED, error=error.message)
    back_off_s = min(5.0 * 2 ** min(attempt - 1, 10), 300.0) * (0.5 + chance / 2)
    wait_s = back_off_s if error.retry_after_s is None else max(error.retry_after_s, 1.0)
    due_at = now + timedelta(seconds=wait_s)
    # Once expired it is not sent: being due then lets it be marked stale, with this error.
    return Outcome(MessageState.QUEUED, due_at=min(due_at, expires_at), error=error.message)


def _finished(sending: set[Future[None]]) -> set[Future[None]]:
    """Those that are done. Raises what one of them raised: that is a fault of ours."""
    done = {future for future in sending if future.done()}
    for future in done:
        future.result()
    return done


_QUEUED = text("state = 'queued'")
_SENDING = text("state = 'sending'")
"""Spelt as in the partial indexes: with a parameter there, no database would use them."""


def _is_something_to_do(connection: Connection, now: datetime) -> bool:
    lost = exists().where(_SENDING, Message.lease_until < now)
    oldest, is_lost = connection.execute(
        select(select(func.min(Message.due_at)).where(_QUEUED).scalar_subquery(), lost)
    ).one()
    is_due = oldest is not None and oldest <= now
    figures.QUEUE_AGE.set((now - oldest).total_seconds() if is_due else 0)
    return is_due or is_lost


def _suppress_stale(connection: Connection, now: datetime) -> None:
    """What expired in the queue is not sent any more."""
    count = connection.execute(
        update(Message)
        .where(_QUEUED, Message.due_at <= now, Message.expires_at <= now)
        .values(state=MessageState.SUPPRESSED, suppression=Suppression.STALE, changed_at=now)
    ).rowcount
    figures.MESSAGES.labels(MessageState.SUPPRESSED).inc(count)


def _give_up_lost(connection: Connection, now: datetime) -> None:
    """What a notifier took with it when it died may have been accepted: a person decides."""
    lost = connection.execute(
        update(Message)
        .where(_SENDING, Message.lease_until < now)
        .values(
            state=MessageState.UNKNOWN,
            lease_until=None,
            changed_at=now,
            error="The notifier ended in the middle of sending: it may have been accepted.",
        )
        .returning(Message.school_id, Message.id)
    ).all()
    figures.MESSAGES.labels(MessageState.UNKNOWN).inc(len(lost))
    if lost:
        tell_of_messages(connection, [MessageKey(*row) for row in lost], now)


def _claim(connection: Connection, now: datetime, most: int, carrier: str) -> list[Claim]:
    """Up to `most` due messages, oldest first. SQLite leaves out what is said of locks."""
    due = (
        select(Message.school_id, Message.id)
        .where(_QUEUED, Message.due_at <= now)
        .order_by(Message.due_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    rows = connection.execute(
        update(Message)
        .where(tuple_(Message.school_id, Message.id).in_(select(due.c.school_id, due.c.id)))
        .values(
            state=MessageState.SENDING,
            provider=carrier,
            attempts=Message.attempts + 1,
            lease_until=now + LEASE,
            changed_at=now,
        )
        .returning(
            Message.school_id,
            Message.id,
            Message.guardian_id,
            Message.body,
            Message.attempts,
            Message.expires_at,
        )
    ).all()
    guardians = {row.guardian_id for row in rows}
    sealed = select(Guardian.id, Guardian.phone_sealed).where(Guardian.id.in_(guardians))
    phones = {guardian.id: guardian.phone_sealed for guardian in connection.execute(sealed)}
    return [Claim(*row, phone_sealed=phones[row.guardian_id]) for row in rows]


def _record(connection: Connection, claim: Claim, outcome: Outcome) -> None:
    """Only forward, and only for this very try."""
    now = utc_now()
    values = {
        "state": outcome.state,
        "provider_id": outcome.provider_id,
        "error": outcome.error and outcome.error[:300],
        "lease_until": None,
        "changed_at": now,
    }
    if outcome.due_at:
        values["due_at"] = outcome.due_at
    count = connection.execute(
        update(Message)
        .where(
            Message.school_id == claim.school_id,
            Message.id == claim.id,
            Message.attempts == claim.attempt,
            Message.state.in_(states_before(outcome.state)),
        )
        .values(values)
    ).rowcount
    if count and outcome.state in SETTLED:
        tell_of_messages(connection, [MessageKey(claim.school_id, claim.id)], now)

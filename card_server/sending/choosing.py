"""Which carrier takes a message: an ordered list, in which a carrier that fails is passed over.

Each process keeps its own view, from its own calls; pages read what it last wrote down.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from integrations.sms.protocol import Channel, SendError, SmsCarrier, Verdict

_WINDOW: Final = 50
"""The last calls that count."""
_IN_A_ROW: Final = 3
_LEAST: Final = 10
_SHARE: Final = 0.5
"""Passed over after so many failures in a row, or such a share of at least so many calls."""
_TRIAL: Final = timedelta(seconds=60)
_FIRST_REST_S: Final = 15.0
_LONGEST_REST_S: Final = 300.0
_NEWS: Final = timedelta(seconds=5)
_OF_THE_MESSAGE: Final = (Verdict.PERMANENT, Verdict.NUMBER_QUOTA)
"""Refusals that say nothing of the carrier: others would have been taken."""


class Wanted(NamedTuple):
    """What of a message decides about its carrier."""

    channel: str
    has_wecom: bool
    """Whether the guardian can be reached on WeCom."""
    refused_by: frozenset[str]
    """Carriers that surely did not take it."""
    templates: frozenset[str]
    """Carriers that approved its text."""


class Choice(NamedTuple):
    """A carrier, or since none can take it now, when to ask again."""

    carrier: SmsCarrier | None
    again_at: datetime | None = None
    """None beside no carrier: there is none that ever could."""


@dataclass
class _Record:
    """How one carrier does."""

    carrier: SmsCarrier
    calls: deque[bool] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    failures_in_a_row: int = 0
    rest_s: float = _FIRST_REST_S
    rests_since: datetime | None = None
    """Kept through trials that fail: only a carrier that works ends it."""
    rests_until: datetime | None = None
    trial_at: datetime | None = None
    """When the one message was taken that shows whether a passed-over carrier works again."""
    last_error: str = ""
    last_error_at: datetime | None = None
    last_taken_at: datetime | None = None

    def may_take(self, now: datetime) -> bool:
        """Whether it works, or has rested and is to be tried.

        While one trial is under way there is no other; one whose message did not go out in the end
        is over after a while.
        """
        if self.rests_until is None:
            return True
        is_on_trial = self.trial_at is not None and now - self.trial_at <= _TRIAL
        return now >= self.rests_until and not is_on_trial

    def works(self) -> None:
        """It answered as it should: whatever trouble there was is over."""
        self.calls.append(True)
        self.failures_in_a_row = 0
        self.rest_s = _FIRST_REST_S
        self.rests_since = self.rests_until = self.trial_at = None

    def rest(self, now: datetime, seconds: float) -> None:
        """Nothing goes to it for so long, or longer if it rests longer already."""
        until = now + timedelta(seconds=seconds)
        self.rests_until = max(self.rests_until or until, until)
        self.rests_since = self.rests_since or now


class State(NamedTuple):
    """What is written down of a carrier."""

    name: str
    tried: int
    failed: int
    passed_over_since: datetime | None
    passed_over_until: datetime | None
    last_error: str
    last_error_at: datetime | None
    last_taken_at: datetime | None


class Carriers:
    """The carriers in the school's order, and how each does. Safe for several threads."""

    def __init__(self, carriers: Sequence[SmsCarrier], clock: Callable[[], datetime]) -> None:
        self._records = {carrier.name: _Record(carrier) for carrier in carriers}
        self._clock = clock
        self._lock = threading.Lock()
        self._own_trouble = ""
        self._told: tuple[datetime, list[datetime | None]] | None = None

    def __getitem__(self, name: str) -> SmsCarrier:
        """Raises KeyError."""
        return self._records[name].carrier

    def __contains__(self, name: object) -> bool:
        return name in self._records

    @property
    def needing_template(self) -> list[str]:
        """The names of those that send only texts that they approved."""
        return [name for name, one in self._records.items() if one.carrier.needs_template]

    def choose(self, wanted: Wanted) -> Choice:
        """The first carrier in order that may take the message now."""
        now = self._clock()
        fitting = [one for one in self._in_order(wanted) if self._fits(one, wanted)]
        with self._lock:
            resting = []
            for one in fitting:
                if one.may_take(now):
                    one.trial_at = None if one.rests_until is None else now
                    return Choice(one.carrier)
                resting.append(max(one.rests_until or now, now + timedelta(seconds=1)))
        return Choice(None, min(resting, default=None))

    def may_another_take(self, wanted: Wanted, refused_by: frozenset[str]) -> bool:
        """Whether, after these refusals, a carrier is left that may take the message now.

        One that rests does not count: whoever waits for it must not pass over the first, which may
        be well again long before.
        """
        now = self._clock()
        left = wanted._replace(refused_by=refused_by)
        fitting = [one for one in self._in_order(left) if self._fits(one, left)]
        with self._lock:
            return any(one.may_take(now) for one in fitting)

    def note_taken(self, name: str) -> None:
        """A carrier took a message."""
        with self._lock:
            self._records[name].works()
            self._records[name].last_taken_at = self._clock()
            self._own_trouble = ""

    def note_own_trouble(self, sentence: str) -> None:
        """A message could not even be handed to a carrier."""
        with self._lock:
            self._own_trouble = sentence

    def note_failed(self, name: str, error: SendError) -> None:
        """A call failed: for the message's own sake, or else the carrier is at fault."""
        now = self._clock()
        with self._lock:
            one = self._records[name]
            if error.verdict in _OF_THE_MESSAGE:
                one.works()
                self._own_trouble = ""
                return
            one.calls.append(False)
            one.failures_in_a_row += 1
            one.last_error, one.last_error_at = error.message, now
            was_trial, one.trial_at = one.trial_at is not None, None
            if error.retry_after_s is not None:
                one.rest(now, min(max(error.retry_after_s, 1.0), _LONGEST_REST_S))
            elif was_trial or self._fails_too_much(one):
                one.rest(now, one.rest_s)
                one.rest_s = min(one.rest_s * 2, _LONGEST_REST_S)

    def trouble(self) -> str | None:
        """A sentence when a carrier fails again and again; None when all is well."""
        with self._lock:
            failing = [
                one.last_error
                for one in self._records.values()
                if one.failures_in_a_row >= _IN_A_ROW
            ]
            return self._own_trouble or next(iter(failing), None)

    def has_news(self) -> bool:
        """Whether `states` should be written down: a carrier rests or is back, or it is time."""
        now = self._clock()
        with self._lock:
            resting = [one.rests_until for one in self._records.values()]
            if self._told and self._told[1] == resting and now - self._told[0] < _NEWS:
                return False
            self._told = (now, resting)
            return True

    def states(self) -> list[State]:
        """What pages show of each."""
        with self._lock:
            return [
                State(
                    name,
                    len(one.calls),
                    one.calls.count(False),
                    one.rests_since,
                    one.rests_until,
                    one.last_error,
                    one.last_error_at,
                    one.last_taken_at,
                )
                for name, one in self._records.items()
            ]

    def _in_order(self, wanted: Wanted) -> list[_Record]:
        """Those of the wanted channel first, then SMS, which reaches everybody."""
        on_wecom = wanted.channel == Channel.WECOM and wanted.has_wecom
        channels = (Channel.WECOM, Channel.SMS) if on_wecom else (Channel.SMS,)
        all_of_them = self._records.values()
        return [one for way in channels for one in all_of_them if one.carrier.channel is way]

    def _fits(self, one: _Record, wanted: Wanted) -> bool:
        name = one.carrier.name
        has_text = not one.carrier.needs_template or name in wanted.templates
        return has_text and name not in wanted.refused_by

    def _fails_too_much(self, one: _Record) -> bool:
        share = one.calls.count(False) / len(one.calls)
        return one.failures_in_a_row >= _IN_A_ROW or (len(one.calls) >= _LEAST and share >= _SHARE)

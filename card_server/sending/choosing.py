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
    rests_until: datetime | None = None
    trial_at: datetime | None = None
    """When the one message was taken that shows whether a passed-over carrier works again."""
    last_error: str = ""
    last_error_at: datetime | None = None
    last_taken_at: datetime | None = None

    def may_be_tried(self, now: datetime) -> bool:
        """Whether no trial is under way; one whose message did not go out in the end is over."""
        return self.trial_at is None or now - self.trial_at > _TRIAL


class State(NamedTuple):
    """What is written down of a carrier."""

    name: str
    tried: int
    failed: int
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
                if one.rests_until is None:
                    return Choice(one.carrier)
                if now >= one.rests_until and one.may_be_tried(now):
                    one.trial_at = now
                    return Choice(one.carrier)
                resting.append(max(one.rests_until, now + timedelta(seconds=1)))
        return Choice(None, min(resting, default=None))

    def may_another_take(self, wanted: Wanted, refused_by: frozenset[str]) -> bool:
        """Whether, after these refusals, a carrier is left that may take the message."""
        left = wanted._replace(refused_by=refused_by)
        return any(self._fits(one, left) for one in self._in_order(left))

    def note_taken(self, name: str) -> None:
        """A carrier took a message, or refused it for the message's own sake."""
        with self._lock:
            one = self._records[name]
            one.calls.append(True)
            one.failures_in_a_row = 0
            one.rest_s = _FIRST_REST_S
            one.rests_until = one.trial_at = None
            one.last_taken_at = self._clock()
            self._own_trouble = ""

    def note_own_trouble(self, sentence: str) -> None:
        """A message could not even be handed to a carrier."""
        with self._lock:
            self._own_trouble = sentence

    def note_failed(self, name: str, error: SendError) -> None:
        """A call failed: permanent refusals are the message's fault, all else the carrier's."""
        if error.verdict is Verdict.PERMANENT:
            self.note_taken(name)
            return
        now = self._clock()
        with self._lock:
            one = self._records[name]
            one.calls.append(False)
            one.failures_in_a_row += 1
            one.last_error, one.last_error_at = error.message, now
            was_trial, one.trial_at = one.trial_at is not None, None
            if error.retry_after_s is not None:
                rest_s = min(max(error.retry_after_s, 1.0), _LONGEST_REST_S)
            elif was_trial or self._fails_too_much(one):
                rest_s = one.rest_s
                one.rest_s = min(one.rest_s * 2, _LONGEST_REST_S)
            else:
                return
            until = now + timedelta(seconds=rest_s)
            one.rests_until = max(one.rests_until or until, until)

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

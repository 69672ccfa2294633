"""The reader's copy of the card list: judges cards without a network, kept on disk atomically."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import structlog

from reader_daemon.kept_file import read_file, write_file
from reader_daemon.parts import Parts
from schema.messages import (
    CardsChange,
    CardsMessage,
    CardsSnapshot,
    CardState,
    Decision,
    ListedCard,
    Refusal,
    utc_now,
)

_log = structlog.get_logger()

_REFUSALS: Final = {
    CardState.LOST: Refusal.LOST,
    CardState.EXPIRED: Refusal.EXPIRED,
    CardState.RETURNED: Refusal.RETURNED,
    CardState.BLACKLISTED: Refusal.BLACKLISTED,
    CardState.GONE: Refusal.UNKNOWN,
}
_CONFIRMATION_KEPT: Final = timedelta(hours=1)
"""A confirmation without a change is written to disk this often, to spare SD cards."""


class Held(msgspec.Struct, frozen=True):
    """One version of the list; replaced as a whole, so that a judgement sees one version."""

    version: int = 0
    """0 while no list was ever received."""
    at: datetime | None = None
    """When it came or was confirmed."""
    cards: dict[str, CardState] = {}


class Judgement(NamedTuple):
    """What a card gets, and by which version of the list."""

    decision: Decision
    reason: Refusal | None
    cards_version: int


def judge(held: Held, uid: str) -> Judgement:
    """What a card gets by this list."""
    if held.at is None:
        return Judgement(Decision.REFUSED, Refusal.NO_LIST, held.version)
    state = held.cards.get(uid, CardState.GONE)
    if state is CardState.ACTIVE:
        return Judgement(Decision.ADMITTED, None, held.version)
    return Judgement(Decision.REFUSED, _REFUSALS[state], held.version)


def changed(held: Held, change: CardsChange, at: datetime) -> Held | None:
    """The list after a change; None if the change does not fit, which a snapshot will mend.

    A change that begins before our version fits as well: it carries final states.
    """
    if not change.from_version <= held.version <= change.to_version:
        return None
    return Held(change.to_version, at, _with(held.cards, change.cards))


class CardList:
    """The list of this reader: applied by the link, asked by the reader thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts = Parts[list[ListedCard]]()
        self.failure: str | None = None
        """Why the list on disk is older than the one that judges."""
        self.held = read_file(path, Held) or Held()
        self._stored = self.held

    def judge(self, uid: str) -> Judgement:
        """What a card gets now."""
        return judge(self.held, uid)

    def apply(self, message: CardsMessage) -> bool:
        """Take in what the server says; whether the list is another version now."""
        before = self.held
        if isinstance(message, CardsSnapshot):
            after = self._with_part(message)
        else:
            after = changed(before, message, utc_now())
        if after is None:
            return False
        self.held = after
        self._keep()
        return after.version != before.version or before.at is None

    def _with_part(self, part: CardsSnapshot) -> Held | None:
        """The whole list once its last part is there; parts may repeat and come in any order."""
        whole = self._parts.add(part.list_version, part.part, part.parts, part.cards)
        if whole is None:
            return None
        cards: dict[str, CardState] = {}
        for listed in whole:
            cards = _with(cards, listed)
        return Held(part.list_version, utc_now(), cards)

    def _keep(self) -> None:
        held, stored = self.held, self._stored
        if (
            held.version == stored.version
            and held.cards == stored.cards
            and held.at
            and stored.at
            and held.at - stored.at < _CONFIRMATION_KEPT
        ):
            return
        try:
            write_file(self._path, held)
        except OSError as error:
            # It judges from memory all the same; after a restart the server sends it again.
            self.failure = f"The card list cannot be written to disk: {error.strerror}."
            _log.error("cards_not_written", error=error.strerror)
            return
        self.failure = None
        self._stored = held


def _with(cards: dict[str, CardState], listed: list[ListedCard]) -> dict[str, CardState]:
    result = dict(cards)
    for card in listed:
        if card.state is CardState.GONE:
            result.pop(card.uid, None)
        else:
            result[card.uid] = card.state
    return result

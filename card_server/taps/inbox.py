"""What readers send, opened: taps and statuses, or a reason why not. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

import msgspec
from msgspec import Struct

from card_server.cards.byte_order import turn
from card_server.taps.directory import ReaderFacts, ReaderKey
from card_server.taps.occurred import believe, find_skew
from card_server.taps.record import ReceivedTap
from schema.messages import MAX_BYTES, Rejected, Rejection, Status, Tap, Taps
from schema.topics import Kind, Topic, parse_topic

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
"""A reader without a clock battery wakes in 1970; anything outside these is no time at all."""


class Incoming(Struct, gc=False):
    """An MQTT message as the broker handed it over."""

    topic: str
    payload: bytes
    received_at: datetime
    held_s: float
    """How long the broker held it."""
    is_retained: bool
    mid: int
    qos: int
    connection: int = 0
    """Which of the link's connections it came by."""


class Refused(Struct, gc=False):
    """A message, or a part of one, that will never be kept."""

    incoming: Incoming
    reason: Rejection
    taps: list[Rejected]
    """The taps in it that have a readable id, so that the reader can be told."""


class Opened(Struct, gc=False):
    """All that a batch of messages holds."""

    taps: list[ReceivedTap]
    sources: list[Incoming]
    """The message that each tap came in."""
    statuses: list[tuple[ReaderFacts, Status, Incoming]]
    refused: list[Refused]


class _Named(Struct):
    """As much of a broken tap as lets us tell its reader."""

    id: UUID


class _Loose(Struct):
    """A `taps` message of which at least the outer form is right."""

    taps: list[msgspec.Raw]
    sent_at: msgspec.Raw = msgspec.Raw(b"null")


_TAPS = msgspec.json.Decoder(Taps)
_TAP = msgspec.json.Decoder(Tap)
_STATUS = msgspec.json.Decoder(Status)
_LOOSE = msgspec.json.Decoder(_Loose)
_NAMED = msgspec.json.Decoder(_Named)
_UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


@lru_cache(maxsize=10_000)
def topic_of(text: str) -> Topic | None:
    """The parts of a topic; None for one that is not ours."""
    try:
        return parse_topic(text)
    except ValueError:
        return None


def open_messages(batch: list[Incoming], readers: Mapping[ReaderKey, ReaderFacts]) -> Opened:
    """Open a batch; `readers` are those of its topics that exist."""
    opened = Opened([], [], [], [])
    for incoming in batch:
        reason = _open(incoming, readers, opened)
        if reason is not None:
            opened.refused.append(Refused(incoming, reason, _readable_taps(incoming, reason)))
    return opened


def _open(
    incoming: Incoming, readers: Mapping[ReaderKey, ReaderFacts], opened: Opened
) -> Rejection | None:
    topic = topic_of(incoming.topic)
    reader = readers.get(ReaderKey(topic.school, topic.reader)) if topic else None
    if topic is None or reader is None:
        return Rejection.UNKNOWN_READER
    if len(incoming.payload) > MAX_BYTES:
        return Rejection.TOO_LARGE
    if incoming.is_retained:
        return Rejection.RETAINED
    if topic.kind is Kind.STATUS:
        return _open_status(incoming, reader, opened)
    try:
        message = _TAPS.decode(incoming.payload)
    except _UNREADABLE:
        return _open_piecewise(incoming, reader, opened)
    for tap in message.taps:
        _add_tap(incoming, reader, message.sent_at, tap, opened)
    return None


def _open_status(incoming: Incoming, reader: ReaderFacts, opened: Opened) -> Rejection | None:
    try:
        status = _STATUS.decode(incoming.payload)
    except _UNREADABLE:
        return Rejection.MALFORMED
    times = (status.sent_at, status.drained_to, status.cards_at)
    if not all(_is_time(moment) for moment in times if moment is not None):
        return Rejection.MALFORMED
    opened.statuses.append((reader, status, incoming))
    return None


def _open_piecewise(incoming: Incoming, reader: ReaderFacts, opened: Opened) -> Rejection | None:
    """Save the good taps of a message that has a bad one among them."""
    try:
        loose = _LOOSE.decode(incoming.payload)
        sent_at = msgspec.json.decode(loose.sent_at, type=datetime)
    except _UNREADABLE:
        return Rejection.MALFORMED
    if sent_at.tzinfo is None:
        return Rejection.MALFORMED
    bad = []
    for raw in loose.taps:
        try:
            tap = _TAP.decode(raw)
        except _UNREADABLE:
            bad += _rejected_tap(raw, Rejection.MALFORMED)
        else:
            _add_tap(incoming, reader, sent_at, tap, opened)
    opened.refused.append(Refused(incoming, Rejection.MALFORMED, bad))
    return None


def _add_tap(
    incoming: Incoming, reader: ReaderFacts, sent_at: datetime, tap: Tap, opened: Opened
) -> None:
    if not (_is_time(tap.tapped_at) and _is_time(sent_at)):
        rejected = [Rejected(tap.id, Rejection.MALFORMED)]
        opened.refused.append(Refused(incoming, Rejection.MALFORMED, rejected))
        return
    skew = find_skew(sent_at, incoming.received_at, incoming.held_s)
    belief = believe(tap.tapped_at, incoming.received_at, skew, tap.clock_step_s)
    opened.sources.append(incoming)
    opened.taps.append(
        ReceivedTap(
            tap.id,
            reader,
            tap.boot,
            tap.seq,
            turn(tap.uid, reader.byte_order),
            tap.tapped_at,
            sent_at,
            incoming.received_at,
            belief.occurred_at,
            belief.is_suspect,
            tap.decision,
            tap.reason,
            tap.cards_version,
        )
    )


def _is_time(moment: datetime) -> bool:
    return _EARLIEST <= moment < _LATEST


def _readable_taps(incoming: Incoming, reason: Rejection) -> list[Rejected]:
    """The ids in a message that is refused whole; none in one that may be of any size."""
    if reason is Rejection.TOO_LARGE and len(incoming.payload) > 16 * MAX_BYTES:
        return []
    try:
        loose = _LOOSE.decode(incoming.payload)
    except _UNREADABLE:
        return []
    return [rejected for raw in loose.taps[:1000] for rejected in _rejected_tap(raw, reason)]


def _rejected_tap(raw: msgspec.Raw, reason: Rejection) -> list[Rejected]:
    try:
        return [Rejected(_NAMED.decode(raw).id, reason)]
    except _UNREADABLE:
        return []

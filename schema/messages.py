"""The MQTT messages between readers and server: tagged, versioned, UTC, JSON over MQTT 5.

Every message is an object with `type` (which struct) and `v` (the version of its shape).
A reader's messages are at most `MAX_BYTES` long.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

VERSION: Final = 1
Version = Literal[1]
MAX_BYTES: Final = 8 * 1024
MAX_TAPS: Final = 20
"""Taps that one message may carry; 20 of the longest stay below MAX_BYTES."""
CARDS_PER_PART: Final = 500
"""Cards, or permits, that one part of a list carries."""
TAP_EXPIRY_S: Final = 86_400
"""MQTT message expiry of a `taps` message. The broker counts it down while it holds the message,
so what is missing on arrival is how long the broker held it (MQTT 5.0 §3.3.2.3.3)."""

Uid = Annotated[str, Meta(pattern=r"^([0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20})(?!\n)$")]
"""A card's number: upper-case hex of 4, 7 or 10 bytes (ISO/IEC 14443-3 §6.5.4)."""
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Large = Annotated[int, Meta(ge=0, le=2**53)]
ExitsVersion = Annotated[str, Meta(pattern=r"^([0-9a-f]{16})?(?!\n)$")]
"""Which list of held exits: made from what it says; empty for the one that holds nobody."""
Utc = Annotated[datetime, Meta(tz=True)]


class Decision(StrEnum):
    """What the reader told the person who tapped."""

    ADMITTED = "admitted"
    REFUSED = "refused"


class Refusal(StrEnum):
    """Why a reader refused a card."""

    UNKNOWN = "unknown"
    LOST = "lost"
    EXPIRED = "expired"
    RETURNED = "returned"
    BLACKLISTED = "blacklisted"
    NO_LIST = "no_list"
    HELD = "held"
    """The card is good, and at this hour its holder may not leave without a slip (未获准离校)."""


class CardState(StrEnum):
    """What a reader has to know of a card to judge it."""

    ACTIVE = "active"
    LOST = "lost"
    EXPIRED = "expired"
    RETURNED = "returned"
    BLACKLISTED = "blacklisted"
    GONE = "gone"
    """In changes only: the card leaves the list and is unknown from then on."""


class Rejection(StrEnum):
    """Why the server will never keep a tap; the reader sets it aside and stops resending."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    UNKNOWN_READER = "unknown_reader"
    RETAINED = "retained"
    ID_REUSED = "id_reused"
    SEQ_REUSED = "seq_reused"
    UNPROCESSABLE = "unprocessable"
    """Well-formed, and yet the server could not keep it; staff see it among the kept-aside."""


class ReaderState(StrEnum):
    """Whether a reader's daemon is there; OFFLINE is its last will."""

    ONLINE = "online"
    OFFLINE = "offline"


class SourceState(StrEnum):
    """Whether the card reader itself (the USB device, the tray) answers."""

    READY = "ready"
    ABSENT = "absent"


class Tap(Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """One card held to one reader, as the reader judged and kept it."""

    id: UUID
    """UUIDv7 made by the reader; the tap's identity for ever."""
    boot: Large
    """Which start of the daemon; later starts are greater."""
    seq: Large
    """Which tap of this boot, from 1, without gaps."""
    uid: Uid
    tapped_at: Utc
    """By the reader's clock when the card was read."""
    decision: Decision
    reason: Refusal | None = None
    cards_version: Count = 0
    """The card list that judged; 0 while the reader had none."""
    atr: Annotated[str, Meta(pattern=r"^([0-9A-F]{2}){0,33}(?!\n)$")] = ""
    clock_step_s: Annotated[float, Meta(ge=-4e9, le=4e9)] = 0.0
    """How far the reader's wall clock was moved between tap and sending, by its monotonic clock."""


class Taps(Struct, frozen=True, gc=False, tag="taps", forbid_unknown_fields=True):
    """Reader → server on `tap`: one live tap, or a part of a backlog, oldest first."""

    sent_at: Utc
    taps: Annotated[list[Tap], Meta(min_length=1, max_length=MAX_TAPS)]
    v: Version = VERSION


class Rejected(Struct, frozen=True):
    """One tap that the server refuses to keep."""

    id: UUID
    reason: Rejection


class Ack(Struct, frozen=True, tag="ack"):
    """Server → reader on `ack`, after the commit: these taps may leave the spool."""

    kept: list[UUID] = []
    rejected: list[Rejected] = []
    v: Version = VERSION


class ListedCard(Struct, frozen=True, array_like=True):
    """One line of a card list, as `[uid, state]`."""

    uid: Uid
    state: CardState


class CardsSnapshot(Struct, frozen=True, tag="cards.snapshot"):
    """Server → reader on `cards`: one part of the list; it counts once all parts are there."""

    list_version: Count
    part: Count
    """From 0."""
    parts: Count
    cards: list[ListedCard]
    v: Version = VERSION


class CardsChange(Struct, frozen=True, tag="cards.change"):
    """Server → reader on `cards`: what turns list `from_version` into `to_version`."""

    from_version: Count
    to_version: Count
    cards: list[ListedCard]
    v: Version = VERSION


class Window(Struct, frozen=True, array_like=True, order=True):
    """A stretch of time, as `[from, until]`."""

    from_at: Utc
    until_at: Utc
    """The first moment after it."""


class HeldCards(Struct, frozen=True):
    """Cards whose exits are held in the same windows; without windows they never are."""

    windows: list[Window]
    cards: list[Uid]


class ExitsSnapshot(Struct, frozen=True, tag="exits.snapshot"):
    """Server → reader on `exits`: one part of today's and tomorrow's held exits.

    It counts once all parts are there, and holds nobody after its last window.
    """

    list_version: ExitsVersion
    part: Count
    """From 0."""
    parts: Count
    sent_at: Utc
    """By the server's clock: a reader whose own is far off holds nobody."""
    others: list[Window]
    """When the exits of all cards are held that no part names."""
    held: list[HeldCards]
    v: Version = VERSION


class Permit(Struct, frozen=True, array_like=True):
    """One card that may leave all the same, as `[uid, from, until]`: its holder has a slip."""

    uid: Uid
    from_at: Utc
    until_at: Utc
    """The first moment after it."""


class ExitPermits(Struct, frozen=True, tag="exits.permits"):
    """Server → reader on `exits`: one part of all permits, in the place of those before."""

    sent_at: Utc
    """By the server's clock; all parts that belong together have the same."""
    part: Count
    """From 0."""
    parts: Count
    permits: list[Permit]
    v: Version = VERSION


class Status(Struct, frozen=True, tag="status", forbid_unknown_fields=True):
    """Reader → server on `status`: each 15 s, on every connection, and as the last will."""

    state: ReaderState
    boot: Large
    sent_at: Utc
    drained_to: Utc | None = None
    """Every tap before this moment is acknowledged; None in the last will."""
    source: SourceState = SourceState.ABSENT
    cards_version: Count = 0
    cards_at: Utc | None = None
    """When the card list last came or was confirmed."""
    spooled: Count = 0
    """Taps waiting for their acknowledgement."""
    aside: Count = 0
    """Taps that the server rejected, kept on the reader."""
    disk_free_mb: Count = 0
    failures: list[str] = []
    """What is wrong, in short English sentences, for the health page."""
    software: Annotated[str, Meta(max_length=40)] = ""
    exits_version: ExitsVersion | None = None
    """The held exits that it judges by; None from a reader that does not hold exits."""
    v: Version = VERSION


class Identify(Struct, frozen=True, tag="identify"):
    """Server → reader on `command`: show yourself, so that staff find the device."""

    seconds: Annotated[int, Meta(ge=1, le=60)] = 5
    v: Version = VERSION


CardsMessage = CardsSnapshot | CardsChange
ExitsMessage = ExitsSnapshot | ExitPermits
Command = Identify


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)

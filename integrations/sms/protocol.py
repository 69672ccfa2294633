"""What a carrier of messages must do, what it says of them, and the one error that it raises."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Protocol


class Channel(StrEnum):
    """The way on which a carrier reaches a guardian."""

    SMS = "sms"
    WECOM = "wecom"
    """家校沟通 of WeCom (企业微信)."""


@dataclass(frozen=True)
class Sms:
    """One message to one guardian."""

    to: str
    """E.164; on WeCom the guardian's `parent_userid`."""
    text: str
    """All of it, with the signature in 【】 in front."""
    valid_s: int
    """For how many seconds from now it is worth delivering; a carrier may drop it after."""
    reference: str
    """Our own name for it, at most 48 characters of [0-9a-z-], for carriers that repeat one."""
    signature: str = ""
    """The school's signature (签名) without 【】, for carriers that set it themselves."""
    template: str = ""
    """The carrier's code of the text as it approved it; empty when it has none for this text."""
    slots: tuple[tuple[str, str], ...] = ()
    """What fills the text, by name, in the order in which the text names it."""


class Verdict(Enum):
    """What a refusal means for the message."""

    TEMPORARY = "surely not accepted; it may be sent later, or by another carrier"
    QUOTA = "surely not accepted: a limit of the account, or its credit, is used up for a while"
    NUMBER_QUOTA = "surely not accepted: a limit of this number is used up; to others all is well"
    PERMANENT = "surely not accepted, and never will be"
    AMBIGUOUS = "accepted or not: nobody can tell"


class SendError(Exception):
    """A message that was surely not accepted, unless `verdict` says that nobody can tell.

    `message` is the sentence that staff see; it never holds the number or the text. It begins with
    the carrier's name and code ("Twilio 21211: The number is not valid."). `retry_after_s` is what
    the carrier asked for. `is_number_bad` says that this number can never get a message, `is_spent`
    that the carrier took the message before it dropped it, and may count and charge it.
    """

    def __init__(
        self,
        message: str,
        verdict: Verdict = Verdict.TEMPORARY,
        *,
        retry_after_s: float | None = None,
        is_number_bad: bool = False,
        is_spent: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.verdict = verdict
        self.retry_after_s = retry_after_s
        self.is_number_bad = is_number_bad
        self.is_spent = is_spent


class Fate(StrEnum):
    """What a carrier says became of a message."""

    ACCEPTED = "accepted"
    """It has it, and is still at it."""
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    ABSENT = "absent"
    """It never had it: it may be sent again."""
    UNSURE = "unsure"
    """It cannot tell now."""


@dataclass(frozen=True)
class Report:
    """What a carrier says of one message: a receipt, or the answer to a look-up."""

    fate: Fate
    provider_id: str = ""
    reference: str = ""
    """Ours, when the carrier repeats it; else empty, and `provider_id` names the message."""
    sentence: str = ""
    """For staff, when it was not delivered; with the carrier's name and code in front."""
    is_number_bad: bool = False


@dataclass(frozen=True)
class Question:
    """A message of which we do not know whether the carrier took it."""

    to: str
    text: str
    reference: str
    provider_id: str
    """Empty when the carrier never told."""
    tried_at: datetime
    """UTC: when the request left."""


@dataclass(frozen=True)
class Callback:
    """A request that a carrier makes to us, as it came over the wire."""

    method: str
    url: str
    """As the carrier called it, with https:// and the query."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What somebody wrote back."""

    number: str
    """E.164."""
    text: str


@dataclass(frozen=True)
class News:
    """What a carrier's request tells, and what it wants to hear in answer."""

    reports: tuple[Report, ...] = ()
    replies: tuple[Reply, ...] = ()
    answer: str = ""
    answer_type: str = "text/plain"


class Forged(Exception):  # noqa: N818
    """A request that does not come from the carrier: its signature or its key is wrong."""


class SmsCarrier(Protocol):
    """One provider. Its methods are called by several threads at once."""

    name: str
    channel: Channel
    needs_template: bool
    """Whether it sends only texts that it approved before, by their code."""

    def send(self, sms: Sms) -> str:
        """The provider's id of the accepted message. Raises SendError."""
        ...

    def look_up(self, question: Question) -> Report:
        """What became of a message; UNSURE rather than a guess. Raises SendError.

        ABSENT only when the provider answered a question that would have found it.
        """
        ...

    def check(self) -> None:
        """Return if the provider can be reached and knows us. Raises SendError."""
        ...

    def read(self, callback: Callback) -> News:
        """What a receipt or a reply says. Raises Forged; ValueError when it cannot be read."""
        ...

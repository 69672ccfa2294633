"""What a carrier of short messages must do, and the one error that it raises."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Sms:
    """One short message to one number."""

    to: str
    """E.164."""
    text: str
    valid_s: int
    """For how many seconds from now it is worth delivering; a carrier may drop it after."""
    reference: str
    """Our own name for it, for carriers that keep one."""


class SendError(Exception):
    """A message that was surely not accepted, unless `ambiguous` says that nobody can tell.

    `retry_after_s` is what a carrier asked for; `permanent` means that sending it again is wrong.
    `message` is the sentence that staff see; it never holds the number.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        ambiguous: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.ambiguous = ambiguous
        self.retry_after_s = retry_after_s


class SmsCarrier(Protocol):
    """One provider."""

    name: str

    def send(self, sms: Sms) -> str:
        """The provider's id of the accepted message. Raises SendError."""
        ...

    def check(self) -> None:
        """Return if the provider can be reached and knows us. Raises SendError."""
        ...

"""Messages to the terminal instead of to phones, to try the system without a provider."""

import sys
import uuid
from typing import TextIO

from integrations.sms.protocol import Callback, Channel, Fate, Forged, News, Question, Report, Sms


class ConsoleCarrier:
    """Writes each message to a stream and accepts it."""

    name = "console"
    channel = Channel.SMS
    needs_template = False

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, sms: Sms) -> str:
        """A made-up id."""
        stream = self._stream or sys.stdout
        stream.write(f"SMS {_mask(sms.to)}  {sms.text}\n")
        stream.flush()
        return f"console-{uuid.uuid4().hex}"

    def look_up(self, question: Question) -> Report:
        """Unsure: a terminal does not remember."""
        return Report(Fate.UNSURE, question.provider_id, question.reference)

    def check(self) -> None:
        """A terminal is always there."""

    def read(self, _callback: Callback) -> News:
        """Raises Forged: a terminal calls nobody."""
        raise Forged("the console sends no receipts and no replies")


def _mask(number: str) -> str:
    """The last four digits behind stars: ********1234."""
    return "*" * max(len(number) - 4, 4) + number[-4:] if len(number) > 4 else "****"

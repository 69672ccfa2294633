"""The carriers of short messages by name; a new one is its file and one line here."""

from collections.abc import Callable, Mapping

from integrations.sms.console import ConsoleCarrier
from integrations.sms.protocol import SmsCarrier
from integrations.sms.twilio import TwilioCarrier

Options = Mapping[str, str]
"""A carrier's settings without its name in front: twilio_sender is `sender`."""

CARRIERS: dict[str, Callable[[Options], SmsCarrier]] = {
    "console": lambda _: ConsoleCarrier(),
    "twilio": lambda o: TwilioCarrier(
        o["account_sid"], o["auth_token"], o["sender"], o["base_url"]
    ),
}


def build_carrier(name: str, options: Options) -> SmsCarrier:
    """The named carrier. Raises ValueError for a name or an option that it cannot work with."""
    if name not in CARRIERS:
        raise ValueError(f"no such carrier: {name}; there are {', '.join(CARRIERS)}")
    return CARRIERS[name](options)

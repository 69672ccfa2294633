"""The carriers of messages that the settings name, in their order."""

from typing import Final

from card_server.config import Settings
from card_server.errors import AppError, Code
from integrations.sms.protocol import SmsCarrier
from integrations.sms.registry import build_carrier

CALLBACKS: Final = "/callbacks/sms/"
"""Before a carrier's name: where it reports receipts and replies."""


def build_carriers(settings: Settings) -> tuple[SmsCarrier, ...]:
    """At least one.

    Raises AppError(INVALID) when one is not configured, not installed or not known.
    """
    return tuple(build_one(name, settings) for name in settings.sms_providers)


def build_one(name: str, settings: Settings) -> SmsCarrier:
    """A carrier with its own settings: for twilio those that begin with `twilio_`.

    Raises AppError(INVALID).
    """
    prefix = f"{name}_"
    options = {
        field.removeprefix(prefix): str(value)
        for field, value in settings
        if field.startswith(prefix)
    }
    if name == "twilio":
        options["callback_url"] = _callback_url(name, settings.web_address)
    try:
        return build_carrier(name, options)
    except ValueError as error:
        raise AppError(Code.INVALID, f"Messages cannot be sent: {error}.") from error


def _callback_url(name: str, web_address: str) -> str:
    """Empty unless a carrier on the internet can reach us by https."""
    is_reachable = web_address.startswith("https://")
    return f"{web_address.rstrip('/')}{CALLBACKS}{name}" if is_reachable else ""

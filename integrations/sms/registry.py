"""The carriers of messages by name; a new one is its file and one entry here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from integrations.sms.protocol import SmsCarrier

Options = Mapping[str, str]
"""A carrier's settings without its name in front: twilio_sender is `sender`."""


@dataclass(frozen=True)
class Entry:
    """Where a carrier is, and what it cannot be without."""

    module: str
    """Imported only when the carrier is built: its SDK is heavy and may be absent."""
    carrier: str
    """The class in it; its constructor's arguments have the names of the options."""
    needs: tuple[str, ...] = ()
    """The options that must not be empty. Any other that is empty gets the carrier's own value."""
    extra: str = ""
    """What of this package's extras brings the SDK."""


CARRIERS: Final[Mapping[str, Entry]] = {
    "aliyun": Entry(
        "integrations.sms.aliyun",
        "AliyunCarrier",
        ("access_key_id", "access_key_secret"),
        "aliyun",
    ),
    "console": Entry("integrations.sms.console", "ConsoleCarrier"),
    "tencent": Entry(
        "integrations.sms.tencent",
        "TencentCarrier",
        ("secret_id", "secret_key", "sdk_app_id"),
        "tencent",
    ),
    "twilio": Entry(
        "integrations.sms.twilio",
        "TwilioCarrier",
        ("account_sid", "auth_token", "sender"),
        "server",
    ),
    "wecom": Entry(
        "integrations.sms.wecom",
        "WecomCarrier",
        ("corp_id", "secret", "agent_id"),
        "server",
    ),
}


def build_carrier(name: str, options: Options) -> SmsCarrier:
    """The named carrier.

    Raises ValueError with a sentence that names it, when there is none of that name, when a setting
    is empty or no good, or when its SDK is not installed.
    """
    entry = CARRIERS.get(name)
    if entry is None:
        raise ValueError(f"no such carrier: {name}; there are {', '.join(CARRIERS)}")
    for option in entry.needs:
        if not options.get(option):
            raise ValueError(f"{name} is not configured: {name}_{option} is empty")
    try:
        build: Callable[..., SmsCarrier] = getattr(import_module(entry.module), entry.carrier)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{name} is not installed ({error.name} is missing): "
            f"pip install campus-card[{entry.extra}]"
        ) from error
    try:
        return build(**{option: value for option, value in options.items() if value})
    except ValueError as error:
        raise ValueError(f"{name} is not configured: {error}") from error

"""Messages by Twilio, through its own SDK.

Source: Twilio's Messages resource (2010-04-01) and its error dictionary,
https://www.twilio.com/docs/api/errors. Twilio's own error texts repeat the number, so none of
them is passed on: what a code means stands in the table below.
"""

import re
import ssl
import threading
import time
from enum import Enum
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from integrations.sms.protocol import SendError, Sms

TIMEOUT_S: Final = 15.0
"""To connect, and then for each wait for an answer."""
_IDLE_S: Final = 5.0
"""A connection that was idle longer may be cut without a word on the way, and a message sent over
it would end as unknown; after this a new one is made."""
_VALID_S: Final = range(1, 36_001)
"""What Twilio takes as ValidityPeriod."""
_SERVICE_ID = re.compile(r"MG[0-9a-fA-F]{32}")


class Verdict(Enum):
    """What a refusal means for the message."""

    TEMPORARY = "surely not accepted; the same message may be sent later"
    PERMANENT = "surely not accepted, and never will be"
    AMBIGUOUS = "accepted or not: nobody can tell"


_T, _P, _A = Verdict.TEMPORARY, Verdict.PERMANENT, Verdict.AMBIGUOUS

ERRORS: Final[dict[int, tuple[Verdict, str]]] = {
    # The account: no message can leave until somebody has put it right.
    20003: (_T, "Twilio does not accept the account or its token."),
    20005: (_T, "The Twilio account is not active."),
    20403: (_T, "The Twilio account may not do this."),
    20404: (_T, "Twilio does not know the account or the messaging service."),
    20429: (_T, "Too many requests at once."),
    21730: (_T, "Twilio is under maintenance."),
    30001: (_T, "The sender's queue is full."),
    30002: (_T, "The Twilio account is suspended."),
    # The sender.
    21212: (_T, "The sender is not a number that Twilio knows."),
    21408: (_T, "The Twilio account may not send to this country."),
    21601: (_T, "The sender cannot send messages."),
    21603: (_T, "The sender is missing."),
    21606: (_T, "The sender cannot send messages to this destination."),
    21611: (_T, "The sender's queue is full."),
    21659: (_T, "The sender is not a Twilio number."),
    21660: (_T, "The sender belongs to another account."),
    21661: (_T, "The sender cannot send messages."),
    21701: (_T, "Twilio does not know the messaging service."),
    21703: (_T, "The messaging service has no number to send from."),
    21704: (_T, "The messaging service has no number to send from."),
    21705: (_T, "The messaging service is not a valid one."),
    21712: (_T, "The messaging service does not belong to this account."),
    # The parent's number.
    21211: (_P, "The number is not valid."),
    21214: (_P, "The number cannot be reached."),
    21217: (_P, "The number is not valid."),
    21266: (_P, "The number is the sender's own."),
    21604: (_P, "The number is missing."),
    21608: (_P, "A trial account sends to verified numbers only."),
    21610: (_P, "The parent has unsubscribed from this sender."),
    21612: (_P, "The number cannot be reached from this sender."),
    21614: (_P, "The number is not a mobile number."),
    21635: (_P, "The number is a landline."),
    30003: (_P, "The phone is off or out of reach."),
    30004: (_P, "The number blocks messages."),
    30005: (_P, "The number is not in service."),
    30006: (_P, "The number is a landline or its network takes no messages."),
    # The text.
    21602: (_P, "The text is missing."),
    21617: (_P, "The text is too long."),
    21619: (_P, "The text is missing."),
    30007: (_P, "The network filtered the message out."),
    30008: (_P, "The network refused the message and gave no reason."),
}
"""Twilio's code → what it means for the message, and the sentence that staff see."""

_STATUSES: Final[dict[int, tuple[Verdict, str]]] = {
    401: (_T, "Twilio does not accept the account or its token."),
    403: (_T, "The Twilio account may not do this."),
    404: (_T, "Twilio does not know the account or the messaging service."),
    408: (_A, "The answer took too long: the message may have been accepted."),
    429: (_T, "Too many requests at once."),
}
"""The same by HTTP status, for answers without a code of the table."""


class TwilioCarrier:
    """One Twilio account with one sender: a number or name, or a messaging service (MG…)."""

    name = "twilio"

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        sender: str,
        base_url: str,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        address = urlsplit(base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError("Twilio's address must begin with https:// and name a host")
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._base_url = base_url
        self._timeout_s = timeout_s
        field = "messaging_service_sid" if _SERVICE_ID.fullmatch(sender) else "from_"
        self._sender = {field: sender}
        self._mine = threading.local()

    def send(self, sms: Sms) -> str:
        """The SID of the accepted message. Raises SendError."""
        line = self._line()
        valid_s = min(max(sms.valid_s, _VALID_S.start), _VALID_S.stop - 1)
        try:
            message = line.client.messages.create(
                to=sms.to,
                body=sms.text,
                validity_period=valid_s,
                **self._sender,
            )
        except Exception as error:
            raise _explain(error, line.retry_after_s) from None
        if message.status in ("failed", "undelivered"):
            raise _verdict(message.error_code or 30008, 400)
        if not message.sid:
            raise SendError("Twilio: The answer names no message.", ambiguous=True)
        return str(message.sid)

    def check(self) -> None:
        """Return if Twilio answers and the account is active. Raises SendError."""
        line = self._line()
        try:
            account = line.client.api.v2010.accounts(self._account_sid).fetch()
        except Exception as error:
            raise _explain(error, line.retry_after_s) from None
        if account.status != "active":
            raise _verdict(20005, 400)

    def _line(self) -> "_Line":
        """This thread's own connection to Twilio."""
        line: _Line | None = getattr(self._mine, "line", None)
        if line is None or line.idle_s() > _IDLE_S:
            if line:
                line.close()
            line = self._mine.line = _Line(
                self._account_sid, self._auth_token, self._base_url, self._timeout_s
            )
        line.begin()
        return line


class _Line:
    """The SDK's client for one thread, and what the SDK does not pass on: Retry-After."""

    def __init__(self, account_sid: str, auth_token: str, base_url: str, timeout_s: float) -> None:
        self._http = TwilioHttpClient(
            timeout=timeout_s, request_hooks={"response": self._keep_headers}
        )
        self.client = Client(account_sid, auth_token, http_client=self._http)
        self.client.api.base_url = base_url
        self.begin()

    def begin(self) -> None:
        self._used_at = time.monotonic()
        self.retry_after_s: float | None = None

    def idle_s(self) -> float:
        return time.monotonic() - self._used_at

    def close(self) -> None:
        if self._http.session:
            self._http.session.close()

    def _keep_headers(self, answer: requests.Response, *_: Any, **__: Any) -> None:
        asked = answer.headers.get("Retry-After", "")
        # Twilio names seconds; the date that RFC 9110 §10.2.3 also allows is left to back-off.
        self.retry_after_s = float(asked) if asked.isascii() and asked.isdigit() else None


def _explain(error: Exception, retry_after_s: float | None) -> SendError:
    """What went wrong, in our words. Whatever is not known for sure is ambiguous."""
    if isinstance(error, (TwilioRestException, TwilioServiceException)):
        return _verdict(error.code, error.status, retry_after_s)
    if isinstance(error, requests.RequestException) and _never_connected(error):
        return SendError("Twilio cannot be reached; nothing was sent.")
    if isinstance(error, requests.Timeout):
        return _say(_A, "Twilio", "The answer took too long: the message may have been accepted.")
    if isinstance(error, requests.RequestException):
        return _say(_A, "Twilio", "The connection was cut: the message may have been accepted.")
    return _say(_A, "Twilio", "The answer cannot be read: the message may have been accepted.")


def _verdict(code: object, status: object, retry_after_s: float | None = None) -> SendError:
    """What a refusal with Twilio's code, or else with the HTTP status alone, means."""
    who = f"Twilio {code}"
    if not isinstance(status, int) or not 400 <= status < 500:
        return _say(_A, who, "Twilio failed: the message may have been accepted.")
    known = ERRORS.get(code) if isinstance(code, int) else None
    if status == 429:
        # Whatever the code, the request was not taken and may come again.
        known = known if known and known[0] is _T else _STATUSES[429]
    verdict, sentence = (
        known or _STATUSES.get(status) or (_P, "Twilio refuses the message; look the code up.")
    )
    return _say(verdict, who, sentence, retry_after_s)


def _say(
    verdict: Verdict, who: str, sentence: str, retry_after_s: float | None = None
) -> SendError:
    return SendError(
        f"{who}: {sentence}",
        permanent=verdict is _P,
        ambiguous=verdict is _A,
        retry_after_s=retry_after_s if verdict is _T else None,
    )


_BEFORE_SENDING = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    ssl.SSLCertVerificationError,
)


def _never_connected(error: BaseException) -> bool:
    """Whether the connection failed before a request could go over it."""
    seen: set[int] = set()
    causes: list[object] = [error]
    while causes:
        cause = causes.pop()
        if isinstance(cause, _BEFORE_SENDING):
            return True
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            causes += [*cause.args, getattr(cause, "reason", None), cause.__cause__]
    return False

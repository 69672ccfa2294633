"""Messages by Twilio, through its own SDK: the Messages resource of 2010-04-01."""

import logging
import re
import threading
import time
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from twilio.base.exceptions import (
    TwilioException,
    TwilioRestException,
    TwilioServiceException,
)
from twilio.base.version import Version
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from integrations.sms.answers import explain_failure, read_retry_after
from integrations.sms.protocol import (
    Callback,
    Channel,
    Fate,
    Forged,
    News,
    Question,
    Reply,
    Report,
    SendError,
    Sms,
    Verdict,
)
from integrations.sms.twilio_codes import (
    NOT_ACTIVE,
    explain_fate,
    explain_loss,
    explain_refusal,
)

API: Final = "https://api.twilio.com"
TIMEOUT_S: Final = 15.0
"""To connect, and then for each wait for an answer."""
_IDLE_S: Final = 5.0
"""A connection that was idle longer may be cut without a word on the way, and a message sent over
it would end as unknown; after this a new one is made."""
_VALID_S: Final = range(1, 36_001)
"""What Twilio takes as ValidityPeriod."""
_SERVICE_ID = re.compile(r"MG[0-9a-fA-F]{32}")

_CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""A message that Twilio dates so much before we sent it may still be ours."""
_SETTLED_S: Final = 60
"""From then on what Twilio took stands in its list."""
_PAGE: Final = 200
_MOST_LISTED: Final = 1000
"""A number with more messages than that may have one that we did not see."""
_NOTHING_TO_SAY: Final = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""TwiML by which nobody gets an answer."""


class TwilioCarrier:
    """One Twilio account with one sender: a number or name, or a messaging service (MG…).

    `callback_url` is where Twilio reports what became of a message; empty for no receipts.
    """

    name = "twilio"
    channel = Channel.SMS
    needs_template = False

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        sender: str,
        base_url: str = API,
        timeout_s: float = TIMEOUT_S,
        *,
        callback_url: str = "",
    ) -> None:
        address = urlsplit(base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError("Twilio's address must begin with https:// and name a host")
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._callback_url = callback_url
        self._validator = RequestValidator(auth_token)
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
                **self._receipt_to(sms.reference),
            )
        except Exception as error:
            raise _explain(error, line.retry_after_s) from None
        if message.status in ("failed", "undelivered"):
            raise explain_loss(message.error_code)
        if not message.sid:
            raise SendError("Twilio: The answer names no message.", Verdict.AMBIGUOUS)
        return str(message.sid)

    def look_up(self, question: Question) -> Report:
        """By its SID, or else among all that the number was sent. Raises SendError."""
        line = self._line()
        try:
            if question.provider_id:
                found = line.client.messages(question.provider_id).fetch()
            else:
                found, is_sure = _find(line.client, question)
        except Exception as error:
            if question.provider_id and getattr(error, "status", None) == 404:
                # It was there once, so it must not be sent again.
                return Report(Fate.UNSURE, question.provider_id, question.reference)
            raise _explain(error, line.retry_after_s) from None
        if found is None:
            return Report(Fate.ABSENT if is_sure else Fate.UNSURE, reference=question.reference)
        fate, sentence, is_number_bad = explain_fate(found.status, found.error_code)
        return Report(fate, str(found.sid), question.reference, sentence, is_number_bad)

    def check(self) -> None:
        """Return if Twilio answers and the account is active. Raises SendError."""
        line = self._line()
        try:
            account = line.client.api.v2010.accounts(self._account_sid).fetch()
        except Exception as error:
            raise _explain(error, line.retry_after_s) from None
        if account.status != "active":
            raise explain_loss(NOT_ACTIVE)

    def read(self, callback: Callback) -> News:
        """A receipt or a reply. Raises Forged; ValueError when it is neither."""
        fields = _Fields(parse_qs(callback.body.decode(errors="replace"), keep_blank_values=True))
        signature = callback.headers.get("x-twilio-signature", "")
        if not self._validator.validate(callback.url, fields, signature):
            raise Forged("X-Twilio-Signature is missing or wrong")
        if fields.first("MessageStatus"):
            return News(reports=(_read_receipt(fields, callback.url),))
        if fields.first("From"):
            return News((), (_read_reply(fields),), _NOTHING_TO_SAY, "text/xml")
        raise ValueError("Twilio's request is neither a receipt nor a reply")

    def _receipt_to(self, reference: str) -> dict[str, str]:
        """With our reference, a receipt finds its message even if the SID never reached us."""
        if not self._callback_url:
            return {}
        query = urlencode({"reference": reference})
        return {"status_callback": f"{self._callback_url}?{query}"}

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
            timeout=timeout_s,
            request_hooks={"response": self._keep_headers},
            # The SDK would log each question, and the number in it, at level INFO.
            logger=logging.Logger("twilio", logging.WARNING),
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
        self.retry_after_s = read_retry_after(answer.headers.get("Retry-After"))


# --- Looking a message up --------------------------------------------------------------------


def _find(client: Client, question: Question) -> tuple[Any, bool]:
    """The message with this text to this number, or None and whether it is surely not there.

    Twilio can narrow its list down by the date of sending only, and what still waits in its queue
    has none: so all that the number was ever sent is read, newest first, until the message shows.
    """
    since = question.tried_at - _CLOCKS_DIFFER
    gist, seen, is_hidden = _gist(question.text), 0, False
    for message in client.messages.stream(to=question.to, limit=_MOST_LISTED, page_size=_PAGE):
        seen += 1
        if message.date_created is None or message.date_created >= since:
            if _gist(message.body or "").endswith(gist):
                return message, True
            is_hidden = is_hidden or not message.body  # the account has Twilio forget texts
    age_s = (datetime.now(UTC) - question.tried_at).total_seconds()
    return None, age_s >= _SETTLED_S and seen < _MOST_LISTED and not is_hidden


def _gist(text: str) -> str:
    """Letters and digits alone: Twilio may exchange quotes, dashes and blanks for others of GSM-7.

    A trial account's text has a sentence in front, so a gist is compared from its end.
    """
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text)))


# --- Reading what Twilio sends ---------------------------------------------------------------


class _Fields(dict[str, list[str]]):
    """A form whose fields may come twice, as the SDK's validator wants it."""

    def getlist(self, name: str) -> list[str]:
        return self[name]

    def first(self, name: str) -> str:
        return self.get(name, [""])[0]


def _read_receipt(fields: _Fields, url: str) -> Report:
    code = fields.first("ErrorCode")
    fate, sentence, is_number_bad = explain_fate(
        fields.first("MessageStatus"), int(code) if code.isdecimal() else None
    )
    reference = parse_qs(urlsplit(url).query).get("reference", [""])[0]
    return Report(fate, fields.first("MessageSid"), reference, sentence, is_number_bad)


def _read_reply(fields: _Fields) -> Reply:
    """A word that Twilio itself understood as an opt-out, in whatever language, is STOP to us."""
    is_stop = fields.first("OptOutType") == "STOP"
    return Reply(fields.first("From"), "STOP" if is_stop else fields.first("Body"))


# --- What went wrong, in our words -----------------------------------------------------------


def _explain(error: Exception, retry_after_s: float | None) -> SendError:
    """What Twilio's refusal means; whatever is not known for sure is ambiguous."""
    if type(error) is TwilioException and len(error.args) == 2:
        # A list that is refused comes as the bare answer, for once.
        error = Version.exception("GET", "", error.args[1], "")
    if isinstance(error, (TwilioRestException, TwilioServiceException)):
        return explain_refusal(error.code, error.status, retry_after_s)
    return explain_failure("Twilio", error)

"""Messages to parents by WeCom's school notices (企业微信家校沟通，「学校通知」).

Source: https://developer.work.weixin.qq.com/document/path/92321 (sending) and path/91039 (access
tokens). There is no SDK of WeCom's own. A parent is named by `parent_userid` of the school's
address book (家校通讯录); `to_external_user`, the older way, is marked there as about to end.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec
import requests

from integrations.sms.answers import (
    explain_code,
    explain_failure,
    explain_status,
    read_retry_after,
)
from integrations.sms.connections import Connections
from integrations.sms.protocol import (
    Callback,
    Channel,
    Fate,
    Forged,
    News,
    Question,
    Report,
    SendError,
    Sms,
    Verdict,
)
from integrations.sms.wecom_codes import CODES, SPENT_TOKEN, UNHEARD_OF, UNKNOWN_PARENT

TIMEOUT_S: Final = 15.0
"""To connect, and then for each wait for an answer."""
ADDRESS: Final = "https://qyapi.weixin.qq.com"
SAME_FOR_S: Final = 14_400
"""For how long WeCom shows a parent a second copy of the same message not at all: its longest."""
_EARLY_S: Final = 300.0
"""How long before its end an access token is replaced."""
_PAUSE_S: Final = 5.0
"""After WeCom refused an access token, for how long nobody asks for one."""


class WecomCarrier:
    """One app of a school's WeCom, which its parents may use (家长可使用的应用)."""

    name = "wecom"
    channel = Channel.WECOM
    needs_template = False

    def __init__(
        self,
        *,
        corp_id: str,
        secret: str,
        agent_id: str,
        base_url: str = "",
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = (base_url or ADDRESS).rstrip("/")
        parts = urlsplit(self._address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("WeCom's address must begin with https:// and name a host")
        if not (agent_id.isascii() and agent_id.isdigit()):
            raise ValueError("WeCom's agent id must be a number")
        self._account = {"corpid": corp_id, "corpsecret": secret}
        self._agent_id = int(agent_id)
        self._timeout_s = timeout_s
        self._token = _Token(self._fetch_token, clock)
        self._sessions = Connections(requests.Session)
        logging.getLogger("urllib3.connectionpool").addFilter(_NO_SECRETS)

    def send(self, sms: Sms) -> str:
        """Empty: WeCom gives an accepted notice no id. Raises SendError."""
        notice = {
            "recv_scope": 0,
            "to_parent_userid": [sms.to],
            "msgtype": "text",
            "agentid": self._agent_id,
            "text": {"content": sms.text},
            "enable_duplicate_check": 1,
            "duplicate_check_interval": SAME_FOR_S,
        }
        answer = self._ask("/cgi-bin/externalcontact/message/send", {}, notice)
        if sms.to.casefold() in (parent.casefold() for parent in answer.refused_parents()):
            raise explain_code("WeCom", UNKNOWN_PARENT)
        return ""

    def look_up(self, question: Question) -> Report:
        """Always UNSURE: WeCom tells nothing of a notice after its answer.

        Its duplicate check is no look-up either: to the same notice it answers "ok" whether it
        shows it or not. But it makes a second try by a person harmless for `SAME_FOR_S`.
        """
        return Report(Fate.UNSURE, question.provider_id, question.reference)

    def check(self) -> None:
        """Return if WeCom answers, and company, secret and app fit. Raises SendError."""
        self._ask("/cgi-bin/agent/get", {"agentid": str(self._agent_id)}, None)

    def read(self, callback: Callback) -> News:
        """Raises Forged: WeCom reports nothing of school notices, so nobody may claim to."""
        raise Forged("WeCom sends no receipts")

    def _ask(self, path: str, query: Mapping[str, str], body: object | None) -> "_Answer":
        """The answer, which says ok. Raises SendError."""
        token = self._token.get()
        answer = self._call(path, {**query, "access_token": token}, body)
        if answer.errcode in SPENT_TOKEN:
            # Nothing was done, so the same may be asked once more.
            token = self._token.get(spent=token)
            answer = self._call(path, {**query, "access_token": token}, body)
        if answer.errcode:
            raise _refuse(answer)
        return answer

    def _fetch_token(self) -> tuple[str, float]:
        """An access token and for how many seconds it holds.

        Raises SendError, which is never AMBIGUOUS: a message has not been sent by then.
        """
        try:
            answer = self._call("/cgi-bin/gettoken", self._account, None)
            refusal = None if answer.access_token else _refuse(answer)
        except SendError as error:
            refusal = error
        if refusal:
            quota = refusal.verdict is Verdict.QUOTA
            verdict = Verdict.QUOTA if quota else Verdict.TEMPORARY
            raise SendError(refusal.message, verdict, retry_after_s=refusal.retry_after_s)
        return answer.access_token, answer.expires_in

    def _call(self, path: str, query: Mapping[str, str], body: object | None) -> "_Answer":
        """The answer, whatever it says. Raises SendError, which carries nothing of the cause."""
        try:
            response = self._sessions.mine().request(
                "GET" if body is None else "POST",
                self._address + path,
                params=query,
                json=body,
                timeout=self._timeout_s,
                allow_redirects=False,
            )
            if response.status_code == 200:
                return msgspec.json.decode(response.content, type=_Answer)
            retry_after_s = read_retry_after(response.headers.get("Retry-After"))
            problem = explain_status("WeCom", response.status_code, retry_after_s)
        except (requests.RequestException, msgspec.MsgspecError, UnicodeDecodeError) as error:
            problem = explain_failure("WeCom", error)
        raise problem


class _Answer(msgspec.Struct):
    """What WeCom answers, to whatever was asked."""

    errcode: int
    access_token: str = ""
    expires_in: float = 0
    invalid_parent_userid: list[str] | None = None
    invalid_external_user: list[str] | None = None

    def refused_parents(self) -> list[str]:
        """Those of an accepted notice to whom it will not go all the same."""
        return [*(self.invalid_parent_userid or ()), *(self.invalid_external_user or ())]


def _refuse(answer: _Answer) -> SendError:
    return explain_code(f"WeCom {answer.errcode}", CODES.get(answer.errcode, UNHEARD_OF))


class _Token:
    """The access token that all threads share; one of them fetches it while the others wait."""

    def __init__(self, fetch: Callable[[], tuple[str, float]], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._value = ""
        self._ends_at = 0.0
        self._refusal: SendError | None = None
        self._refused_until = 0.0

    def get(self, spent: str = "") -> str:
        """A token other than the spent one, if WeCom gives one. Raises SendError."""
        with self._lock:
            now = self._clock()
            if self._value and self._value != spent and now < self._ends_at:
                return self._value
            if self._refusal and now < self._refused_until:
                # Those who waited for the same refusal do not ask for it one after the other.
                raise SendError(self._refusal.message, self._refusal.verdict)
            try:
                self._value, lasts_s = self._fetch()
            except SendError as error:
                self._refusal, self._refused_until = error, self._clock() + _PAUSE_S
                raise
            self._refusal = None
            self._ends_at = now + lasts_s - _EARLY_S
            return self._value


class _NoSecrets(logging.Filter):
    """Keeps WeCom's tokens, which it wants in the address, out of what urllib3 writes down."""

    _SECRET = re.compile(r"\b(access_token|corpsecret)=[^&\s]*")

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                self._SECRET.sub(r"\1=…", one) if isinstance(one, str) else one
                for one in record.args
            )
        return True


_NO_SECRETS: Final = _NoSecrets()

"""Messages by Tencent Cloud (腾讯云短信), through its own SDK.

Source: the API's version 2021-01-11 (https://cloud.tencent.com/document/product/382/55981) and its
callbacks (382/5807, 382/5809). What Tencent and its SDK say of an error may repeat the number, and
the SDK logs whole requests, so neither is passed on.
"""

import hmac
import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.common.retry import NoopRetryer
from tencentcloud.sms.v20210111 import models
from tencentcloud.sms.v20210111.sms_client import SmsClient

from integrations.sms.answers import (
    Meaning,
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
    Reply,
    Report,
    SendError,
    Sms,
    Verdict,
)
from integrations.sms.tencent_codes import RECEIPTS, UNNAMED_RECEIPT, meaning_of

TIMEOUT_S: Final = 15.0
"""To connect, and then for each wait for an answer."""
ADDRESS: Final = "https://sms.tencentcloudapi.com"
_BEFORE: Final = timedelta(minutes=1)
"""How far Tencent's clock and ours may differ."""
_KEPT: Final = timedelta(days=7)
"""For how long Tencent tells what became of a message."""
_MOST_STATUSES: Final = 100
_CHINA: Final = ZoneInfo("Asia/Shanghai")
_THANKS: Final = '{"result":0,"errmsg":"OK"}'
_NO_MESSAGE: Final = Meaning(Verdict.AMBIGUOUS, "The answer names no message.")
_CODE = re.compile(r"[A-Za-z]+(\.[A-Za-z0-9]+)*")
_RECEIPT_CODE = re.compile(r"[A-Za-z]{0,12}[:_-]?[0-9]{0,5}")
_OUR_REFERENCE = re.compile(r"[0-9a-z-]{1,48}")


class TencentCarrier:
    """One SMS application (SdkAppId) of a Tencent Cloud account."""

    name = "tencent"
    channel = Channel.SMS
    needs_template = True

    def __init__(
        self,
        *,
        secret_id: str,
        secret_key: str,
        sdk_app_id: str,
        region: str = "ap-guangzhou",
        base_url: str = "",
        callback_key: str = "",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        try:
            self._credential = Credential(secret_id, secret_key)
        except TencentCloudSDKException:
            raise ValueError(
                "Tencent's secret id or key is empty or has spaces around it"
            ) from None
        self._scheme, self._endpoint = _split_address(base_url or ADDRESS)
        self._sdk_app_id = sdk_app_id
        self._region = region
        self._callback_key = callback_key.encode()
        self._timeout_s = timeout_s
        self._clients = Connections(self._connect)
        # It would write each request down, number and all.
        logging.getLogger("tencentcloud_sdk_common").disabled = True

    def send(self, sms: Sms) -> str:
        """The serial number (SerialNo) of the accepted message. Raises SendError."""
        if not sms.template:
            raise SendError("Tencent: No approved template is entered for this kind of message.")
        request = models.SendSmsRequest()
        request.SmsSdkAppId = self._sdk_app_id
        request.PhoneNumberSet = [sms.to]
        request.SignName = sms.signature
        request.TemplateId = sms.template
        request.TemplateParamSet = [value for _, value in sms.slots]
        request.SessionContext = sms.reference
        return _read_acceptance(self._ask("SendSms", request).SendStatusSet, sms.to)

    def look_up(self, question: Question) -> Report:
        """What the networks reported of a message; UNSURE when none names it. Raises SendError.

        Tencent tells only of messages on which a network has reported, and it names ours by its
        serial number, and by our reference once the school has asked Tencent to repeat it
        (SessionContext). Any other status to the same number, however near in time, may be of
        another message. And since reports come late or never, their lack is no proof that Tencent
        does not have the message: this is never ABSENT.
        """
        now = datetime.now(UTC)
        request = models.PullSmsSendStatusByPhoneNumberRequest()
        request.SmsSdkAppId = self._sdk_app_id
        request.PhoneNumber = question.to
        request.BeginTime = _unix(max(question.tried_at - _BEFORE, now - _KEPT + _BEFORE))
        request.EndTime = _unix(now + _BEFORE)
        request.Offset = 0  # the only one that Tencent takes, so there are no further pages
        request.Limit = _MOST_STATUSES
        statuses = self._ask("PullSmsSendStatusByPhoneNumber", request).PullSmsSendStatusSet or ()
        reports = [
            _report(one.ReportStatus, one.Description, one.SerialNo, one.SessionContext)
            for one in statuses
            if _is_ours(one, question)
        ]
        failed = [report for report in reports if report.fate is Fate.UNDELIVERED]
        if reports:
            # A long message may have one status for each part.
            return (failed or reports)[0]
        # A serial number was given with the acceptance.
        fate = Fate.ACCEPTED if question.provider_id else Fate.UNSURE
        return Report(fate, question.provider_id, question.reference)

    def check(self) -> None:
        """Return if Tencent answers and knows account and application. Raises SendError."""
        hour = datetime.now(_CHINA).strftime("%Y%m%d%H")
        request = models.SendStatusStatisticsRequest()
        request.SmsSdkAppId = self._sdk_app_id
        request.BeginTime = request.EndTime = hour
        request.Limit = request.Offset = 0
        self._ask("SendStatusStatistics", request)

    def read(self, callback: Callback) -> News:
        """What receipts or a reply say. Raises Forged; ValueError when they cannot be read.

        Tencent signs nothing, so the address that it is given ends in a key.
        """
        key = urlsplit(callback.url).path.rpartition("/")[2].encode()
        if not self._callback_key or not hmac.compare_digest(key, self._callback_key):
            raise Forged("the key at the end of the address is wrong")
        notices = _read_notices(callback.body)
        return News(
            reports=tuple(
                _report(one.report_status, one.errmsg, one.sid, one.ext)
                for one in notices
                if one.text is None
            ),
            replies=tuple(
                Reply(f"+{one.nationcode}{one.mobile}", one.text)
                for one in notices
                if one.text is not None
            ),
            answer=_THANKS,
            answer_type="application/json",
        )

    def _ask(self, action: str, request: object) -> Any:
        """The answer to one request. Raises SendError, which carries nothing of the SDK's error."""
        client = self._clients.mine()
        try:
            return getattr(client, action)(request)
        except TencentCloudSDKException as error:
            problem = _explain(error, client.retry_after_s)
        raise problem

    def _connect(self) -> "_Client":
        profile = ClientProfile(
            httpProfile=HttpProfile(
                protocol=self._scheme, endpoint=self._endpoint, reqTimeout=self._timeout_s
            ),
            language="en-US",
            retryer=NoopRetryer(),  # what is repeated may arrive twice
        )
        return _Client(self._credential, self._region, profile)


class _HttpError(TencentCloudSDKException):  # type: ignore[misc]  # the SDK has no types
    """An answer with another HTTP status than 200, which the API itself never gives."""

    def __init__(self, status: int) -> None:
        super().__init__("HttpError")
        self.status = status


class _Client(SmsClient):  # type: ignore[misc]
    """The SDK's client, which keeps what the SDK drops: the HTTP status and Retry-After."""

    retry_after_s: float | None = None

    def _check_status(self, resp_inter: Any) -> None:
        self.retry_after_s = read_retry_after(resp_inter.headers.get("Retry-After"))
        if resp_inter.status_code != 200:
            raise _HttpError(resp_inter.status_code)


def _split_address(address: str) -> tuple[str, str]:
    """Scheme and host with port; Tencent's requests have no path."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise ValueError("Tencent's address must be https:// and a host, without a path")
    return parts.scheme, parts.netloc


def _read_acceptance(statuses: Sequence[Any] | None, number: str) -> str:
    """The serial number for the one number that was asked for.

    The request as a whole may have succeeded when its number was refused.
    """
    if not statuses or len(statuses) > 1 or statuses[0].PhoneNumber not in (number, "", None):
        raise explain_code("Tencent", _NO_MESSAGE)
    status = statuses[0]
    if status.Code != "Ok":
        raise _refuse(status.Code, None)
    if not status.SerialNo:
        raise explain_code("Tencent", _NO_MESSAGE)
    return str(status.SerialNo)


def _explain(error: TencentCloudSDKException, retry_after_s: float | None) -> SendError:
    """What went wrong, in our words."""
    if isinstance(error, _HttpError):
        return explain_status("Tencent", error.status, retry_after_s)
    if not error.requestId:
        # Not Tencent's own: the SDK makes one of whatever happens to it.
        return explain_failure("Tencent", error.__context__)
    return _refuse(error.code, retry_after_s)


def _refuse(code: object, retry_after_s: float | None) -> SendError:
    known = code if isinstance(code, str) and _CODE.fullmatch(code) else ""
    return explain_code(f"Tencent {known}".rstrip(), meaning_of(known), retry_after_s)


def _is_ours(status: Any, question: Question) -> bool:
    if question.provider_id:
        return bool(status.SerialNo == question.provider_id)
    return bool(question.reference and status.SessionContext == question.reference)


def _report(status: str, code: str | None, serial: str, reference: str | None) -> Report:
    """A network's report; `code` is DELIVRD, or says why it was not delivered."""
    ours = reference if reference and _OUR_REFERENCE.fullmatch(reference) else ""
    if status == "SUCCESS":
        return Report(Fate.DELIVERED, serial, ours)
    named = code if code and _RECEIPT_CODE.fullmatch(code) else ""
    sentence = f"{f'Tencent {named}'.rstrip()}: {RECEIPTS.get(named, UNNAMED_RECEIPT)}"
    return Report(Fate.UNDELIVERED, serial, ours, sentence)


class _Notice(msgspec.Struct):
    """A receipt, or a reply if it has a text."""

    nationcode: str = ""
    mobile: str = ""
    report_status: str = ""
    errmsg: str | None = None
    sid: str = ""
    ext: str | None = None
    text: str | None = None


def _read_notices(body: bytes) -> list[_Notice]:
    """The notices of one request: a list of receipts, or one reply. Raises ValueError."""
    try:
        notices = msgspec.json.decode(body, type=list[_Notice] | _Notice)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("Tencent's notice cannot be read") from None
    notices = notices if isinstance(notices, list) else [notices]
    if not all(_is_whole(one) for one in notices):
        raise ValueError("Tencent's notice lacks a field or has a strange one")
    return notices


def _is_whole(notice: _Notice) -> bool:
    if notice.text is None:
        return bool(notice.sid) and notice.report_status in ("SUCCESS", "FAIL")
    number = notice.nationcode + notice.mobile
    return number.isascii() and number.isdigit() and 7 <= len(number) <= 15


def _unix(moment: datetime) -> int:
    return int(moment.timestamp())

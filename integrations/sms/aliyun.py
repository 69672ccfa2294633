"""Messages by Aliyun (阿里云短信), through its own SDK: Dysmsapi of 2017-05-25.

Source: https://help.aliyun.com/document_detail/419273.html (SendSms), …/419277.html
(QuerySendDetails). How Aliyun calls us stands in `aliyun_callbacks.py`.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_dysmsapi20170525.models import (
    QuerySendDetailsRequest,
    QuerySmsSignListRequest,
    SendSmsRequest,
)
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.policy.retry import RetryOptions
from darabonba.runtime import RuntimeOptions

from integrations.sms.aliyun_callbacks import read_callback
from integrations.sms.aliyun_codes import STILL_WAITING, explain_receipt, explain_refusal
from integrations.sms.aliyun_line import open_line
from integrations.sms.answers import explain_failure
from integrations.sms.protocol import (
    Callback,
    Channel,
    Fate,
    News,
    Question,
    Report,
    SendError,
    Sms,
    Verdict,
)

API: Final = "https://dysmsapi.aliyuncs.com"
TIMEOUT_S: Final = 15.0
"""To connect, and then for each wait for an answer."""

_ZONE: Final = ZoneInfo("Asia/Shanghai")
"""In which Aliyun counts days, wherever the school is."""
_CLOCKS_DIFFER: Final = timedelta(minutes=15)
"""Aliyun takes requests of clocks that differ by so much, and dates messages by its own."""
_SETTLED: Final = timedelta(seconds=60)
"""From then on what Aliyun took stands in its records."""
_PAGE: Final = 50
_MOST_PAGES: Final = 10
"""A number that got more messages in a day may have one that we did not see."""
_FATES: Final = {"1": Fate.ACCEPTED, "2": Fate.UNDELIVERED, "3": Fate.DELIVERED}
"""Aliyun's SendStatus."""
_MAINLAND: Final = re.compile(r"\+86(1[0-9]{10})")


class AliyunCarrier:
    """One Aliyun account, or a RAM user of it.

    `callback_key` ends the address on which Aliyun reports to us; empty for no receipts.
    """

    name = "aliyun"
    channel = Channel.SMS
    needs_template = True

    def __init__(
        self,
        *,
        access_key_id: str,
        access_key_secret: str,
        base_url: str = "",
        callback_key: str = "",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        address = urlsplit(base_url or API)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError("Aliyun's address must begin with https:// and name a host")
        if not access_key_id or not access_key_secret:
            raise ValueError("Aliyun needs an AccessKey ID and its secret")
        self._callback_key = callback_key
        self._line = open_line(address.scheme, address.netloc)
        self._client = Client(
            Config(
                access_key_id=access_key_id,
                access_key_secret=access_key_secret,
                protocol=address.scheme,
                endpoint=address.netloc,
                connect_timeout=round(timeout_s * 1000),
                read_timeout=round(timeout_s * 1000),
                # A second try of the SDK could be a second message.
                retry_options=RetryOptions({"retryable": False}),
            )
        )

    def send(self, sms: Sms) -> str:
        """The BizId of the accepted message. Raises SendError."""
        if not sms.template:
            raise SendError("Aliyun: This text has no template; set its template code (SMS_…).")
        if not sms.signature:
            raise SendError("Aliyun: The school's signature is not set.")
        request = SendSmsRequest(
            phone_numbers=_written_for_aliyun(sms.to),
            sign_name=sms.signature,
            template_code=sms.template,
            template_param=json.dumps(dict(sms.slots), ensure_ascii=False) if sms.slots else None,
            out_id=sms.reference,
        )
        biz_id = self._ask(self._client.send_sms_with_options, request).get("BizId")
        if not biz_id:
            raise SendError("Aliyun: The answer names no message.", Verdict.AMBIGUOUS)
        return str(biz_id)

    def look_up(self, question: Question) -> Report:
        """In Aliyun's record of the number's day, by our reference. Raises SendError."""
        today = datetime.now(UTC).astimezone(_ZONE).date()
        days = _days_of(question.tried_at)
        is_sure = True
        for day in days:
            if day > today:
                is_sure = False  # for Aliyun's clock it may have begun
                continue
            rows, is_whole = self._rows_of(question, day)
            found = next((row for row in rows if _is_asked_for(row, question)), None)
            if found:
                return _read_row(found, question)
            # A row without a reference may be any message, also ours.
            is_sure = is_sure and is_whole and all(row.get("OutId") for row in rows)
        # What has a BizId was there once, so it must not be sent again.
        is_sure = is_sure and not question.provider_id
        is_sure = is_sure and datetime.now(UTC) - question.tried_at >= _SETTLED
        fate = Fate.ABSENT if is_sure else Fate.UNSURE
        return Report(fate, question.provider_id, question.reference)

    def check(self) -> None:
        """Return if Aliyun answers and the keys may ask for signatures. Raises SendError."""
        request = QuerySmsSignListRequest(page_index=1, page_size=1)
        self._ask(self._client.query_sms_sign_list_with_options, request)

    def read(self, callback: Callback) -> News:
        """Receipts or replies. Raises Forged; ValueError when they cannot be read."""
        return read_callback(callback, self._callback_key)

    def _rows_of(self, question: Question, day: date) -> tuple[list[dict[str, Any]], bool]:
        """What Aliyun sent to the number on a day, and whether that is all of it."""
        rows: list[dict[str, Any]] = []
        for page in range(1, _MOST_PAGES + 1):
            request = QuerySendDetailsRequest(
                phone_number=_written_for_aliyun(question.to),
                biz_id=question.provider_id or None,
                send_date=day.strftime("%Y%m%d"),
                page_size=_PAGE,
                current_page=page,
            )
            body = self._ask(self._client.query_send_details_with_options, request)
            added = (body.get("SmsSendDetailDTOs") or {}).get("SmsSendDetailDTO") or []
            rows += added
            # Aliyun is known to count messages of which it shows none.
            total = _read_count(body.get("TotalCount"))
            if total is None or not added or len(rows) >= total:
                return rows, total is not None and len(rows) >= total
        return rows, False

    def _ask(self, call: Callable[[Any, Any], Any], request: Any) -> dict[str, Any]:
        """What Aliyun answers when it says OK. Raises SendError.

        It is raised outside of the `except`, so that it does not carry the SDK's error with it:
        that one holds the number, the text and the signed request.
        """
        self._line.begin()
        body: dict[str, Any] = {}
        try:
            body = call(request, RuntimeOptions()).body.to_map()
            code = str(body.get("Code") or "")
        except AlibabaCloudException as refusal:
            code = refusal.code if refusal.code != "None" else ""
        except Exception:
            code = ""
        if code == "OK":
            return body
        seen = self._line.seen
        if seen.status is None or (seen.status == 200 and not code):
            raise explain_failure("Aliyun", seen.failure)
        raise explain_refusal(code, seen.status, seen.retry_after_s)


def _written_for_aliyun(number: str) -> str:
    """Mainland numbers without the country's code, all others with it but without the plus."""
    mainland = _MAINLAND.fullmatch(number)
    return mainland[1] if mainland else number.removeprefix("+")


def _days_of(tried_at: datetime) -> list[date]:
    """On which of Aliyun's days a message may stand: near midnight on either."""
    moments: Iterator[datetime] = (tried_at + by for by in (-_CLOCKS_DIFFER, _CLOCKS_DIFFER))
    return sorted({moment.astimezone(_ZONE).date() for moment in moments})


def _is_asked_for(row: dict[str, Any], question: Question) -> bool:
    """Asked by BizId, Aliyun shows that one message only; it does not repeat the BizId."""
    named = row.get("OutId")
    return bool(named == question.reference if named else question.provider_id)


def _read_row(row: dict[str, Any], question: Question) -> Report:
    fate = _FATES.get(str(row.get("SendStatus")), Fate.UNSURE)
    code = str(row.get("ErrCode") or "")
    if fate is not Fate.UNDELIVERED:
        return Report(fate, question.provider_id, question.reference)
    if code == STILL_WAITING:
        return Report(Fate.ACCEPTED, question.provider_id, question.reference)
    sentence, is_number_bad = explain_receipt(code)
    return Report(fate, question.provider_id, question.reference, sentence, is_number_bad)


def _read_count(count: object) -> int | None:
    """Aliyun writes it as a number or as a text."""
    written = str(count)
    return int(written) if written.isascii() and written.isdigit() else None

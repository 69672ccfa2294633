"""A local server in Tencent Cloud's place, which refuses what is not signed as it ought to be."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.harness.told_server import Answer, Asked, ToldServer, say

SECRET_ID = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
SECRET_KEY = "a-key-of-this-test"
APP_ID = "1400006666"
_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<date>[0-9-]+)/(?P<service>[a-z]+)/tc3_request, "
    r"SignedHeaders=content-type;host, Signature=(?P<signature>[0-9a-f]{64})"
)


class TencentServer(ToldServer):
    """Accepts each message, after the answers that `answer_with` has lined up are used up."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: list[dict[str, object]] = []
        """What is known of messages, as PullSmsSendStatusByPhoneNumber tells it."""

    def options(self) -> dict[str, str]:
        """The carrier's options that send messages here."""
        return {
            "secret_id": SECRET_ID,
            "secret_key": SECRET_KEY,
            "sdk_app_id": APP_ID,
            "base_url": self.url,
        }

    @property
    def sent(self) -> list[Asked]:
        """The requests to send a message."""
        return [asked for asked in self.asked if self.addressee(asked)]

    def addressee(self, asked: Asked) -> str:
        return str(asked.json.get("PhoneNumberSet", [""])[0])

    def handle(self, asked: Asked) -> Answer:
        fault = find_fault(asked)
        if fault:
            return refuse(fault)
        number, told = self.take(asked)
        return told or self._obey(number, asked)

    def _obey(self, number: int, asked: Asked) -> Answer:
        action, fields = asked.headers["x-tc-action"], asked.json
        if fields["SmsSdkAppId"] != APP_ID:
            return refuse("InvalidParameterValue.SdkAppIdNotExist")
        if action == "SendSms":
            return one_number("Ok", fields["PhoneNumberSet"][0], f"2640:{number:04d}")
        if action == "PullSmsSendStatusByPhoneNumber":
            return respond({"PullSmsSendStatusSet": self.statuses})
        if action == "SendStatusStatistics":
            return respond({"SendStatusStatistics": {"FeeCount": 0, "RequestCount": 0}})
        return refuse("InvalidAction")


def respond(
    content: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    """An answer in Tencent's envelope."""
    return say({"Response": {**content, "RequestId": "a0aabda6-cf91"}}, status, headers)


def refuse(code: str, headers: Mapping[str, str] | None = None) -> Answer:
    """The request as a whole is refused; the text repeats the number, as Tencent's own may."""
    error = {"Code": code, "Message": "the number +8613800000042 is not acceptable"}
    return respond({"Error": error}, 200, headers)


def one_number(code: str, number: str, serial: str = "") -> Answer:
    """The request succeeded; what became of its one number stands in its own status."""
    status = {
        "SerialNo": serial,
        "PhoneNumber": number,
        "Fee": 1 if serial else 0,
        "SessionContext": "",
        "Code": code,
        "Message": "send success" if code == "Ok" else f"{number} is not acceptable",
        "IsoCode": "CN",
    }
    return respond({"SendStatusSet": [status]})


def find_fault(asked: Asked) -> str:
    """The code of what is wrong with a request's signature, or nothing."""
    given = _AUTHORIZATION.fullmatch(asked.headers.get("authorization", ""))
    if not given:
        return "AuthFailure.InvalidAuthorization"
    if given["id"] != SECRET_ID:
        return "AuthFailure.SecretIdNotFound"
    timestamp = int(asked.headers["x-tc-timestamp"])
    signature = sign(SECRET_KEY, given["service"], timestamp, asked.headers, asked.body)
    day = datetime.fromtimestamp(timestamp, UTC).date().isoformat()
    if (given["date"], given["signature"]) != (day, signature):
        return "AuthFailure.SignatureFailure"
    return "" if asked.headers["x-tc-version"] == "2021-01-11" else "NoSuchVersion"


def sign(
    secret_key: str, service: str, timestamp: int, headers: Mapping[str, Any], payload: bytes
) -> str:
    """TC3-HMAC-SHA256 of a POST to /, over its type and host (382/52071)."""
    request = "\n".join(
        [
            "POST",
            "/",
            "",
            f"content-type:{headers['content-type']}",
            f"host:{headers['host']}",
            "",
            "content-type;host",
            hashlib.sha256(payload).hexdigest(),
        ]
    )
    day = datetime.fromtimestamp(timestamp, UTC).date().isoformat()
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"TC3-HMAC-SHA256\n{timestamp}\n{day}/{service}/tc3_request\n{digest}"
    key = f"TC3{secret_key}".encode()
    for part in (day, service, "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()

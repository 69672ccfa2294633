"""A local HTTP server in Aliyun's place: it checks signatures, keeps what was asked, and answers
as it is told."""

import hashlib
import hmac
import json
import re
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit
from zoneinfo import ZoneInfo

from tests.harness.local_http import Listener, LocalServer, QuietHandler

KEY_ID = "LTAI-of-this-test"
SECRET = "a-secret-of-this-test"

_SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Asked:
    """One request, as it came over the wire and with a good signature."""

    action: str
    fields: dict[str, str]


Answer = Callable[["_Handler"], None]


class AliyunServer(LocalServer):
    """Accepts each message, after the answers that `answer_with` has lined up are used up."""

    def __init__(self) -> None:
        listener = _Listener(_Handler)
        listener.aliyun = self
        super().__init__(listener)
        self._lock = threading.Lock()
        self._answers: deque[Answer] = deque()
        self._asked: list[Asked] = []
        self.answers_to: dict[str, Answer] = {}
        """How messages to these numbers are answered, when nothing is lined up."""
        self.records: list[dict[str, object]] = []
        """What QuerySendDetails shows, with the BizId that it does not show."""
        self.unshown = 0
        """How many more messages its TotalCount counts."""
        self.connections = 0
        """How many were made so far."""

    @property
    def asked(self) -> list[Asked]:
        """All requests so far, in the order they came."""
        with self._lock:
            return list(self._asked)

    @property
    def sent(self) -> list[Asked]:
        """Those of them that ask to send a message."""
        return [asked for asked in self.asked if asked.action == "SendSms"]

    def greet(self) -> None:
        """Count a new connection."""
        with self._lock:
            self.connections += 1

    def answer_with(self, *answers: Answer) -> None:
        """How to answer the next requests, one answer each."""
        with self._lock:
            self._answers.extend(answers)

    def take(self, asked: Asked) -> Answer:
        """Keep the request; the answer that it gets."""
        with self._lock:
            self._asked.append(asked)
            if self._answers:
                return self._answers.popleft()
            return self.answers_to.get(asked.fields.get("PhoneNumbers", ""), accept)

    def record(self, fields: Mapping[str, str], **changes: object) -> str:
        """Keep a message as sent now, but for the changes; its BizId."""
        with self._lock:
            biz_id = f"90{len(self.records):04}^0"
            sent_at = datetime.now(UTC).astimezone(_SHANGHAI)
            row = {
                "BizId": biz_id,
                "PhoneNum": fields["PhoneNumbers"],
                "OutId": fields.get("OutId", ""),
                "SendStatus": 1,
                "SendDate": f"{sent_at:%Y-%m-%d %H:%M:%S}",
                "Content": "the text",
            }
            self.records.append({**row, **changes})
            return biz_id

    def settings(self) -> dict[str, str]:
        """The server's settings that send messages here."""
        return {
            "sms_providers": "aliyun",
            "aliyun_access_key_id": KEY_ID,
            "aliyun_access_key_secret": SECRET,
            "aliyun_base_url": self.url,
        }


def accept(handler: "_Handler") -> None:
    """OK, with what the action answers."""
    if handler.asked.action == "SendSms":
        handler.reply(200, {"Code": "OK", "BizId": handler.record()})
    elif handler.asked.action == "QuerySendDetails":
        handler.reply(200, {"Code": "OK", **_details(handler)})
    else:
        handler.reply(200, {"Code": "OK", "SmsSignList": []})


def stall(handler: "_Handler") -> None:
    """Take the message and say nothing until released."""
    handler.record()
    handler.server.aliyun.released.wait(60)
    handler.close_connection = True


def cut(handler: "_Handler") -> None:
    """Take the message and close the connection without a word."""
    handler.record()
    handler.close_connection = True


def cut_in_mid_answer(handler: "_Handler") -> None:
    """Take the message and close the connection before the answer is whole."""
    handler.record()
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"Code":"OK"')
    handler.close_connection = True


def garble(handler: "_Handler") -> None:
    """200 with a body that is not JSON."""
    handler.reply_bytes(200, b"<html>", {})


def reply_with(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Whatever a test wants to see answered."""
    return lambda handler: handler.reply(status, body, headers)


def refuse(code: str, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """A refusal in Aliyun's shape; its text repeats the number, as Aliyun's may."""

    def answer(handler: "_Handler") -> None:
        message = f"{handler.asked.fields.get('PhoneNumbers')} is not acceptable"
        handler.reply(status, {"Code": code, "Message": message, "RequestId": "A-B-C"}, headers)

    return answer


def send_elsewhere(handler: "_Handler") -> None:
    """307 to the same address: who follows it sends the message again."""
    handler.reply(307, {}, {"Location": f"{handler.server.aliyun.url}{handler.path}"})


def _details(handler: "_Handler") -> dict[str, object]:
    fields, aliyun = handler.asked.fields, handler.server.aliyun
    found = [
        row
        for row in aliyun.records
        if row["PhoneNum"] == fields["PhoneNumber"]
        and str(row["SendDate"])[:10].replace("-", "") == fields["SendDate"]
        and fields.get("BizId", row["BizId"]) == row["BizId"]
    ]
    size = int(fields["PageSize"])
    first = (int(fields["CurrentPage"]) - 1) * size
    shown = [
        {name: value for name, value in row.items() if name != "BizId"}
        for row in found[first : first + size]
    ]
    total = str(len(found) + aliyun.unshown)
    return {"TotalCount": total, "SmsSendDetailDTOs": {"SmsSendDetailDTO": shown}}


def canonical_query(fields: Mapping[str, str]) -> str:
    """The fields as both of Aliyun's signatures write them."""
    return "&".join(
        f"{quote(name, safe='~')}={quote(value, safe='~')}"
        for name, value in sorted(fields.items())
    )


def sign(
    method: str, fields: Mapping[str, str], headers: Mapping[str, str], body: bytes, secret: str
) -> str:
    """ACS3-HMAC-SHA256 over a request with these signed headers.

    Source: https://help.aliyun.com/document_detail/2593177.html.
    """
    canonical = "\n".join(
        (
            method,
            "/",
            canonical_query(fields),
            "".join(f"{name}:{value.strip()}\n" for name, value in sorted(headers.items())),
            ";".join(sorted(headers)),
            hashlib.sha256(body).hexdigest(),
        )
    )
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class _Listener(Listener):
    aliyun: AliyunServer


class _Handler(QuietHandler):
    server: _Listener
    asked: Asked

    def setup(self) -> None:
        super().setup()
        self.server.aliyun.greet()

    def post(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        fields = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        refusal = self._distrust(fields, body)
        self.asked = Asked(self.headers.get("x-acs-action", ""), fields)
        answer = self.server.aliyun.take(self.asked)
        (refusal or answer)(self)

    def record(self) -> str:
        return self.server.aliyun.record(self.asked.fields)

    def reply(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        self.reply_bytes(status, json.dumps(body).encode(), headers or {})

    def reply_bytes(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json;charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _distrust(self, fields: dict[str, str], body: bytes) -> Answer | None:
        """What Aliyun answers to a request that is not signed as it must be."""
        given = re.fullmatch(
            r"ACS3-HMAC-SHA256 Credential=(.+),SignedHeaders=(.+),Signature=([0-9a-f]{64})",
            self.headers.get("Authorization", ""),
        )
        if not given:
            return refuse("IncompleteSignature", 400)
        if given[1] != KEY_ID:
            return refuse("InvalidAccessKeyId.NotFound", 404)
        signed = {name: self.headers.get(name, "") for name in given[2].split(";")}
        must = {"host", *(name.lower() for name in self.headers if name.startswith("x-acs-"))}
        digest = hashlib.sha256(body).hexdigest()
        if not must <= set(signed) or signed.get("x-acs-content-sha256") != digest:
            return refuse("IncompleteSignature", 400)
        if sign(self.command, fields, signed, body, SECRET) != given[3]:
            return refuse("SignatureDoesNotMatch", 400)
        return None

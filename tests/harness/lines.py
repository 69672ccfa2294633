"""Each carrier with its real SDK, and the server in its place."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from integrations.sms.aliyun import AliyunCarrier
from integrations.sms.protocol import SmsCarrier
from integrations.sms.tencent import TencentCarrier
from integrations.sms.twilio import TwilioCarrier
from integrations.sms.wecom import WecomCarrier
from tests.harness import aliyun_server, sms_server
from tests.harness.aliyun_server import AliyunServer
from tests.harness.sms_server import SmsServer
from tests.harness.tencent_server import TencentServer
from tests.harness.wecom_server import WecomServer


@dataclass(frozen=True)
class Line:
    """One carrier and its server."""

    carrier: SmsCarrier
    server: Any
    """One of the four below."""
    sent: Callable[[], list[str]]
    """To whom each request to send a message went, in the server's writing."""


@contextmanager
def to_twilio(timeout_s: float) -> Iterator[Line]:
    with SmsServer() as server:
        carrier = TwilioCarrier(
            account_sid=sms_server.ACCOUNT,
            auth_token=sms_server.TOKEN,
            sender=sms_server.SENDER,
            base_url=server.url,
            timeout_s=timeout_s,
        )
        yield Line(carrier, server, lambda: [asked.to for asked in server.asked])


@contextmanager
def to_aliyun(timeout_s: float) -> Iterator[Line]:
    with AliyunServer() as server:
        carrier = AliyunCarrier(
            access_key_id=aliyun_server.KEY_ID,
            access_key_secret=aliyun_server.SECRET,
            base_url=server.url,
            timeout_s=timeout_s,
        )
        yield Line(carrier, server, lambda: [asked.fields["PhoneNumbers"] for asked in server.sent])


@contextmanager
def to_tencent(timeout_s: float) -> Iterator[Line]:
    with TencentServer() as server:
        carrier = TencentCarrier(**server.options(), timeout_s=timeout_s)
        yield Line(carrier, server, lambda: [*map(server.addressee, server.sent)])


@contextmanager
def to_wecom(timeout_s: float) -> Iterator[Line]:
    with WecomServer() as server:
        told = server.options()
        carrier = WecomCarrier(
            corp_id=told["corp_id"],
            secret=told["secret"],
            agent_id=told["agent_id"],
            base_url=server.url,
            timeout_s=timeout_s,
        )
        yield Line(carrier, server, lambda: [*map(server.addressee, server.asked)])

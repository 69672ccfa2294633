"""Aliyun's SDK takes our line: once for each message, over a connection that is not stale."""

import logging
from collections.abc import Iterator

import pytest

from integrations.sms import connections
from integrations.sms.aliyun import AliyunCarrier
from integrations.sms.aliyun_line import open_line
from integrations.sms.protocol import SendError, Sms
from tests.harness.aliyun_server import KEY_ID, SECRET, AliyunServer, refuse, send_elsewhere

SMS = Sms("+8613800000042", "text", 60, "a-reference", "实验中学", "SMS_1", (("name", "张三"),))


@pytest.fixture
def server() -> Iterator[AliyunServer]:
    with AliyunServer() as running:
        yield running


def carrier(server: AliyunServer) -> AliyunCarrier:
    return AliyunCarrier(access_key_id=KEY_ID, access_key_secret=SECRET, base_url=server.url)


def test_messages_one_after_the_other_share_a_connection(server: AliyunServer) -> None:
    one = carrier(server)
    for _ in range(5):
        one.send(SMS)
    assert (len(server.sent), server.connections) == (5, 1)


def test_a_connection_that_was_idle_is_not_used_again(
    server: AliyunServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_IDLE_S", -1)
    one = carrier(server)
    for _ in range(5):
        one.send(SMS)
    assert (len(server.sent), server.connections) == (5, 5)


def test_two_carriers_to_one_address_see_their_own_answers(server: AliyunServer) -> None:
    first, second = carrier(server), carrier(server)
    server.answer_with(refuse("Throttling", 429, {"Retry-After": "3"}))
    with pytest.raises(SendError) as caught:
        first.send(SMS)
    assert caught.value.retry_after_s == 3
    assert second.send(SMS)
    scheme, _, host = server.url.partition("://")
    line = open_line(scheme, host)
    assert line is open_line(scheme, host)
    assert line.seen.status == 200


def test_a_redirection_does_not_send_a_message_twice(server: AliyunServer) -> None:
    server.answer_with(send_elsewhere)
    with pytest.raises(SendError):
        carrier(server).send(SMS)
    assert len(server.sent) == 1


def test_a_log_of_connections_leaves_out_what_is_asked(
    server: AliyunServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "urllib3.connectionpool")
    carrier(server).send(SMS)
    [line] = [r.getMessage() for r in caplog.records if "POST" in r.getMessage()]
    assert '"POST / HTTP/1.1" 200' in line

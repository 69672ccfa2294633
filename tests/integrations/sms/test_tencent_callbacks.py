"""What Tencent calls us with: receipts and replies, at an address that ends in a key."""

import json
import traceback

import pytest

from integrations.sms.protocol import Callback, Fate, Forged, News, Reply, Report
from integrations.sms.tencent import TencentCarrier
from integrations.sms.tencent_codes import RECEIPTS, UNNAMED_RECEIPT

NUMBER = "+8613800000042"
REFERENCE = "0198f1c2-7a3e-7000-8000-0000000000aa"
KEY = "a-key-in-the-address"


def carrier(key: str = "") -> TencentCarrier:
    return TencentCarrier(secret_id="x", secret_key="x", sdk_app_id="1", callback_key=key)


def call(body: object, key: str = KEY) -> News:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"https://card.school.example/callbacks/sms/tencent/{key}"
    callback = Callback("POST", url, {"content-type": "application/json"}, content)
    return carrier(KEY).read(callback)


def receipt(code: str = "DELIVRD", **changed: object) -> dict[str, object]:
    return {
        "user_receive_time": "2015-10-17 08:03:04",
        "nationcode": "86",
        "mobile": "13800000042",
        "report_status": "SUCCESS" if code == "DELIVRD" else "FAIL",
        "errmsg": code,
        "description": "用户短信送达成功",
        "sid": "2640:0001",
        **changed,
    }


REPLY = {
    "extend": "",
    "mobile": "13800000042",
    "nationcode": "86",
    "sign": "实验中学",
    "text": "TD",
    "time": 1457336869,
}


def test_receipts_come_in_batches() -> None:
    news = call([receipt(), receipt("UNDELIV", sid="2640:0002", ext=REFERENCE)])
    assert news.reports == (
        Report(Fate.DELIVERED, "2640:0001"),
        Report(Fate.UNDELIVERED, "2640:0002", REFERENCE, f"Tencent UNDELIV: {RECEIPTS['UNDELIV']}"),
    )
    assert (news.replies, json.loads(news.answer)) == ((), {"result": 0, "errmsg": "OK"})
    assert news.answer_type == "application/json"


@pytest.mark.parametrize("code", sorted(RECEIPTS))
def test_each_receipt_code_has_its_sentence(code: str) -> None:
    [report] = call([receipt(code)]).reports
    assert report.sentence == f"Tencent {code}: {RECEIPTS[code]}"


@pytest.mark.parametrize(
    ("code", "who"),
    [("MK:0001", "Tencent MK:0001"), ("13800000042", "Tencent"), ("", "Tencent")],
)
def test_another_receipt_code_is_shown_unless_it_may_be_a_number(code: str, who: str) -> None:
    [report] = call([receipt(code)]).reports
    assert report.sentence == f"{who}: {UNNAMED_RECEIPT}"


def test_a_reply_is_read() -> None:
    news = call(REPLY)
    assert (news.reports, news.replies) == ((), (Reply(NUMBER, "TD"),))
    assert json.loads(news.answer)["result"] == 0


@pytest.mark.parametrize("key", ["", "wrong", KEY + "x", KEY[:-1], "钥匙"])
def test_a_call_without_the_key_is_forged(key: str) -> None:
    with pytest.raises(Forged):
        call([receipt()], key)


def test_without_a_key_in_the_settings_every_call_is_forged() -> None:
    callback = Callback("POST", "https://card.school.example/callbacks/sms/tencent/", {}, b"[]")
    with pytest.raises(Forged):
        carrier().read(callback)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"sid=1",
        b"\xff\xfe",
        b"[" * 100_000,
        {},
        "x",
        [1],
        [receipt(sid="")],
        [receipt(sid=7)],
        [receipt(report_status="MAYBE")],
        REPLY | {"mobile": "x"},
        REPLY | {"mobile": ""},
        REPLY | {"mobile": "1" * 40},
        REPLY | {"text": 7},
    ],
)
def test_what_cannot_be_read_is_refused_without_repeating_it(body: object) -> None:
    with pytest.raises(ValueError, match="Tencent's notice") as caught:
        call(body)
    assert "13800000042" not in "".join(traceback.format_exception(caught.value))

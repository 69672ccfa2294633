"""What Aliyun's receipts and replies say, and that nobody else's are believed."""

import json

import pytest

from integrations.sms.aliyun import AliyunCarrier
from integrations.sms.aliyun_codes import CODES, RECEIPTS
from integrations.sms.protocol import Callback, Fate, Forged, News, Reply, Report

KEY = "dGhlIGtleSBvZiB0aGlzIHRlc3Q"
ADDRESS = "https://school.example/callbacks/sms/aliyun"
# https://help.aliyun.com/document_detail/101508.html, https://help.aliyun.com/document_detail/101847.html
RECEIPT: dict[str, object] = {
    "phone_number": "13800000042",
    "send_time": "2017-01-01 00:00:00",
    "report_time": "2017-01-01 00:00:00",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "用户接收成功",
    "sms_size": "1",
    "biz_id": "12345^0",
    "out_id": "a-reference",
}
REPLY: dict[str, object] = {
    "phone_number": "13800000042",
    "send_time": "2017-09-01 00:00:00",
    "content": "TD",
    "sign_name": "实验中学",
    "dest_code": "1234",
    "sequence_id": 1234567890,
}


def read(body: object, url: str = f"{ADDRESS}/{KEY}", key: str = KEY) -> News:
    one = AliyunCarrier(access_key_id="a", access_key_secret="b", callback_key=key)
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    return one.read(Callback("POST", url, {"content-type": "application/json"}, written))


def test_a_batch_of_receipts() -> None:
    failed = {**RECEIPT, "success": False, "err_code": "MOBILE_IN_BLACK", "out_id": "r-2"}
    news = read([RECEIPT, failed])
    assert news.reports == (
        Report(Fate.DELIVERED, "12345^0", "a-reference"),
        Report(
            Fate.UNDELIVERED,
            "12345^0",
            "r-2",
            f"Aliyun MOBILE_IN_BLACK: {RECEIPTS['MOBILE_IN_BLACK'][0]}",
            is_number_bad=True,
        ),
    )
    assert news.replies == ()


@pytest.mark.parametrize("body", [[RECEIPT], [REPLY], []])
def test_the_answer_is_what_aliyun_wants_to_hear(body: list[object]) -> None:
    news = read(body)
    assert json.loads(news.answer)["code"] == 0
    assert news.answer_type == "application/json"


@pytest.mark.parametrize("code", sorted(set(RECEIPTS) - {"REQUEST_SUCCESS"}))
def test_each_code_of_the_table_means_what_it_says(code: str) -> None:
    sentence, is_bad = RECEIPTS[code]
    [report] = read([{**RECEIPT, "success": False, "err_code": code}]).reports
    assert (report.sentence, report.is_number_bad) == (f"Aliyun {code}: {sentence}", is_bad)


@pytest.mark.parametrize(
    ("code", "sentence", "is_bad"),
    [
        ("MK:0012", f"Aliyun MK:0012: {RECEIPTS['MK'][0]}", False),
        (
            "isv.MOBILE_NUMBER_ILLEGAL",
            f"Aliyun isv.MOBILE_NUMBER_ILLEGAL: {CODES['isv.MOBILE_NUMBER_ILLEGAL'].sentence}",
            True,
        ),
        ("XY:1", "Aliyun XY:1: The message was not delivered; look the code up.", False),
        ("13800000042 张三", "Aliyun: The message was not delivered; look the code up.", False),
        ("", "Aliyun: The message was not delivered; look the code up.", False),
    ],
)
def test_a_code_outside_the_table(code: str, sentence: str, is_bad: bool) -> None:
    [report] = read([{**RECEIPT, "success": False, "err_code": code}]).reports
    assert (report.sentence, report.is_number_bad) == (sentence, is_bad)


def test_a_receipt_that_says_there_is_none_yet_decides_nothing() -> None:
    [report] = read([{**RECEIPT, "success": False, "err_code": "REQUEST_SUCCESS"}]).reports
    assert report == Report(Fate.ACCEPTED, "12345^0", "a-reference")


@pytest.mark.parametrize("absent", ["out_id", "biz_id"])
def test_one_name_of_the_message_is_enough(absent: str) -> None:
    [report] = read([{**RECEIPT, absent: None}]).reports
    assert report.fate is Fate.DELIVERED


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("13800000042", "+8613800000042"),
        ("8613800000042", "+8613800000042"),
        ("+8613800000042", "+8613800000042"),
        ("008613800000042", "+8613800000042"),
        ("85251234567", "+85251234567"),
        ("+15005550006", "+15005550006"),
    ],
)
def test_a_reply_comes_from_a_number_in_e164(written: str, number: str) -> None:
    news = read([{**REPLY, "phone_number": written}])
    assert news.replies == (Reply(number, "TD"),)
    assert news.reports == ()


@pytest.mark.parametrize("sender", ["10690123456", "95588", "10086"])
def test_what_the_networks_write_themselves_is_nobodys_reply(sender: str) -> None:
    assert read([{**REPLY, "phone_number": sender}, REPLY]).replies == (
        Reply("+8613800000042", "TD"),
    )


@pytest.mark.parametrize(
    ("url", "key"),
    [
        (f"{ADDRESS}/wrong", KEY),
        (f"{ADDRESS}/{KEY}x", KEY),
        (f"{ADDRESS}/{KEY}/", KEY),
        (f"{ADDRESS}/é", KEY),
        (ADDRESS, KEY),
        (f"{ADDRESS}/", KEY),
        (f"{ADDRESS}/?{KEY}", KEY),
        (f"{ADDRESS}/", ""),
        (ADDRESS, ""),
    ],
)
def test_an_address_without_the_key_is_forged(url: str, key: str) -> None:
    with pytest.raises(Forged) as caught:
        read([RECEIPT], url, key)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        RECEIPT,
        "text",
        [[]],
        [{}],
        [{**RECEIPT, "success": "perhaps"}],
        [{**RECEIPT, "biz_id": None, "out_id": None}],
        [{**RECEIPT, "out_id": ["r"]}],
        [{**REPLY, "content": None, "phone_number": 13800000042}],
        [{**REPLY, "phone_number": ""}],
        [RECEIPT, 7],
    ],
)
def test_rubbish_is_refused_and_not_repeated(body: object) -> None:
    with pytest.raises(ValueError, match="Aliyun's") as caught:
        read(body)
    assert "13800000042" not in repr(caught.value)
    assert caught.value.__context__ is None

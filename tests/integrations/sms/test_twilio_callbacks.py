"""What Twilio tells us is believed when its signature is right, and else by nobody."""

from urllib.parse import urlencode

import pytest

from integrations.sms.protocol import Callback, Fate, Forged, News, Reply, Report
from integrations.sms.twilio import TwilioCarrier
from tests.harness.sms_server import ACCOUNT, SENDER, TOKEN, sign

THERE = "https://card.school.example/callbacks/sms/twilio"
RECEIPT_TO = f"{THERE}?reference=our-1"
SID = "SM" + "1" * 32
CARRIER = TwilioCarrier(ACCOUNT, TOKEN, SENDER)


def signed(url: str, fields: dict[str, str]) -> Callback:
    headers = {"x-twilio-signature": sign(url, fields)}
    return Callback("POST", url, headers, urlencode(fields).encode())


def receipt(state: str, code: str = "") -> dict[str, str]:
    fields = {"MessageSid": SID, "SmsSid": SID, "SmsStatus": state, "MessageStatus": state}
    return (
        fields
        | {"To": "+8613800000042", "From": SENDER, "ApiVersion": "2010-04-01"}
        | ({"ErrorCode": code} if code else {})
    )


@pytest.mark.parametrize(
    ("state", "fate"),
    [
        ("queued", Fate.ACCEPTED),
        ("sent", Fate.ACCEPTED),
        ("delivered", Fate.DELIVERED),
        ("a word of next year", Fate.UNSURE),
    ],
)
def test_a_receipt_tells_what_became_of_which_message(state: str, fate: Fate) -> None:
    news = CARRIER.read(signed(RECEIPT_TO, receipt(state)))
    assert news == News(reports=(Report(fate, SID, "our-1"),))


@pytest.mark.parametrize(
    ("state", "code", "sentence", "is_number_bad"),
    [
        ("undelivered", "30005", "Twilio 30005: The number is not in service.", True),
        ("failed", "30002", "Twilio 30002: The Twilio account is suspended, mostly because", False),
        ("undelivered", "", "Twilio 30008: The network refused the message and gave no", False),
        ("failed", "99999", "Twilio 99999: Twilio refuses the message; look the code up.", False),
        ("undelivered", "30036", "Twilio 30036: The message waited at Twilio until it was", False),
        ("canceled", "", "Twilio: The message was cancelled there.", False),
    ],
)
def test_a_receipt_says_why_not(state: str, code: str, sentence: str, is_number_bad: bool) -> None:
    [report] = CARRIER.read(signed(RECEIPT_TO, receipt(state, code))).reports
    assert report.fate is Fate.UNDELIVERED
    assert report.sentence.startswith(sentence)
    assert report.is_number_bad is is_number_bad


def test_a_receipt_without_our_reference_is_found_by_its_sid() -> None:
    [report] = CARRIER.read(signed(THERE, receipt("delivered"))).reports
    assert (report.provider_id, report.reference) == (SID, "")


@pytest.mark.parametrize(
    ("text", "opt_out", "read"),
    [
        ("谢谢老师", "", "谢谢老师"),
        ("退订", "", "退订"),
        ("Stop please", "STOP", "STOP"),
        ("start", "START", "start"),
        ("", "", ""),
    ],
)
def test_a_reply_is_read_and_answered_with_nothing(text: str, opt_out: str, read: str) -> None:
    fields = {"MessageSid": SID, "SmsStatus": "received", "From": "+8613800000042", "Body": text}
    news = CARRIER.read(signed(THERE, fields | ({"OptOutType": opt_out} if opt_out else {})))
    assert news.replies == (Reply("+8613800000042", read),)
    assert news.reports == ()
    assert news.answer_type == "text/xml"
    assert news.answer == '<?xml version="1.0" encoding="UTF-8"?><Response/>'


@pytest.mark.parametrize(
    "change",
    [
        {"url": THERE},
        {"url": f"{THERE}?reference=our-2"},
        {"headers": {}},
        {"headers": {"x-twilio-signature": ""}},
        {"headers": {"x-twilio-signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}},
        {"body": b""},
        {"body": urlencode(receipt("failed")).encode()},
        {"body": urlencode(receipt("delivered") | {"More": ""}).encode()},
        {"body": b"\xff\xfe{}"},
    ],
)
def test_anything_that_differs_from_what_was_signed_is_forged(change: dict[str, object]) -> None:
    true = signed(RECEIPT_TO, receipt("delivered"))
    assert CARRIER.read(true).reports
    values = {"method": "POST", "url": true.url, "headers": true.headers, "body": true.body}
    with pytest.raises(Forged):
        CARRIER.read(Callback(**(values | change)))  # type: ignore[arg-type]


def test_another_accounts_token_signs_nothing_of_ours() -> None:
    other = TwilioCarrier(ACCOUNT, "another-token", SENDER)
    with pytest.raises(Forged):
        other.read(signed(RECEIPT_TO, receipt("delivered")))


def test_what_is_signed_but_neither_receipt_nor_reply_cannot_be_read() -> None:
    with pytest.raises(ValueError, match="neither a receipt nor a reply"):
        CARRIER.read(signed(THERE, {"CallSid": "CA1"}))


_CALL = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}


@pytest.mark.parametrize(
    ("url", "fields", "signature"),
    [
        (
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            list(_CALL.items()),
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
        (
            "http://mycompany.com:1234/myapp.php?foo=1&bar=2",
            list(_CALL.items()),
            "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=",
        ),
        (
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            list(_CALL.items()),
            "kvajT1Ptam85bY51eRf/AJRuM3w=",
        ),
        (
            "http://mycompany.com/myapp.php?foo=1&bar=2",
            list(_CALL.items()),
            "0ZXoZLH/DfblKGATFgpif+LLRf4=",
        ),
        (
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            [
                ("Sid", "CA123"),
                ("SidAccount", "AC123"),
                ("Digits", "5678"),
                ("Digits", "1234"),
                ("Digits", "1234"),
            ],
            "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
        ),
    ],
    ids=["plain", "with a port", "signed with port 443", "signed with port 80", "a field twice"],
)
def test_the_signatures_that_twilio_publishes_are_right(
    url: str, fields: list[tuple[str, str]], signature: str
) -> None:
    """twilio/twilio-python, tests/unit/test_request_validator.py, at 306691e7; token 12345."""
    carrier = TwilioCarrier(ACCOUNT, "12345", SENDER)
    body = urlencode(fields).encode()
    if any(name == "From" for name, _ in fields):
        assert carrier.read(Callback("POST", url, {"x-twilio-signature": signature}, body)).replies
    else:
        with pytest.raises(ValueError, match="neither"):
            carrier.read(Callback("POST", url, {"x-twilio-signature": signature}, body))
    with pytest.raises(Forged):
        carrier.read(Callback("POST", url + "&x", {"x-twilio-signature": signature}, body))

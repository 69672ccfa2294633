"""Carriers are found by name; the console carrier shows the text and hides the number."""

import io

import pytest

from integrations.sms.console import ConsoleCarrier
from integrations.sms.protocol import Sms
from integrations.sms.registry import CARRIERS, build_carrier

_OPTIONS = {
    "account_sid": "AC0",
    "auth_token": "x",
    "sender": "+8610",
    "base_url": "https://api.twilio.com",
}


@pytest.mark.parametrize("name", sorted(CARRIERS))
def test_a_carrier_is_registered_under_its_own_name(name: str) -> None:
    assert build_carrier(name, _OPTIONS).name == name


def test_an_unknown_carrier_is_named_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r"no such carrier: pigeon; there are console, twilio"):
        build_carrier("pigeon", {})


@pytest.mark.parametrize(
    ("number", "shown"), [("+8613812345678", "*" * 10 + "5678"), ("110", "****")]
)
def test_the_console_shows_the_text_and_masks_the_number(number: str, shown: str) -> None:
    stream = io.StringIO()
    carrier = ConsoleCarrier(stream)
    carrier.check()
    ids = {carrier.send(Sms(number, "【实验中学】你好", 60, "r")) for _ in range(2)}
    assert stream.getvalue() == f"SMS {shown}  【实验中学】你好\n" * 2
    assert len(ids) == 2


def test_the_console_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    build_carrier("console", {}).send(Sms("+8613812345678", "你好", 60, "r"))
    assert "你好" in capsys.readouterr().out

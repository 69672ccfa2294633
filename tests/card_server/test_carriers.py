"""The settings name carriers in their order; what one of them lacks stops the start."""

import base64
from pathlib import Path
from typing import Any

import pytest

from card_server.carriers import build_carriers
from card_server.config import Settings, load_settings
from card_server.errors import AppError, Code
from integrations.sms.protocol import Sms
from tests.harness.sms_server import SmsServer

_TWILIO = {"twilio_account_sid": "AC0", "twilio_auth_token": "x", "twilio_sender": "+8610"}


def _settings(**values: Any) -> Settings:
    return Settings.model_validate(
        {
            "database_url": "sqlite://",
            "data_key": base64.b64encode(bytes(32)),
            "web_secret": "x" * 32,
            **values,
        }
    )


def test_without_a_word_the_console_carries() -> None:
    assert [carrier.name for carrier in build_carriers(_settings())] == ["console"]


@pytest.mark.parametrize(
    "names", ["twilio,console", "twilio console", " twilio , console", ["twilio", "console"]]
)
def test_carriers_come_in_the_order_of_the_settings(names: object) -> None:
    carriers = build_carriers(_settings(sms_providers=names, **_TWILIO))
    assert [carrier.name for carrier in carriers] == ["twilio", "console"]


def test_the_environment_and_a_file_name_several(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CARD_SERVER_DATABASE_URL", "sqlite://")
    monkeypatch.setenv("CARD_SERVER_DATA_KEY", base64.b64encode(bytes(32)).decode())
    monkeypatch.setenv("CARD_SERVER_WEB_SECRET", "x" * 32)
    file = tmp_path / "card-server.toml"
    file.write_text('sms_providers = ["console", "aliyun"]\n')
    assert load_settings(file).sms_providers == ("console", "aliyun")
    monkeypatch.setenv("CARD_SERVER_SMS_PROVIDERS", "aliyun, twilio")
    assert load_settings(file).sms_providers == ("aliyun", "twilio")


@pytest.mark.parametrize(("names", "said"), [("", "empty"), ("twilio,twilio", "twice")])
def test_no_carrier_and_a_carrier_twice_stop_the_start(names: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _settings(sms_providers=names)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"sms_providers": "pigeon"},
            "Messages cannot be sent: no such carrier: pigeon; there are aliyun, console, "
            "tencent, twilio, wecom.",
        ),
        (
            {"sms_providers": "console twilio", **_TWILIO, "twilio_auth_token": ""},
            "Messages cannot be sent: twilio is not configured: twilio_auth_token is empty.",
        ),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(values: dict[str, str], said: str) -> None:
    with pytest.raises(AppError) as caught:
        build_carriers(_settings(**values))
    assert (caught.value.code, caught.value.message) == (Code.INVALID, said)


@pytest.mark.parametrize(
    ("web_address", "asked_for"),
    [
        ("https://card.school.example", "https://card.school.example/callbacks/sms/twilio"),
        ("https://card.school.example/", "https://card.school.example/callbacks/sms/twilio"),
        ("http://127.0.0.1:8080", None),
        ("", None),
    ],
)
def test_twilio_is_told_to_report_to_where_it_can_reach_us(
    web_address: str, asked_for: str | None
) -> None:
    with SmsServer() as server:
        settings = _settings(web_address=web_address, **server.settings())
        build_carriers(settings)[0].send(Sms("+8613800000042", "x", 60, "our-1"))
        callback = server.asked[0].fields.get("StatusCallback")
    assert callback == (asked_for and f"{asked_for}?reference=our-1")

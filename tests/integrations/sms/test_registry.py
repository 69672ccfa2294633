"""Carriers are found by name and built only when complete; what is missing is named."""

import inspect
import subprocess
import sys
from importlib import import_module

import pytest

from card_server.config import Settings
from integrations.sms.protocol import Channel
from integrations.sms.registry import CARRIERS, build_carrier

_NEEDED = {
    "account_sid": "AC0",
    "agent_id": "1000002",
    "sdk_app_id": "1400000000",
    "sender": "+8610",
}


def _options(name: str) -> dict[str, str]:
    return {option: _NEEDED.get(option, "x") for option in CARRIERS[name].needs}


@pytest.mark.parametrize("name", sorted(CARRIERS))
def test_a_carrier_is_registered_under_its_own_name(name: str) -> None:
    carrier = build_carrier(name, _options(name))
    assert carrier.name == name
    assert carrier.channel is (Channel.WECOM if name == "wecom" else Channel.SMS)


@pytest.mark.parametrize("name", sorted(CARRIERS))
def test_each_setting_of_a_carrier_is_an_argument_of_its_constructor(name: str) -> None:
    entry = CARRIERS[name]
    takes = set(inspect.signature(getattr(import_module(entry.module), entry.carrier)).parameters)
    prefix = f"{name}_"
    settings = {
        field.removeprefix(prefix) for field in Settings.model_fields if field.startswith(prefix)
    }
    assert set(entry.needs) <= settings <= takes


@pytest.mark.parametrize("name", sorted(CARRIERS))
def test_a_setting_that_is_empty_is_named(name: str) -> None:
    for option in CARRIERS[name].needs:
        with pytest.raises(
            ValueError, match=f"^{name} is not configured: {name}_{option} is empty$"
        ):
            build_carrier(name, _options(name) | {option: ""})


def test_an_option_that_is_no_good_is_the_carriers_own_sentence() -> None:
    with pytest.raises(ValueError, match=r"^twilio is not configured: Twilio's address must begin"):
        build_carrier("twilio", _options("twilio") | {"base_url": "api.twilio.com"})


def test_an_empty_option_that_may_be_left_out_leaves_the_carriers_own_value() -> None:
    options = _options("twilio") | {"base_url": "", "callback_url": ""}
    assert build_carrier("twilio", options).name == "twilio"


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("aliyun", "alibabacloud_dysmsapi20170525", "aliyun"),
        ("tencent", "tencentcloud", "tencent"),
        ("twilio", "twilio", "server"),
    ],
)
def test_a_missing_sdk_is_named_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, name: str, package: str, extra: str
) -> None:
    for module in list(sys.modules):
        if module.startswith((f"integrations.sms.{name}", package)):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [_Without(package), *sys.meta_path])
    with pytest.raises(ValueError, match=rf"^{name} is not installed .*campus-card\[{extra}\]$"):
        build_carrier(name, _options(name))


class _Without:
    """A machine on which one package is not installed."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, name: str, *_: object) -> None:
        if name == self._package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_no_sdk_is_loaded_before_its_carrier_is_built() -> None:
    code = (
        "import sys, integrations.sms.registry\n"
        "sdks = {'twilio', 'tencentcloud', 'alibabacloud_dysmsapi20170525', 'requests'}\n"
        "print(sorted(sdks & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_an_unknown_carrier_is_named_with_those_that_exist() -> None:
    with pytest.raises(
        ValueError,
        match=r"no such carrier: pigeon; there are aliyun, console, tencent, twilio, wecom",
    ):
        build_carrier("pigeon", {})

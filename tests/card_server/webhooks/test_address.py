"""Where a webhook may lead, and that nothing of ours is among it."""

from ipaddress import ip_address

import pytest

from card_server.errors import AppError, Code
from card_server.webhooks.address import (
    Place,
    RefusedError,
    check_url,
    find_addresses,
    is_public,
    resolve_by_system,
)


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "127.8.8.8",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "239.1.1.1",
        "255.255.255.255",
        "198.18.0.1",
        "192.0.2.1",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::10.0.0.1",
        "2002:a00:1::",
        "64:ff9b::a00:1",
        "2001:db8::1",
    ],
)
def test_an_address_of_no_public_host_is_known_for_one(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_a_public_address_is_known_for_one(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://example.org/a?b=c", Place("https", "example.org", 443)),
        ("https://example.org:8443/", Place("https", "example.org", 8443)),
        ("https://[2606:4700::1111]/", Place("https", "2606:4700::1111", 443)),
    ],
)
def test_a_url_names_its_place(url: str, place: Place) -> None:
    assert check_url(url, allow_private=False) == place


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "https://",
        "https:///path",
        "http://example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "https://user@example.org/",
        "https://user:word@example.org/",
        "https://example.org/#part",
        "https://example.org:99999/",
        "https://example.org/ x",
        "https://example.org\\@10.0.0.1/",
        "https://exämple.org/",
        "https://[::1/",
        "https://example.org/" + "x" * 500,
        "https://127.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "http://localhost:8080/",
    ],
)
def test_what_no_webhook_may_have_is_refused_when_it_is_typed(url: str) -> None:
    with pytest.raises(AppError) as caught:
        check_url(url, allow_private=False)
    assert caught.value.code is Code.INVALID


def test_without_tls_only_this_machine_and_only_by_the_setting() -> None:
    assert check_url("http://localhost:1/", allow_private=True) == Place("http", "localhost", 1)
    assert check_url("http://127.0.0.1/", allow_private=True).port == 80
    assert check_url("https://192.168.0.9/", allow_private=True).host == "192.168.0.9"
    with pytest.raises(AppError):
        check_url("http://192.168.0.9/", allow_private=True)


PLACE = Place("https", "hooks.example", 443)


@pytest.mark.parametrize("answers", [["10.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["fe80::1%eth0"]])
def test_a_name_that_leads_inside_is_refused_though_it_looks_public(answers: list[str]) -> None:
    with pytest.raises(RefusedError):
        find_addresses(PLACE, lambda *_: answers, allow_private=False)
    assert find_addresses(PLACE, lambda *_: answers, allow_private=True)


def test_a_name_without_tls_must_lead_to_this_machine() -> None:
    plain = Place("http", "localhost", 80)
    assert find_addresses(plain, lambda *_: ["127.0.0.1"], allow_private=True) == ["127.0.0.1"]
    with pytest.raises(RefusedError):
        find_addresses(plain, lambda *_: ["10.0.0.1"], allow_private=True)


def test_a_name_without_an_address_is_an_error() -> None:
    with pytest.raises(OSError, match="no address"):
        find_addresses(PLACE, lambda *_: [], allow_private=False)


def test_the_systems_resolver_is_asked() -> None:
    assert "127.0.0.1" in resolve_by_system("127.0.0.1", 80)
    assert check_url("https://2130706433/", allow_private=False)
    with pytest.raises(RefusedError):  # 127.0.0.1 in decimal
        find_addresses(Place("https", "2130706433", 443), resolve_by_system, allow_private=False)

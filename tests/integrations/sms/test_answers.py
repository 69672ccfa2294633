"""A failed request is sure to have sent nothing only if no connection came about."""

import socket

import pytest
import requests

from integrations.sms.answers import (
    Meaning,
    explain_code,
    explain_failure,
    explain_status,
    read_retry_after,
)
from integrations.sms.protocol import SendError, Verdict
from tests.harness.ports import free_port


def failure(address: str) -> SendError:
    try:
        requests.post(address, data="x", timeout=0.3)
    except requests.RequestException as error:
        return explain_failure("Pigeon", error)
    raise AssertionError("the request did not fail")


def test_nobody_listened() -> None:
    error = failure(f"http://127.0.0.1:{free_port()}")
    assert error.verdict is Verdict.TEMPORARY
    assert error.message == "Pigeon cannot be reached; nothing was sent."


def test_the_connection_was_not_answered() -> None:
    with socket.socket() as full, socket.socket() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting.connect(full.getsockname())
        error = failure(f"http://127.0.0.1:{full.getsockname()[1]}")
    assert error.verdict is Verdict.TEMPORARY


def test_the_name_did_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")  # no question leaves this machine

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert failure("http://pigeon.invalid").verdict is Verdict.TEMPORARY


def test_a_connection_that_was_taken_may_have_carried_the_message() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        error = failure(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert (error.verdict, error.message) == (
        Verdict.AMBIGUOUS,
        "Pigeon: The answer took too long.",
    )


@pytest.mark.parametrize("error", [None, ValueError("+8613800000042")])
def test_what_cannot_be_read_is_ambiguous_and_not_repeated(error: Exception | None) -> None:
    said = explain_failure("Pigeon", error)
    assert (said.verdict, said.message) == (
        Verdict.AMBIGUOUS,
        "Pigeon: The answer cannot be read.",
    )


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (204, Verdict.AMBIGUOUS),
        (302, Verdict.AMBIGUOUS),
        (400, Verdict.TEMPORARY),
        (408, Verdict.AMBIGUOUS),
        (429, Verdict.TEMPORARY),
        (499, Verdict.TEMPORARY),
        (500, Verdict.AMBIGUOUS),
        (503, Verdict.AMBIGUOUS),
    ],
)
def test_a_status_without_a_code(status: int, verdict: Verdict) -> None:
    error = explain_status("Pigeon", status, 17)
    assert error.verdict is verdict
    assert error.message.startswith(f"Pigeon HTTP {status}: ")
    assert error.retry_after_s == (17 if verdict is Verdict.TEMPORARY else None)


@pytest.mark.parametrize(
    ("verdict", "wait"),
    [
        (Verdict.TEMPORARY, 17),
        (Verdict.QUOTA, 17),
        (Verdict.NUMBER_QUOTA, 17),
        (Verdict.PERMANENT, None),
        (Verdict.AMBIGUOUS, None),
    ],
)
def test_only_what_may_come_again_waits(verdict: Verdict, wait: float | None) -> None:
    error = explain_code("Pigeon 7", Meaning(verdict, "It rains.", True), 17)
    assert (error.verdict, error.retry_after_s, error.is_number_bad) == (verdict, wait, True)
    assert error.message == "Pigeon 7: It rains."


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17),
        ("0", 0),
        (None, None),
        ("", None),
        ("-1", None),
        ("²", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_a_wait_is_a_number_of_seconds_or_left_out(
    header: str | None, seconds: float | None
) -> None:
    assert read_retry_after(header) == seconds

"""What carriers' answers mean, and what it means when there is none that can be read."""

import ssl
from typing import Final, NamedTuple

import requests
import urllib3

from integrations.sms.protocol import SendError, Verdict


class Meaning(NamedTuple):
    """What one of a carrier's codes says: a row of its table."""

    verdict: Verdict
    sentence: str
    is_number_bad: bool = False


def explain_code(who: str, meaning: Meaning, retry_after_s: float | None = None) -> SendError:
    """The error for a code; `who` is the carrier's name with the code."""
    waits = meaning.verdict not in (Verdict.PERMANENT, Verdict.AMBIGUOUS)
    return SendError(
        f"{who}: {meaning.sentence}",
        meaning.verdict,
        retry_after_s=retry_after_s if waits else None,
        is_number_bad=meaning.is_number_bad,
    )


def explain_status(carrier: str, status: int, retry_after_s: float | None) -> SendError:
    """The error for an HTTP status that came without a code of the carrier."""
    if status == 429:
        meaning = Meaning(Verdict.TEMPORARY, "Too many requests at once.")
    elif status == 408 or not 400 <= status < 500:
        meaning = Meaning(Verdict.AMBIGUOUS, f"{carrier} failed and said nothing more.")
    else:
        meaning = Meaning(
            Verdict.TEMPORARY, "The request was refused; check the carrier's address and proxies."
        )
    return explain_code(f"{carrier} HTTP {status}", meaning, retry_after_s)


def explain_failure(carrier: str, error: BaseException | None) -> SendError:
    """The error for a request that failed, or whose answer could not be read.

    Nothing was sent if no connection came about; in every other case nobody can tell. What
    `error` itself says is left out: it may hold the number or a key.
    """
    if isinstance(error, requests.RequestException):
        if _never_connected(error):
            return SendError(f"{carrier} cannot be reached; nothing was sent.")
        late = isinstance(error, requests.Timeout)
        sentence = "The answer took too long." if late else "The connection was cut."
    else:
        sentence = "The answer cannot be read."
    return explain_code(carrier, Meaning(Verdict.AMBIGUOUS, sentence))


def read_retry_after(header: str | None) -> float | None:
    """The seconds that a Retry-After names; the date that it may also be is left to back-off."""
    return float(header) if header and header.isascii() and header.isdigit() else None


_BEFORE_SENDING: Final = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    ssl.SSLCertVerificationError,
)


def _never_connected(error: BaseException) -> bool:
    """Whether the connection failed before a request could go over it."""
    seen: set[int] = set()
    causes: list[object] = [error]
    while causes:
        cause = causes.pop()
        if isinstance(cause, _BEFORE_SENDING):
            return True
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            causes += [*cause.args, getattr(cause, "reason", None), cause.__cause__]
    return False

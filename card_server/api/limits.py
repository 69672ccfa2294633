"""How often a token may ask in a minute, counted in this process, and what answers say of it."""

import time

from apiflask import APIFlask
from flask import Response, request
from flask_limiter import Limiter

from card_server.access import caller_or_none
from card_server.staff.tokens import TokenCaller

_WINDOW_S = 60


def limit_rates(api: APIFlask, per_minute: int) -> None:
    """Refuse whoever asks too often: each token by itself, and those without one by address.

    To be set up before the right to ask is judged, so that guessing tokens is limited as well.
    """
    limiter = Limiter(
        _name_caller,
        app=api,
        application_limits=[f"{per_minute} per minute"],
        storage_uri="memory://",
        strategy="moving-window",
        headers_enabled=False,
    )

    @api.after_request
    def say_limits(answer: Response) -> Response:
        """The fields of draft-ietf-httpapi-ratelimit-headers-10, and Retry-After with 429."""
        limit = limiter.current_limit
        if limit is None:
            return answer
        seconds = min(_WINDOW_S, max(1, round(limit.reset_at - time.time())))
        answer.headers["RateLimit-Policy"] = f'"minute";q={per_minute};w={_WINDOW_S}'
        answer.headers["RateLimit"] = f'"minute";r={limit.remaining};t={seconds}'
        if answer.status_code == 429:
            answer.headers["Retry-After"] = str(seconds)
        return answer


def _name_caller() -> str:
    found = caller_or_none()
    if isinstance(found, TokenCaller):
        return f"token {found.token_id}"
    return f"address {request.remote_addr}"

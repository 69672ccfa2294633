"""The headers that keep a page to itself: content policy, framing, sniffing, referrer, HTTPS."""

from flask import Flask, request
from werkzeug.wrappers import Response

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
"""Nothing inline and nothing from elsewhere; `data:` is for the small icons in Pico's style."""
_KEPT = frozenset({"files.static", "settings.show_logo"})
"""What a browser may keep, by these routes' own words; everything else is asked for anew."""
_YEAR_S = 365 * 24 * 3600


def harden(app: Flask, behind_tls: bool) -> None:
    """Set cookie flags, and the headers of every answer."""
    app.config.update(
        SESSION_COOKIE_NAME="__Host-campus" if behind_tls else "campus",
        SESSION_COOKIE_SECURE=behind_tls,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
    )

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers = response.headers
        headers["Content-Security-Policy"] = _POLICY
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if behind_tls:
            headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}; includeSubDomains"
        if request.endpoint not in _KEPT:
            headers["Cache-Control"] = "no-store"
        return response

"""Where a form leads back to: this page, or an address of ours, never one of somebody else."""

from urllib.parse import urlsplit

from flask import current_app, request


def safe_next(wanted: str | None) -> str:
    """The wanted path if it is one of this server, else the first page."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return "/"
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or any(ord(one) < 32 for one in wanted):
        return "/"
    return wanted


def this_page() -> str:
    """Where a switch on this page leads back to; the first page when only a form leads here."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    adapter = current_app.create_url_adapter(request)
    return request.path if adapter and adapter.test(request.path, "GET") else "/"

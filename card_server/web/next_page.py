"""Where a form leads back to: an address of ours, never one of somebody else."""

from urllib.parse import urlsplit


def safe_next(wanted: str | None) -> str:
    """The wanted path if it is one of this server, else the first page."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return "/"
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or any(ord(one) < 32 for one in wanted):
        return "/"
    return wanted

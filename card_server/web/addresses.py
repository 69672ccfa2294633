"""Addresses that page after page names: those without ids are built once and kept."""

from typing import Any

from flask import Flask, current_app, request, url_for
from werkzeug.routing import IntegerConverter, Map

_KEPT = "kept_addresses"
_FIXED = frozenset({"filename"})
"""Values that only a handful of addresses have; others are ids, days and what was asked."""


def keep_addresses(app: Flask) -> None:
    """Let the templates' `url_for` be `address_of`."""
    app.extensions[_KEPT] = {}
    app.jinja_env.globals["url_for"] = address_of


class RowConverter(IntegerConverter):
    """An id in an address; a larger number is no row's, and SQLite takes none."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=2**63 - 1)


def address_of(endpoint: str, /, **values: Any) -> str:
    """As Flask's `url_for`; the frame alone asks for fifty, the same ones on each page."""
    if values.keys() - _FIXED or endpoint.startswith("."):
        return url_for(endpoint, **values)
    kept: dict[tuple[str, str, str], str] = current_app.extensions[_KEPT]
    key = (request.script_root, endpoint, values.get("filename", ""))
    address = kept.get(key)
    if address is None:
        address = kept[key] = url_for(endpoint, **values)
    return address

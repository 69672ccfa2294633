"""A page or only the part of it that changes, by what the browser asked for."""

from typing import Any

from flask import Response, make_response, render_template, request


def render_part(page: str, part: str, /, **values: Any) -> Response:
    """The part alone for HTMX, else the whole page, which includes the part."""
    is_part = request.headers.get("HX-Request") == "true"
    response = make_response(
        render_template(part if is_part else page, part_template=part, **values)
    )
    response.vary.add("HX-Request")
    return response

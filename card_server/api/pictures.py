"""Bodies that are a picture and no JSON: which routes have them, and what the document says."""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])
_TYPES = ("image/png", "image/jpeg", "image/webp")
_CONTENT = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _TYPES}
_ANSWERS, _TAKES = "_answers_picture", "_takes_picture"


def answers_picture(view: View) -> View:
    """This route answers a picture."""
    setattr(view, _ANSWERS, True)
    return view


def takes_picture(view: View) -> View:
    """This route's request has a picture for a body."""
    setattr(view, _TAKES, True)
    return view


def describe_pictures(view: Callable[..., Any], operation: dict[str, Any]) -> None:
    """Say so in the route's part of the document."""
    if getattr(view, _ANSWERS, False):
        operation["responses"]["200"] = {"description": "The picture.", "content": _CONTENT}
        operation["responses"]["404"] = {"$ref": "#/components/responses/not_found"}
    if getattr(view, _TAKES, False):
        operation["requestBody"] = {"content": _CONTENT}

"""Changing only what still is as it was seen: `If-Match`, with the ETag that GET gives (RFC 9110).

A program that sends none means to overwrite. The comparison is made under the row's lock.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, jsonify, request
from sqlalchemy.orm import Session

from card_server.api.problems import refuse
from card_server.api.shapes import Shape

View = TypeVar("View", bound=Callable[..., Any])
Row = TypeVar("Row")
_MARK = "_takes_if_match"


def if_match(view: View) -> View:
    """This route compares `If-Match`: so the document says, and its answer has the new ETag."""
    setattr(view, _MARK, True)
    return view


def takes_if_match(view: Callable[..., Any]) -> bool:
    """Whether a route compares `If-Match`."""
    return getattr(view, _MARK, False)


def is_conditional() -> bool:
    """Whether this request names what it has seen."""
    return "If-Match" in request.headers


def lock_and_match(
    session: Session, shape: type[Shape], row: Row, show: Callable[[Row], object] = lambda row: row
) -> None:
    """Keep others from changing a row, and refuse with 412 when it is not what was seen.

    `show` makes of the row what GET answers.
    """
    if is_conditional():
        session.refresh(row, with_for_update=True)
        match(shape, show(row))


def match(shape: type[Shape], found: object) -> None:
    """Refuse with 412 when GET would not answer what was seen; the caller holds the lock."""
    match_answer(jsonify(shape.model_validate(found).model_dump(mode="json", by_alias=True)))


def match_answer(answer: Response | None) -> None:
    """The same for an answer that is no JSON; None for what is not there at all."""
    if not is_conditional():
        return
    if answer is not None:
        answer.add_etag()
        tag, _is_weak = answer.get_etag()
        if tag is not None and request.if_match.contains(tag):
            return
    raise refuse(412)

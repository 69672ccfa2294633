"""What the frame of the parents' pages asks: who looks, at which child, and where they may go."""

from collections.abc import Iterator

from flask import Flask, g, request, url_for
from flask_babel import gettext

from card_server.parents.children import Child
from card_server.parents.sessions import Parent


def add_parent_frame(app: Flask) -> None:
    """Give the templates what the parents' frame needs."""
    app.jinja_env.globals.update(
        child_in_use=child_in_use,
        is_of_child=is_of_child,
        parent_address=parent_address,
        parent_or_none=parent_or_none,
        parent_ways=parent_ways,
    )


def parent_or_none() -> Parent | None:
    """Who looks at this page; None at the door."""
    found: Parent | None = g.get("parent")
    return found


def child_in_use() -> Child | None:
    """The child that the page is about, or the first one."""
    found: Child | None = g.get("child")
    return found


def is_of_child() -> bool:
    """Whether this page is about one child."""
    return "student_id" in (request.view_args or {})


def parent_address(student_id: int) -> str:
    """This page for a brother or sister; their day where this page is about nobody."""
    endpoint = request.endpoint if request.method == "GET" and is_of_child() else None
    return url_for(endpoint or "parents.show_today", student_id=student_id)


def parent_ways() -> Iterator[tuple[str, str, bool]]:
    """Address, label, and whether it is this page; without consent only what needs none."""
    one = child_in_use()
    if one is not None and one.has_consent:
        for endpoint, label in (
            ("parents.show_today", gettext("Today")),
            ("parents.show_week", gettext("Week")),
            ("parent_leave.show", gettext("Leave")),
            ("parents.show_messages", gettext("Messages")),
        ):
            part = endpoint.partition(".")[0]
            is_here = request.endpoint == endpoint or (
                part == "parent_leave" and request.blueprint == part
            )
            yield url_for(endpoint, student_id=one.id), label, is_here
    else:
        is_here = request.blueprint == "parent_consent"
        yield url_for("parent_consent.show"), gettext("Agree"), is_here
    is_mine = request.blueprint in ("parent_data", "parent_wishes")
    yield url_for("parent_data.show"), gettext("Me"), is_mine

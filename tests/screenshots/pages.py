"""Which pages there are: each route that answers a plain GET with one, and some with arguments."""

from collections.abc import Iterator

from flask import Flask
from flask.testing import FlaskClient

from tests.card_server.web.small_school import SmallSchool

_NO_PAGES = {"files", "health", "live"}
"""Blueprints that answer with something else; an endless stream must not even be asked."""
_STREAMS = {"tray.events"}


def find_pages(app: Flask, client: FlaskClient, school: SmallSchool) -> Iterator[str]:
    """The addresses that give the logged-in client a whole page of HTML."""
    with_arguments = (
        f"/students/{school.students[0]}",
        f"/board?homeroom={school.homerooms[0]}",
        "/board?wall",
        "/messages?state=failed",
    )
    for path in (*_plain_paths(app), *with_arguments):
        answer = client.get(path)
        is_page = answer.status_code == 200 and answer.mimetype == "text/html"
        if is_page and "<html" in answer.text:
            yield path


def _plain_paths(app: Flask) -> Iterator[str]:
    for rule in app.url_map.iter_rules():
        kind = rule.endpoint.split(".")[0]
        asks = "GET" in (rule.methods or ()) and not rule.arguments
        if asks and kind not in _NO_PAGES and rule.endpoint not in _STREAMS:
            yield rule.rule

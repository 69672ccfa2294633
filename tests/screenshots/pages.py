"""Which pages there are: every route that answers a plain GET with one, found by the url map."""

from collections.abc import Iterator

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from werkzeug.routing import Rule

from schema.tables.metadata import Table

_NO_PAGES = {"files", "health", "live"}
"""Blueprints that answer with something else; an endless stream must not even be asked."""
_STREAMS = {"tray.events"}
_TABLES = {"account": "staff", "token": "api_token"}
"""Where a route's `…_id` is not the id of the table of that name."""
_MORE = (
    "/board?homeroom={homeroom}",
    "/board?wall",
    "/messages?state=failed",
    "/students/{student}/attendance?open=all",
)
"""Other states of pages that are worth a look of their own."""


def find_pages(
    app: Flask, client: FlaskClient, engine: Engine, school_id: int | None
) -> Iterator[str]:
    """The addresses that give the logged-in client a whole page of HTML.

    An argument like `student_id` is the first student of the school; without a school the things
    are those of the district. Routes whose thing is not there give no page.
    """
    for rule in _rules(app):
        path = _path(app, engine, rule, school_id)
        if path is not None and _is_page(client, path):
            yield path
    if school_id is not None:
        first = {name: _first_id(engine, name, school_id) for name in ("homeroom", "student")}
        yield from (path.format_map(first) for path in _MORE)


def pages_of_district(app: Flask, client: FlaskClient, engine: Engine) -> Iterator[str]:
    """The district's own pages, for somebody of the district who has entered no school."""
    for path in find_pages(app, client, engine, None):
        if path.startswith("/district"):
            yield path


def routes_without_example(app: Flask, engine: Engine, school_id: int) -> set[str]:
    """The routes that cannot be tried: the school has nothing that their arguments could name."""
    return {
        rule.endpoint
        for rule in _rules(app)
        if rule.arguments
        and _path(app, engine, rule, school_id) is None
        and _path(app, engine, rule, None) is None
    }


def _rules(app: Flask) -> list[Rule]:
    return [
        rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and rule.endpoint.split(".")[0] not in _NO_PAGES
        and rule.endpoint not in _STREAMS
    ]


def _path(app: Flask, engine: Engine, rule: Rule, school_id: int | None) -> str | None:
    """The route's address with the school's own things; None when it has none of a kind."""
    values = {name: _value(engine, name, school_id) for name in rule.arguments}
    if None in values.values():
        return None
    with app.test_request_context():
        built = rule.build(values)
    return built[1] if built else None


_CHOICES = {"kind": "late", "language": "zh"}
"""What stands in addresses that is no id."""


def _value(engine: Engine, argument: str, school_id: int | None) -> object:
    if argument in _CHOICES:
        return _CHOICES[argument]
    name = argument.removesuffix("_id")
    table = _TABLES.get(name, name)
    is_of_district = name == "account"
    if name == argument or table not in Table.metadata.tables:
        return None
    if is_of_district is not (school_id is None):
        return None
    return _first_id(engine, table, school_id)


def _first_id(engine: Engine, name: str, school_id: int | None) -> object:
    table = Table.metadata.tables[name]
    first = select(table.c.id).where(table.c.school_id == school_id).order_by(table.c.id).limit(1)
    with engine.connect().execution_options(read_only=True) as connection:
        return connection.scalar(first)


def _is_page(client: FlaskClient, path: str) -> bool:
    answer = client.get(path)
    is_html = answer.status_code == 200 and answer.mimetype == "text/html"
    return is_html and "<html" in answer.text

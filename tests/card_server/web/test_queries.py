"""No page asks the database more often for many rows than for one, whichever page it is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant
from card_server.web.app import close_app, create_app
from schema.tables.staff import Role, Scope
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings
from tests.card_server.web.growing_school import add_first, add_schools, grow
from tests.card_server.web.small_school import SmallSchool, make_school
from tests.screenshots.pages import find_pages, pages_of_district, routes_without_example

_MOST_QUERIES = 15
"""As many as a student's timeline asks: one to each of its twelve sources."""
_ELSEWHERE = {
    "parent_door.ask",
    "parent_door.show",
    "roster.show_import",
    "roster_columns.show",
    "roster_columns.show_choice",
    "set_up.show",
}
"""What these show is made in several steps, or opens by a signed link: their own tests make it."""


@pytest.fixture
def school(sessions: sessionmaker[Session]) -> SmallSchool:
    """A school with one of everything."""
    with sessions.begin() as session:
        school = make_school(session, students=1)
        add_first(session, school)
        return school


@pytest.fixture
def app(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The application with all of its pages, those of the demo among them."""
    app = create_app(make_settings(database_url, tmp_path), engine)
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    close_app(app)


@pytest.fixture
def district(app: Flask, sessions: sessionmaker[Session]) -> FlaskClient:
    """A browser of the district's administrator."""
    grant = Grant(Role.DISTRICT_ADMIN, Scope.DISTRICT)
    with sessions.begin() as session:
        password = create_staff(session, None, "district", "区管理员", grant)
    client = app.test_client()
    client.post("/log-in", data={"login": "district", "password": password})
    client.post("/password", data={"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD})
    return client


def test_no_page_of_a_school_asks_more_often_for_many_than_for_one(
    app: Flask,
    staff: FlaskClient,
    school: SmallSchool,
    engine: Engine,
    sessions: sessionmaker[Session],
) -> None:
    paths = list(find_pages(app, staff, engine, school.id))
    assert len(paths) > 25
    few = {path: _count(staff, engine, path) for path in paths}
    with sessions.begin() as session:
        grow(session, school)
    many = _count_again(staff, engine, few)
    assert {path: (few[path], many[path]) for path in paths if few[path] < many[path]} == {}
    assert {path: number for path, number in many.items() if number > _MOST_QUERIES} == {}


def test_no_page_of_the_district_asks_more_often_for_many_than_for_one(
    app: Flask,
    district: FlaskClient,
    school: SmallSchool,
    engine: Engine,
    sessions: sessionmaker[Session],
) -> None:
    paths = list(pages_of_district(app, district, engine))
    assert len(paths) > 4
    few = {path: _count(district, engine, path) for path in paths}
    with sessions.begin() as session:
        grow(session, school)
        add_schools(session, range(60))
    district.get("/district")  # Counts the students of the new schools, once.
    many = _count_again(district, engine, few)
    assert {path: (few[path], many[path]) for path in paths if few[path] < many[path]} == {}
    assert {path: number for path, number in many.items() if number > _MOST_QUERIES} == {}


def test_every_route_can_be_tried(app: Flask, engine: Engine, school: SmallSchool) -> None:
    """What a new page is about must be in the growing school, or else nothing here sees it."""
    assert routes_without_example(app, engine, school.id) <= _ELSEWHERE


def _count_again(client: FlaskClient, engine: Engine, few: Mapping[str, int]) -> dict[str, int]:
    """How often each page asks now.

    What asks too often is looked at twice: what is kept for seconds may have been asked for anew.
    """
    many = {path: _count(client, engine, path) for path in few}
    for path, number in many.items():
        if number > min(few[path], _MOST_QUERIES):
            many[path] = min(number, _count(client, engine, path))
    return many


def _count(client: FlaskClient, engine: Engine, path: str) -> int:
    client.get(path)  # What is noted at a first look, or kept from it, counts for no later one.
    with _counting(engine) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


@contextmanager
def _counting(engine: Engine) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)

"""Fixtures for the tests of the API: a school, its application, and a program that may do all."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.scope import WHOLE_SCHOOL
from card_server.web.app import close_app, create_app
from schema.tables.staff import Role
from tests.card_server.api.programs import Program, grants_of, make_program
from tests.card_server.web.conftest import make_settings
from tests.card_server.web.small_school import SmallSchool


@pytest.fixture
def app(engine: Engine, database_url: str) -> Iterator[Flask]:
    """The pages' application, which the API shares the process with."""
    app = create_app(make_settings(database_url), engine)
    yield app
    close_app(app)


@pytest.fixture
def program(app: Flask, sessions: sessionmaker[Session], school: SmallSchool) -> Program:
    """A program that may do in its school what the school's administrator may."""
    return make_program(app, sessions, school, WHOLE_SCHOOL)


@pytest.fixture
def teacher(app: Flask, sessions: sessionmaker[Session], school: SmallSchool) -> Program:
    """A program that may do what the first homeroom's teacher may."""
    return make_program(app, sessions, school, grants_of(school)[Role.HOMEROOM_TEACHER])

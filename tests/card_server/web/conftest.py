"""Fixtures for the tests of pages: a school in a database, the application, a served one."""

import base64
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from card_server.config import Settings
from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant
from card_server.web.app import close_app, create_app
from card_server.web.serve import serve
from schema.tables.staff import Role, Scope
from tests.card_server.web.small_school import SmallSchool
from tests.harness.clock import stop_clock

CHOSEN_PASSWORD = "correct horse battery"
LogIn = Callable[[int | None, Role, Scope], FlaskClient]


def make_settings(url: str, tray_dir: Path | None = None, threads: int = 12) -> Settings:
    return Settings(
        database_url=url,
        data_key=base64.b64encode(bytes(32)),
        web_secret="x" * 32,
        web_port=0,
        web_threads=threads,
        web_behind_tls=False,
        web_address="https://card.example.org",
        tray_dir=tray_dir,
    )


@pytest.fixture
def app(engine: Engine, database_url: str) -> Iterator[Flask]:
    """The application of a real school, without a tray."""
    app = create_app(make_settings(database_url), engine)
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    close_app(app)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that speaks English and is not logged in."""
    client = app.test_client()
    client.set_cookie("language", "en")
    return client


@pytest.fixture
def staff(client: FlaskClient, school: SmallSchool) -> FlaskClient:
    """A browser in which the school's administrator is logged in with a chosen password."""
    client.post("/log-in", data={"login": school.login, "password": school.password})
    answer = client.post("/password", data={"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD})
    assert answer.status_code == 302
    return client


@pytest.fixture
def log_in(app: Flask, sessions: sessionmaker[Session]) -> LogIn:
    """A browser of a new member of staff."""

    def enter(school_id: int | None, role: Role, scope: Scope) -> FlaskClient:
        with sessions.begin() as session:
            password = create_staff(session, school_id, role, "赵老师", Grant(role, scope))
        browser = app.test_client()
        browser.set_cookie("language", "en")
        browser.post("/log-in", data={"login": role, "password": password})
        form = {"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD}
        assert browser.post("/password", data=form).status_code == 302
        return browser

    return enter


@contextmanager
def serving(settings: Settings, at: datetime | None = None) -> Iterator[str]:
    """The address of a web process's inside, on a thread; for it, it is `at` all the time."""

    def create(settings: Settings, engine: Engine) -> Flask:
        app = create_app(settings, engine)
        if at is not None:
            stop_clock(app, at)
        return app

    stop = threading.Event()
    ready: queue.Queue[str] = queue.Queue()
    thread = threading.Thread(target=serve, args=(settings, stop, ready.put))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("card_server.web.serve.create_app", create)
        thread.start()
        try:
            yield ready.get(timeout=20)
        finally:
            stop.set()
            thread.join(20)
            assert not thread.is_alive()

"""Fixtures that every test may ask for."""

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest
from argon2 import PasswordHasher
from hypothesis import settings
from playwright.sync_api import Browser
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff import accounts, passwords
from card_server.storage.database import open_engine, open_sessions
from card_server.storage.migrate import migrate
from tests.harness.browser import open_browser
from tests.harness.many_apps import compiled_once
from tests.harness.many_engines import statements_compiled_once
from tests.harness.mosquitto import Mosquitto
from tests.harness.postgres import Postgres

settings.register_profile("steady", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("exploring", deadline=None, print_blob=True)
settings.load_profile("steady")
"""One commit, one verdict: properties try the same examples each time, and `make faults` others."""

gc.set_threshold(20_000, 20, 10)
"""Ten thousand tests are a large heap: looking through it took a quarter of the time."""

_TEMPLATE = "migrated"
_DATABASES = ("sqlite", "postgresql")
_HERE = Path(__file__).parent
_SERVER = _HERE / "card_server"
_PAGES = (_SERVER / "web", _SERVER / "api")
_LONG = (*_PAGES, _HERE / "journeys", _SERVER / "test_notifier_kills.py")
_ON_ONE_DATABASE = (
    *_PAGES,
    _SERVER / "exports",
    _SERVER / "faces",
    _SERVER / "imports" / "roster" / "test_killed.py",
    _SERVER / "test_notifier_kills.py",
    _SERVER / "webhooks" / "test_deliver_faults.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files go first: one at the end keeps all workers but its own idle.

    A test of a page or of the API, and one that takes long, runs on one database, half of them on
    each; `make faults` runs it on the other one. What pages ask the database has its own tests,
    always on both.
    """
    items.sort(key=lambda item: not _is_below(item, _LONG))
    for item in items:
        if _is_below(item, _ON_ONE_DATABASE) and not _is_its_turn(item):
            item.add_marker(pytest.mark.faults)


def pytest_collection_finish() -> None:
    """What was loaded until here stays until the end: nobody need look for garbage in it."""
    gc.collect()
    gc.freeze()


def _is_below(item: pytest.Item, places: tuple[Path, ...]) -> bool:
    return any(item.path.is_relative_to(place) for place in places)


def _is_its_turn(item: pytest.Item) -> bool:
    """Whether the database that this form of the test takes is the one of its name."""
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
        return True
    turn = _DATABASES[crc32(f"{item.path.name}::{item.originalname}".encode()) % 2]
    return item.callspec.params.get("database_url", turn) == turn


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """In this process a password is proved in no time: otherwise most of the tests' time is that.

    Processes that tests start prove it as a school does.
    """
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "hasher", cheap)
        patch.setattr(accounts, "NOBODYS", cheap.hash("nobody's"))
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_applications() -> Iterator[None]:
    """Most tests of pages make an application of their own."""
    with compiled_once():
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_engines() -> Iterator[None]:
    """Most tests open an engine of their own."""
    with statements_compiled_once():
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One cluster for the session, with a migrated template database in it."""
    with Postgres(is_durable=False) as cluster:
        cluster.create_database("template1", _TEMPLATE)
        _migrate(cluster.url(_TEMPLATE))
        yield cluster


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def shared_url(postgres: Postgres) -> str:
    return postgres.create_database(_TEMPLATE)


@pytest.fixture
def postgres_url(postgres: Postgres, shared_url: str) -> Iterator[str]:
    """A migrated, empty PostgreSQL database, emptied after each test: a new one takes longer."""
    yield shared_url
    postgres.empty_database(shared_url)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated, empty SQLite database."""
    path = tmp_path / "campus.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=_DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database: the test runs once on each kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The test's own database, migrated and empty."""
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    return open_sessions(engine)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the session: Playwright allows one of itself in a thread."""
    with open_browser() as browser:
        yield browser


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A private broker without access rules."""
    with Mosquitto(tmp_path / "mosquitto") as broker:
        yield broker


def _migrate(url: str) -> None:
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()

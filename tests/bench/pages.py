"""How long the server takes for a page of a school of 3,000, and how much a browser is sent."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from heapq import nlargest
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from card_server.staff.accounts import create_staff
from card_server.staff.scope import WHOLE_SCHOOL, Grant
from card_server.storage.database import open_engine
from card_server.storage.migrate import migrate
from card_server.web.app import close_app, create_app
from card_server.web.settling import settle
from schema.tables.staff import Role, Scope
from tests.bench.measure import Is, Measure, quantile
from tests.bench.school_year import make_school_year
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings
from tests.harness.postgres import Postgres
from tests.screenshots.pages import find_pages, pages_of_district

Progress = Callable[[float], None]
Visit = tuple[FlaskClient, str]
"""A browser, and the page that it asks for."""

_REQUESTS = 200
_WARM_UP = 5
_MOST_MS = 50
_MOST_KB = 200
_CHARTS = re.compile(r"echarts|charts\.js")


def measure_pages(folder: Path, postgres: Postgres, progress: Progress) -> list[Measure]:
    """The slowest page's p99 and the heaviest page's size, of all pages that there are."""
    folder.mkdir()
    url = postgres.create_database()
    engine = open_engine(url)
    migrate(engine)
    school_id = make_school_year(engine, datetime.now(UTC))
    progress(0.3)
    with _application(url, engine, folder) as app:
        visits = list(_find_visits(app, engine, school_id))
        sizes = {path: _weigh(client, path) for client, path in visits}
        times = time_pages(visits, lambda done: progress(0.3 + 0.7 * done))
    engine.dispose()
    slowest, *next_slowest = nlargest(5, times, key=lambda path: quantile(times[path], 0.99))
    heaviest = max(sizes, key=lambda path: sizes[path])
    every = [one for of_page in times.values() for one in of_page]
    return [
        Measure(
            f"page of a school of 3,000, server time p99 ({slowest})",
            quantile(times[slowest], 0.99),
            "ms",
            Is.BELOW,
            _MOST_MS,
        ),
        *(Measure(f"  {path} p99", quantile(times[path], 0.99), "ms") for path in next_slowest),
        Measure(f"  all {len(times)} pages together, p50", quantile(every, 0.5), "ms"),
        Measure(
            f"page with its styles and scripts, heaviest ({heaviest})",
            sizes[heaviest],
            "KB",
            Is.BELOW,
            _MOST_KB,
        ),
    ]


@contextmanager
def _application(url: str, engine: Engine, folder: Path) -> Iterator[Flask]:
    app = create_app(make_settings(url, folder), engine)
    app.config["WTF_CSRF_ENABLED"] = False
    settle()
    try:
        yield app
    finally:
        close_app(app)


def _find_visits(app: Flask, engine: Engine, school_id: int) -> Iterator[Visit]:
    """Each page, with a browser of somebody who may see it."""
    with Session(engine) as session:
        passwords = {
            "bench": create_staff(session, school_id, "bench", "王老师", WHOLE_SCHOOL),
            "district": create_staff(
                session, None, "district", "区管理员", Grant(Role.DISTRICT_ADMIN, Scope.DISTRICT)
            ),
        }
        session.commit()
    staff, district = (_log_in(app, login, password) for login, password in passwords.items())
    for path in find_pages(app, staff, engine, school_id):
        yield staff, path
    for path in pages_of_district(app, district, engine):
        yield district, path


def _log_in(app: Flask, login: str, password: str) -> FlaskClient:
    client = app.test_client()
    client.post("/log-in", data={"login": login, "password": password})
    client.post("/password", data={"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD})
    return client


def time_pages(visits: Sequence[Visit], progress: Progress) -> dict[str, list[float]]:
    """Milliseconds of each request through the whole application, without a network.

    The pages are asked for in turns, as people ask for them; so a slow second of the machine falls
    on all of them, and nothing is at hand because the same page was asked for just before.
    """
    times: dict[str, list[float]] = {path: [] for _, path in visits}
    for number in range(_WARM_UP + _REQUESTS):
        if number == _WARM_UP:
            settle()  # as `card_server.web.serve` does when the first pages were looked at
        for client, path in visits:
            began = time.perf_counter()
            answer = client.get(path)
            took = (time.perf_counter() - began) * 1e3
            assert answer.status_code == 200, path
            if number >= _WARM_UP:
                times[path].append(took)
        progress((number + 1) / (_WARM_UP + _REQUESTS))
    return times


def _weigh(client: FlaskClient, path: str) -> float:
    """Kilobytes that a browser is sent for a page it never saw; charts apart."""
    page = client.get(path).text
    files = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page))
    wanted = [file for file in files if not _CHARTS.search(file)]
    sent = [client.get(file, headers={"Accept-Encoding": "gzip"}).data for file in wanted]
    return (len(page.encode()) + sum(map(len, sent))) / 1000

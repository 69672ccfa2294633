"""Live pages over a real server: what changed is told within a second, and not to too many."""

import contextlib
import http.client
import re
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM, note
from card_server.reports.changes import Change, Watch
from card_server.staff.accounts import choose_password, log_in
from card_server.staff.sessions import open_staff_session
from card_server.web.hub import Hub
from schema.tables.attendance import Deadline
from schema.tables.evacuation import Evacuation
from schema.tables.school import Homeroom
from schema.tables.staff import StaffSession
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings, serving
from tests.card_server.web.small_school import (
    SmallSchool,
    add_health,
    add_job,
    add_message,
    add_tap,
    make_school,
)
from tests.harness.waiting import wait_for


def test_a_watch_names_what_changed_at_its_school_only(
    engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    watch = Watch(school.id)
    with engine.connect() as connection:
        assert watch.look(connection) == set()
    with sessions.begin() as session:
        add_tap(session, make_school(session, "no2"), 0)
    with engine.connect() as connection:
        assert watch.look(connection) == set()
    with sessions.begin() as session:
        add_tap(session, school, 0)
        add_message(session, school, 0)
        add_health(session, school, 0, datetime.now(UTC))
        add_job(session, school)
        _add_evacuation(session, school)
        _judge_a_session(session, school)
        note(session, school.id, SYSTEM, "correction.made", "student:1")
    with engine.connect() as connection:
        assert watch.look(connection) == set(Change)
    with engine.connect() as connection:
        assert watch.look(connection) == set()


def test_a_look_is_no_change(
    engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    watch = Watch(school.id)
    with engine.connect() as connection:
        watch.look(connection)
    with sessions.begin() as session:
        for action in ("student.seen", "student.day_seen", "leave.seen"):
            note(session, school.id, SYSTEM, action, "student:1")
    with engine.connect() as connection:
        assert watch.look(connection) == set()


def test_the_browser_hears_of_every_change() -> None:
    script = Path("card_server/web/static/live.js").read_text()
    [heard] = re.findall(r"const CHANGES = \[(.*)\];", script)
    assert {one.strip(' "') for one in heard.split(",")} == {*Change}


def _add_evacuation(session: Session, school: SmallSchool) -> None:
    now = datetime.now(UTC)
    session.add(
        Evacuation(
            school_id=school.id,
            reason="drill",
            started_at=now,
            started_by="王老师",
            gates="[]",
            changed_at=now,
        )
    )


def _judge_a_session(session: Session, school: SmallSchool) -> None:
    now = datetime.now(UTC)
    room = session.scalars(select(Homeroom.id).where(Homeroom.school_id == school.id)).first()
    session.add(
        Deadline(
            school_id=school.id,
            day=now.date(),
            homeroom_id=room,
            position=1,
            due_at=now,
            judged_at=now,
        )
    )


def test_a_watch_sees_a_row_that_was_committed_after_a_newer_one(
    engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    earlier = datetime.now(UTC)
    watch = Watch(school.id)
    with sessions.begin() as session:
        add_health(session, school, 0, datetime.now(UTC))
    with engine.connect() as connection:
        watch.look(connection)
    with sessions.begin() as session:
        add_health(session, school, 1, earlier)
    with engine.connect() as connection:
        assert watch.look(connection) == {Change.READERS}


def test_the_hub_wakes_a_page_once_for_many_rows_and_caps_pages(
    engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    hub = Hub(engine, most=1)
    stream = hub.join(school.id)
    assert stream
    assert hub.join(school.id) is None
    stream.wake({Change.TAPS})
    stream.wake({Change.TAPS, Change.READERS})
    assert stream.wait(0) == {Change.TAPS, Change.READERS}
    assert stream.wait(0) == set()
    with stream:
        pass
    again = hub.join(school.id)
    assert again
    hub.close()
    assert again.wait(60) == set()
    assert hub.join(school.id) is None


@pytest.fixture
def token_cookie(sessions: sessionmaker[Session], school: SmallSchool) -> str:
    """The cookie header of a browser in which the administrator is logged in."""
    with sessions.begin() as session:
        who = log_in(session, school.login, school.password)
        choose_password(session, who.id, CHOSEN_PASSWORD, CHOSEN_PASSWORD, b"")
        return open_staff_session(session, who, datetime.now(UTC))


@pytest.fixture
def served(database_url: str) -> Iterator[str]:
    with serving(make_settings(database_url, threads=3)) as address:
        yield address


class _Listener:
    """A browser's end of /live/events."""

    def __init__(self, address: str, cookie: str) -> None:
        self._link = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
        self._link.request("GET", "/live/events", headers={"Cookie": cookie})
        self._socket = self._link.sock
        self.answer = self._link.getresponse()
        self.events: list[tuple[float, str]] = []
        self.has_ended = False

    def listen(self) -> "_Listener":
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def heard(self, name: str) -> float | None:
        return next((at for at, event in self.events if event == name), None)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._link.close()

    def _read(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            for line in self.answer:
                if line.startswith(b"event: "):
                    self.events.append((time.monotonic(), line[7:].decode().strip()))
        self.has_ended = True


def _cookie(app_secret: str, token: str) -> str:
    app = Flask("signer")
    app.secret_key = app_secret
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer
    return f"campus={serializer.dumps({'token': token})}"


def test_a_page_hears_of_a_tap_within_a_second(
    served: str, token_cookie: str, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    page = _Listener(served, _cookie("x" * 32, token_cookie)).listen()
    wait_for(lambda: page.heard("taps"), what="the first look, which tells everything")
    page.events.clear()
    with sessions.begin() as session:
        add_tap(session, school, 0)
    inserted = time.monotonic()
    heard = wait_for(lambda: page.heard("taps"), 5, "the tap's event")
    assert heard is not None
    assert heard - inserted < 1
    page.close()


def test_streams_are_capped_below_the_threads_and_a_closed_page_makes_room(
    served: str, token_cookie: str
) -> None:
    cookie = _cookie("x" * 32, token_cookie)
    pages = [_Listener(served, cookie) for _ in range(2)]
    assert [page.answer.status for page in pages] == [200, 200]
    refused = _Listener(served, cookie)
    assert refused.answer.status == 503
    refused.close()
    pages[0].close()

    def has_room() -> bool:
        page = _Listener(served, cookie)
        page.close()
        return page.answer.status == 200

    assert wait_for(has_room, 10, "a free stream")
    pages[1].close()


def test_a_stream_ends_with_its_session(
    served: str,
    token_cookie: str,
    sessions: sessionmaker[Session],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("card_server.web.live_pages.HEARTBEAT_S", 0)
    page = _Listener(served, _cookie("x" * 32, token_cookie)).listen()
    wait_for(lambda: page.heard("heartbeat"), what="the stream")
    with sessions.begin() as session:
        session.execute(delete(StaffSession))
    assert wait_for(lambda: page.has_ended, what="the end of the stream")
    assert _Listener(served, "").answer.status == 403

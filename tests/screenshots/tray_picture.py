"""Writes docs/pictures/tray.png anew: the card tray, with a card at a gate and its light green."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import expect

from card_server.storage.database import open_engine, open_sessions
from card_server.storage.migrate import migrate
from schema.messages import CardState
from tests.card_server.web.conftest import make_settings, serving
from tests.harness.browser import open_browser
from tests.harness.mosquitto import Mosquitto
from tests.harness.waiting import wait_for
from tests.reader_daemon.box import Box
from tests.screenshots.lively import make_lively_school

_PICTURE = Path("docs/pictures/tray.png")
_SIZE = {"width": 1280, "height": 860}
_GATE = "gate-east-in"


def main() -> None:
    """Hold a card to a gate of a lively school, and take the picture while its light is green."""
    with tempfile.TemporaryDirectory() as folder:
        tray = Path(folder, "tray")
        tray.mkdir()
        settings = make_settings(f"sqlite:///{folder}/campus.db", tray)
        uids = _prepare(settings.database_url)
        with (
            _gate(Path(folder), tray / f"{_GATE}.sock", uids),
            open_browser() as browser,
            serving(settings) as address,
        ):
            context = browser.new_context(locale="zh-CN", viewport=_SIZE)  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(address)
            for card in (0, 4):  # The first one warms the reader up: people see the second.
                page.locator(".card.student").nth(card).click()
                expect(page.locator(f"[data-reader={_GATE}]")).to_contain_text("ms")
            gate = page.locator(f"[data-reader={_GATE}]")
            expect(gate).to_have_attribute("data-signal", "admitted")
            page.mouse.move(640, 840)
            page.screenshot(path=_PICTURE)
            page.goto("about:blank")
            context.close()


@contextmanager
def _gate(folder: Path, socket: Path, uids: list[str]) -> Iterator[None]:
    """A real reader program, so that its milliseconds are true."""
    with (
        Mosquitto(folder / "broker") as broker,
        Box(
            folder,
            source="tray",
            tray_socket=str(socket),
            broker_port=broker.port,
            feedback=["log"],
        ) as box,
    ):
        box.stop()
        box.give_cards(**{f"u{uid}": CardState.ACTIVE for uid in uids})
        box.start()
        wait_for(socket.exists, 20, "the reader's tray")
        yield


def _prepare(database_url: str) -> list[str]:
    """Make the school; the numbers of its students' cards."""
    engine = open_engine(database_url)
    migrate(engine)
    uids = make_lively_school(open_sessions(engine)).uids
    engine.dispose()
    return uids


if __name__ == "__main__":
    main()

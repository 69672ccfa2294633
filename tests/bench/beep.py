"""How long from reading a card to the green light, with the network up and down."""

from collections.abc import Callable
from pathlib import Path

from schema.messages import CardState
from tests.bench.measure import Is, Measure, quantile
from tests.harness.mosquitto import Mosquitto
from tests.reader_daemon.box import Box
from tests.reader_daemon.tray import Hand

Progress = Callable[[float], None]
_TAPS = 500


def measure_beep(folder: Path, progress: Progress) -> list[Measure]:
    """p99 of a real daemon's own clock, from the card's read to the light."""
    folder.mkdir()
    with Mosquitto(folder / "broker") as broker:
        up = _tap(folder / "up", broker.port, lambda part: progress(part / 2))
        broker.stop()
        down = _tap(folder / "down", broker.port, lambda part: progress(0.5 + part / 2))
        broker.start()
    return [
        Measure("read → beep, p99, broker there", quantile(up, 0.99), "ms", Is.BELOW, 50),
        Measure("read → beep, p99, broker away", quantile(down, 0.99), "ms", Is.BELOW, 50),
    ]


def _tap(folder: Path, port: int, progress: Progress) -> list[float]:
    folder.mkdir()
    uids = [f"04{number:010X}80" for number in range(1, _TAPS + 1)]
    tray = folder / "tray.sock"
    with Box(
        folder, source="tray", tray_socket=str(tray), broker_port=port, feedback=["log"]
    ) as box:
        box.stop()
        box.give_cards(**{f"u{uid}": CardState.ACTIVE for uid in uids})
        box.start()
        with Hand(tray) as hand:
            for number, uid in enumerate(uids):
                assert hand.press(uid)["signal"] == "admitted"
                progress(number / _TAPS)
        box.wait_for_event("tap")
        return [float(event["shown_ms"]) for event in box.events("tap")]

"""Feedback: what each signal switches, and that a slow or broken one holds nothing up."""

import io
import itertools
import threading
import time
import wave
from collections.abc import Iterator

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory
from rich.console import Console

from reader_daemon.feedback import sound
from reader_daemon.feedback.gpio import GpioFeedback
from reader_daemon.feedback.panel import Panel
from reader_daemon.feedback.protocol import Signal
from reader_daemon.feedback.sound import SoundFeedback
from reader_daemon.feedback.terminal import TerminalFeedback
from reader_daemon.sources import acr122
from schema.messages import Refusal
from tests.harness.virtual_card import VirtualCard
from tests.harness.waiting import wait_for

GREEN, RED, RELAY = 17, 27, 22


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    factory = MockFactory()
    Device.pin_factory = factory
    yield factory
    Device.pin_factory = None


def _went_high(pins: MockFactory, number: int) -> int:
    states: list[bool] = [change.state for change in pins.pin(number).states]
    return sum(after and not before for before, after in itertools.pairwise(states))


@pytest.mark.parametrize(
    ("signal", "green", "red", "relay"),
    [
        (Signal.ADMITTED, 1, 0, 1),
        (Signal.READ, 1, 0, 0),
        (Signal.REFUSED, 0, 1, 0),
        (Signal.HELD, 0, 2, 0),
        (Signal.NOT_KEPT, 0, 4, 0),
        (Signal.IDENTIFY, 1, 1, 0),
    ],
)
def test_only_an_admitted_card_opens_the_gate(
    pins: MockFactory, signal: Signal, green: int, red: int, relay: int
) -> None:
    feedback = GpioFeedback(GREEN, RED, RELAY, 0.05)
    feedback.show(signal, None)
    assert [_went_high(pins, number) for number in (GREEN, RED, RELAY)] == [green, red, relay]
    wait_for(lambda: not any(pins.pin(n).state for n in (GREEN, RED, RELAY)), what="all off")
    feedback.close()


def test_a_gate_closes_when_its_reader_stops(pins: MockFactory) -> None:
    feedback = GpioFeedback(None, None, RELAY, 60)
    feedback.show(Signal.ADMITTED, None)
    assert pins.pin(RELAY).state
    feedback.close()
    assert not pins.pin(RELAY).state


def test_each_signal_has_a_tone_of_its_own() -> None:
    waves = [sound._tones(sound._TONES[signal]) for signal in Signal]
    assert len(set(waves)) == len(Signal)
    for data in waves:
        with wave.open(io.BytesIO(data)) as tone:
            assert 0.1 < tone.getnframes() / tone.getframerate() < 1


def test_the_terminal_says_the_signal_and_the_reason() -> None:
    console = Console(file=io.StringIO(), width=80)
    feedback = TerminalFeedback(console)
    for signal in Signal:
        feedback.show(signal, Refusal.LOST if signal is Signal.REFUSED else None)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "通过" in said
    assert "REFUSED  lost" in said
    assert "未获准离校 HELD" in said
    assert said.count("\n") == len(Signal)


def test_the_readers_own_lamp_is_green_only_for_a_card_that_is_welcome() -> None:
    card = VirtualCard(0, "DEADBEEF")
    seen = {}
    for signal in (
        Signal.ADMITTED,
        Signal.READ,
        Signal.REFUSED,
        Signal.HELD,
        Signal.NOT_KEPT,
    ):
        before = (card.greens, card.reds)
        card._answer_to(bytes(acr122.light(signal)))
        seen[signal] = (card.greens - before[0], card.reds - before[1])
    assert seen == {
        Signal.ADMITTED: (1, 0),
        Signal.READ: (1, 0),
        Signal.REFUSED: (0, 1),
        Signal.HELD: (0, 1),
        Signal.NOT_KEPT: (0, 1),
    }
    assert len(set(card.lights)) == 5


class Stuck:
    """A feedback that hangs until it is let go."""

    def __init__(self) -> None:
        self.shown: list[Signal] = []
        self.let_go = threading.Event()

    def show(self, signal: Signal, reason: Refusal | None) -> None:
        self.shown.append(signal)
        assert self.let_go.wait(20)

    def close(self) -> None:
        self.shown.clear()


def test_a_hanging_feedback_holds_up_no_tap_and_forgets_what_is_stale() -> None:
    stuck = Stuck()
    panel = Panel({"stuck": stuck})
    started = time.monotonic()
    for _ in range(1000):
        panel.show(Signal.REFUSED, None)
    panel.show(Signal.ADMITTED, None)
    assert time.monotonic() - started < 1
    stuck.let_go.set()
    wait_for(lambda: stuck.shown[-1:] == [Signal.ADMITTED], what="the newest signal")
    assert len(stuck.shown) <= 6
    panel.close()


def test_a_broken_feedback_is_named_and_works_again_when_it_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    feedback = SoundFeedback("default")
    monkeypatch.setattr(feedback, "_player", ["false"])
    panel = Panel({"sound": feedback})
    panel.show(Signal.ADMITTED, None)
    wait_for(lambda: panel.failures, what="the failure")
    assert panel.failures == ["The sound feedback does not work: CalledProcessError."]
    monkeypatch.setattr(feedback, "_player", ["true"])
    panel.show(Signal.ADMITTED, None)
    wait_for(lambda: not panel.failures, what="the recovery")
    panel.close()

"""Feedback by GPIO pins: a green and a red lamp, and the relay that opens the gate."""

import threading
from typing import Final, Protocol

from gpiozero import LED, DigitalOutputDevice

from reader_daemon.config import Settings
from reader_daemon.feedback.protocol import Signal
from schema.messages import Refusal

_LIT_S: Final = 0.8
_BLINK_S: Final = 0.15
_SLOW_S: Final = 0.4


class _Output(Protocol):
    def on(self) -> None: ...
    def off(self) -> None: ...
    def close(self) -> None: ...


class GpioFeedback:
    """Green: admitted, or read at a desk. Red: refused. Red twice: held. Red blinking fast: not
    kept. Both in turn: identify.
    """

    def __init__(
        self, green: int | None, red: int | None, relay: int | None, relay_s: float
    ) -> None:
        self._green: _Output | None = None if green is None else LED(green)
        self._red: _Output | None = None if red is None else LED(red)
        self._relay: _Output | None = None if relay is None else DigitalOutputDevice(relay)
        self._relay_s = relay_s
        self._closing: threading.Timer | None = None

    def show(self, signal: Signal, reason: Refusal | None) -> None:
        if signal is Signal.ADMITTED:
            self._open_gate()
            _light(self._green, _LIT_S)
        elif signal is Signal.READ:
            _light(self._green, _LIT_S)
        elif signal is Signal.REFUSED:
            _light(self._red, _LIT_S)
        elif signal is Signal.HELD:
            _light(self._red, _SLOW_S)
            _pause(_BLINK_S)
            _light(self._red, _SLOW_S)
        elif signal is Signal.NOT_KEPT:
            for _ in range(4):
                _light(self._red, _BLINK_S)
                _pause(_BLINK_S)
        else:
            _light(self._green, _BLINK_S)
            _light(self._red, _BLINK_S)

    def close(self) -> None:
        """Everything off: a gate must not stay open because its reader stopped."""
        if self._closing:
            self._closing.cancel()
        for output in (self._relay, self._green, self._red):
            if output:
                output.off()
                output.close()

    def _open_gate(self) -> None:
        """A pulse beside the lamp; a further tap within it starts it anew."""
        if not self._relay:
            return
        if self._closing:
            self._closing.cancel()
        self._relay.on()
        self._closing = threading.Timer(self._relay_s, self._relay.off)
        self._closing.daemon = True
        self._closing.start()


def open_feedback(settings: Settings) -> GpioFeedback:
    """The pins that the settings name. Raises gpiozero's errors when there are none."""
    return GpioFeedback(
        settings.gpio_green, settings.gpio_red, settings.gpio_relay, settings.gpio_relay_s
    )


def _light(lamp: _Output | None, seconds: float) -> None:
    if lamp:
        lamp.on()
    _pause(seconds)
    if lamp:
        lamp.off()


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)

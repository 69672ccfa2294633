"""The ACR122U's own lamp and beeper, as pseudo-APDUs (ACS: ACR122U API v2.04, §6.2 and §6.7)."""

from typing import Final

from reader_daemon.feedback.protocol import Signal

NO_DETECTION_BEEP: Final = [0xFF, 0x00, 0x52, 0x00, 0x00]
"""Until it loses power, the reader does not beep for a card by itself."""

_GREEN: Final = 0b10101100
_RED: Final = 0b01011100
"""One lamp blinks, starting lit; both are off at the end."""
_BEEP_WHILE_LIT: Final = 0x01

_LIGHTS: Final = {
    Signal.ADMITTED: [_GREEN, 0x04, 1, 0, 1, _BEEP_WHILE_LIT],
    Signal.READ: [_GREEN, 0x04, 1, 1, 2, _BEEP_WHILE_LIT],
    Signal.REFUSED: [_RED, 0x04, 1, 1, 3, _BEEP_WHILE_LIT],
    Signal.HELD: [_RED, 0x04, 4, 2, 2, _BEEP_WHILE_LIT],
    Signal.NOT_KEPT: [_RED, 0x04, 10, 0, 1, _BEEP_WHILE_LIT],
}
"""Lamps, length, tenths of a second lit and dark, how often, what beeps."""


def light(signal: Signal) -> list[int]:
    """Green and one short beep, two at a desk; red and three short ones; red and two longer ones:
    held; red and a long one: not kept.
    """
    return [0xFF, 0x00, 0x40, *_LIGHTS[signal]]

"""Feedback by sound: a tone of its own for each signal, played by ALSA's `aplay`."""

import io
import math
import subprocess
import wave
from typing import Final

from reader_daemon.config import Settings
from reader_daemon.feedback.protocol import Signal
from schema.messages import Refusal

_RATE: Final = 16_000
_LOUDNESS: Final = 0.6
_PLAYER_S: Final = 5

_TONES: Final[dict[Signal, list[tuple[int, float]]]] = {
    Signal.ADMITTED: [(1760, 0.15)],
    Signal.READ: [(1320, 0.08), (0, 0.04), (1320, 0.08)],
    Signal.REFUSED: [(330, 0.15), (0, 0.07), (330, 0.15), (0, 0.07), (330, 0.15)],
    Signal.HELD: [(660, 0.3), (0, 0.05), (440, 0.45)],
    Signal.NOT_KEPT: [(880, 0.25), (220, 0.6)],
    Signal.IDENTIFY: [(660, 0.12), (880, 0.12), (1100, 0.12)],
}
"""Hertz and seconds; 0 Hz is a pause."""


class SoundFeedback:
    """Holds every tone ready as a WAV."""

    def __init__(self, device: str) -> None:
        self._player = ["aplay", "--quiet", f"--device={device}", "-"]
        self._waves = {signal: _tones(parts) for signal, parts in _TONES.items()}

    def show(self, signal: Signal, reason: Refusal | None) -> None:
        subprocess.run(
            self._player,
            input=self._waves[signal],
            check=True,
            capture_output=True,
            timeout=_PLAYER_S,
        )

    def close(self) -> None:
        """Each tone ends by itself."""


def open_feedback(settings: Settings) -> SoundFeedback:
    """Makes the tones."""
    return SoundFeedback(settings.sound_device)


def _tones(parts: list[tuple[int, float]]) -> bytes:
    """A mono WAV of 16 bits."""
    samples = bytearray()
    for hertz, seconds in parts:
        for number in range(int(_RATE * seconds)):
            height = math.sin(2 * math.pi * hertz * number / _RATE) * _LOUDNESS
            samples += int(height * 32_767).to_bytes(2, "little", signed=True)
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_RATE)
        out.writeframes(bytes(samples))
    return file.getvalue()

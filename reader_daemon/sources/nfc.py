"""Cards by nfcpy: USB and serial NFC readers without PC/SC, and nfcpy's own UDP link for tests."""

import contextlib
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self

import structlog
from nfc import ContactlessFrontend
from nfc.clf import CommunicationError, RemoteTarget

from reader_daemon.config import Settings
from reader_daemon.feedback.protocol import Signal
from reader_daemon.sources.protocol import CardRead, SourceError
from reader_daemon.sources.repeats import Repeats
from schema.messages import Refusal, SourceState

_log = structlog.get_logger()

_POLL_S: Final = 0.05
_FIRST_DELAY_S: Final = 1.0
_LONGEST_DELAY_S: Final = 10.0
_UID_BYTES: Final = {4, 7, 10}


class NfcSource:
    """One device, opened again whenever it went away."""

    def __init__(self, path: str, repeat_s: float) -> None:
        self._path = path
        self._repeats = Repeats(repeat_s)
        self._closed = threading.Event()
        self.state = SourceState.ABSENT

    def __iter__(self) -> Iterator[CardRead]:
        delay_s = _FIRST_DELAY_S
        while not self._closed.is_set():
            try:
                with _opened(self._path) as device:
                    self.state = SourceState.READY
                    _log.info("source_ready", path=self._path)
                    delay_s = _FIRST_DELAY_S
                    yield from self._reads(device)
            except OSError as error:
                if self.state is SourceState.READY or delay_s == _FIRST_DELAY_S:
                    _log.warning("source_absent", path=self._path, error=error.strerror)
            self.state = SourceState.ABSENT
            self._closed.wait(delay_s)
            delay_s = min(2 * delay_s, _LONGEST_DELAY_S)

    def show(self, signal: Signal, reason: Refusal | None) -> None:
        """These readers have no light that nfcpy could switch for us."""
        self._repeats.answered(signal)

    def close(self) -> None:
        self._closed.set()

    def check(self) -> str:
        try:
            with _opened(self._path) as device:
                return f"nfcpy opens {device}."
        except OSError as error:
            raise SourceError(
                f"nfcpy cannot open {self._path}: {error.strerror}. Is the reader plugged in, may"
                " this user write to it, and is no other program (pcscd, the daemon) using it?"
            ) from error

    def _reads(self, device: Any) -> Iterator[CardRead]:
        present = ""
        while not self._closed.is_set():
            uid = _sense(device)
            if uid and uid == present:
                self._repeats.still_there()
            elif uid and self._repeats.is_new(uid):
                yield CardRead(uid)
            present = uid
            self._closed.wait(_POLL_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_source(settings: Settings) -> NfcSource:
    """The device at the settings' path."""
    return NfcSource(settings.nfcpy_path, settings.repeat_s)


def _opened(path: str) -> contextlib.closing[Any]:
    """The device. Raises OSError when there is none, or when it is not ours to use."""
    return contextlib.closing(ContactlessFrontend(path))


def _sense(device: Any) -> str:
    """The number of the card in the field, or nothing. Raises OSError when the device is gone."""
    try:
        # Student cards are ISO/IEC 14443 type A; the others' numbers change or have other lengths.
        target = device.sense(RemoteTarget("106A"))
    except CommunicationError:
        return ""
    uid = bytes(getattr(target, "sdd_res", None) or b"")
    return uid.hex().upper() if len(uid) in _UID_BYTES else ""

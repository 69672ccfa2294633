"""Cards by PC/SC: one named reader, found again after unplugging and after a restart of pcscd.

The calls are PC/SC's own (`SCard…`, PC/SC part 5), which block in the library and not in Python.
"""

import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self

import structlog
from smartcard import scard

from reader_daemon.config import PcscLights, Settings
from reader_daemon.feedback.protocol import Signal
from reader_daemon.sources import acr122
from reader_daemon.sources.protocol import CardRead, SourceError
from reader_daemon.sources.repeats import Repeats
from schema.messages import Refusal, SourceState

_log = structlog.get_logger()

_LOOK_S: Final = 1.0
"""How often a missing reader is looked for, and the longest blocking wait for a card."""
_FIRST_DELAY_S: Final = 0.2
_LONGEST_DELAY_S: Final = 5.0
_TRIES: Final = 3
_TRY_AGAIN_S: Final = 0.1
_GET_UID: Final = [0xFF, 0xCA, 0x00, 0x00, 0x00]
"""PC/SC part 3 §3.2.2.1.3."""
_UID_BYTES: Final = {4, 7, 10}
_PROTOCOLS: Final = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
_CHANGED: Final[int] = scard.SCARD_STATE_CHANGED
_UNAWARE: Final[int] = scard.SCARD_STATE_UNAWARE
_READER_GONE: Final = scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE
_READER_GONE_ERRORS: Final = {scard.SCARD_E_UNKNOWN_READER, scard.SCARD_E_READER_UNAVAILABLE}


class _PcscError(Exception):
    """A call failed in a way that only a new context may mend."""

    def __init__(self, code: int) -> None:
        super().__init__(str(scard.SCardGetErrorMessage(code)))
        self.code = code


class PcscSource:
    """Iterated by one thread; only close() and `state` are for others."""

    def __init__(self, reader: str, lights: PcscLights, repeat_s: float) -> None:
        self._wanted = reader
        self._lights = lights
        self._repeats = Repeats(repeat_s)
        self._closed = threading.Event()
        self._context: Any = None
        self._card: tuple[Any, int] | None = None
        self.state = SourceState.ABSENT

    def __iter__(self) -> Iterator[CardRead]:
        delay_s = _FIRST_DELAY_S
        while not self._closed.is_set():
            try:
                self._context = _checked(scard.SCardEstablishContext(scard.SCARD_SCOPE_USER))
                delay_s = _FIRST_DELAY_S
                yield from self._reads_of_context()
            except _PcscError as error:
                # No service, a stopped service, a handle of a pcscd that is gone: begin anew.
                if delay_s == _FIRST_DELAY_S:
                    _log.warning("pcsc_lost", error=str(error))
            finally:
                self._set_state(SourceState.ABSENT)
                self._release()
            self._closed.wait(delay_s)
            delay_s = min(2 * delay_s, _LONGEST_DELAY_S)

    def show(self, signal: Signal, reason: Refusal | None) -> None:
        """The reader's lamp and beeper, over the connection to the card that was just read."""
        self._repeats.answered(signal)
        if self._lights is PcscLights.ACR122 and self._card:
            handle, protocol = self._card
            code, _ = scard.SCardTransmit(handle, protocol, acr122.light(signal))
            if code != scard.SCARD_S_SUCCESS:
                _log.info("light_not_shown", error=scard.SCardGetErrorMessage(code))

    def close(self) -> None:
        self._closed.set()
        if self._context is not None:
            scard.SCardCancel(self._context)

    def check(self) -> str:
        try:
            context = _checked(scard.SCardEstablishContext(scard.SCARD_SCOPE_USER))
        except _PcscError as error:
            raise SourceError(f"pcscd does not answer ({error}): systemctl start pcscd") from error
        names = _list_readers(context)
        scard.SCardReleaseContext(context)
        found = find_reader(names, self._wanted)
        if not found:
            said = ", ".join(f"“{name}”" for name in names) or "none: is one plugged in?"
            raise SourceError(f"No single reader fits “{self._wanted}”. PC/SC has: {said}")
        return f"PC/SC has the reader “{found}”."

    def _reads_of_context(self) -> Iterator[CardRead]:
        while not self._closed.is_set():
            reader = find_reader(_list_readers(self._context), self._wanted)
            if reader:
                self._set_state(SourceState.READY, reader)
                yield from self._reads_of_reader(reader)
            self._set_state(SourceState.ABSENT)
            self._closed.wait(_LOOK_S)

    def _reads_of_reader(self, reader: str) -> Iterator[CardRead]:
        """Until the reader is gone."""
        known = _UNAWARE
        is_muted = False
        while not self._closed.is_set():
            seen = self._wait_for_change(reader, known)
            if seen is None:
                continue
            state, atr = seen
            if state & _READER_GONE:
                return
            known = state & ~_CHANGED
            if not state & scard.SCARD_STATE_PRESENT or state & scard.SCARD_STATE_MUTE:
                continue
            self._card = self._connect(reader)
            try:
                if self._card and not is_muted:
                    is_muted = self._mute_detection_beep()
                uid = self._read_uid()
                if uid and self._repeats.is_new(uid):
                    yield CardRead(uid, bytes(atr).hex().upper())
                known = self._wait_for_removal(reader, known)
            finally:
                self._disconnect()

    def _wait_for_removal(self, reader: str, known: int) -> int:
        """The state once the card, or the reader, is gone."""
        while not self._closed.is_set():
            seen = self._wait_for_change(reader, known)
            self._repeats.still_there()
            if seen is None:
                continue
            state = seen[0]
            # The upper half counts events: a card may have gone and another have come unseen.
            was_swapped = (state ^ known) >> 16
            known = state & ~_CHANGED
            if not state & scard.SCARD_STATE_PRESENT:
                return known
            if was_swapped:
                return _UNAWARE
        return known

    def _wait_for_change(self, reader: str, known: int) -> tuple[int, list[int]] | None:
        """The reader's new state and ATR; None when nothing changed for a while."""
        code, seen = scard.SCardGetStatusChange(
            self._context, int(_LOOK_S * 1000), [(reader, known)]
        )
        if code in (scard.SCARD_E_TIMEOUT, scard.SCARD_E_CANCELLED):
            return None
        if code in _READER_GONE_ERRORS:
            return scard.SCARD_STATE_UNAVAILABLE, []
        if code != scard.SCARD_S_SUCCESS:
            raise _PcscError(code)
        return seen[0][1], seen[0][2]

    def _connect(self, reader: str) -> tuple[Any, int] | None:
        """A connection to the card; None if it went too soon or another program holds it."""
        for _ in range(_TRIES):
            code, handle, protocol = scard.SCardConnect(
                self._context, reader, scard.SCARD_SHARE_SHARED, _PROTOCOLS
            )
            if code == scard.SCARD_S_SUCCESS:
                is_t1 = protocol == scard.SCARD_PROTOCOL_T1
                return handle, scard.SCARD_PCI_T1 if is_t1 else scard.SCARD_PCI_T0
            if code in (scard.SCARD_E_NO_SMARTCARD, scard.SCARD_W_REMOVED_CARD):
                return None
            self._closed.wait(_TRY_AGAIN_S)
        _log.warning("card_not_readable", error=scard.SCardGetErrorMessage(code))
        return None

    def _read_uid(self) -> str:
        """The card's number, or nothing."""
        if not self._card:
            return ""
        handle, protocol = self._card
        code, answer = scard.SCardTransmit(handle, protocol, _GET_UID)
        if code != scard.SCARD_S_SUCCESS:
            _log.info("card_gone_too_soon", error=scard.SCardGetErrorMessage(code))
            return ""
        uid, status = bytes(answer[:-2]), bytes(answer[-2:])
        if status != b"\x90\x00" or len(uid) not in _UID_BYTES:
            _log.warning("card_without_number", status=status.hex(), length=len(uid))
            return ""
        return uid.hex().upper()

    def _mute_detection_beep(self) -> bool:
        """A beep must mean that the tap is kept: the reader may not beep for itself."""
        if self._lights is not PcscLights.ACR122 or not self._card:
            return True
        handle, protocol = self._card
        code, _ = scard.SCardTransmit(handle, protocol, acr122.NO_DETECTION_BEEP)
        return bool(code == scard.SCARD_S_SUCCESS)

    def _disconnect(self) -> None:
        if self._card:
            scard.SCardDisconnect(self._card[0], scard.SCARD_LEAVE_CARD)
            self._card = None

    def _release(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            scard.SCardReleaseContext(context)

    def _set_state(self, state: SourceState, reader: str = "") -> None:
        if state is not self.state:
            _log.info("source_state", state=state.value, reader=reader or self._wanted)
            self.state = state

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_source(settings: Settings) -> PcscSource:
    """The reader that the settings name."""
    return PcscSource(settings.pcsc_reader, settings.pcsc_lights, settings.repeat_s)


def find_reader(names: list[str], wanted: str) -> str | None:
    """The reader of exactly this name, or else the only one whose name contains it."""
    if wanted in names:
        return wanted
    fitting = [name for name in names if wanted in name]
    return fitting[0] if len(fitting) == 1 else None


def _list_readers(context: Any) -> list[str]:
    code, names = scard.SCardListReaders(context, [])
    if code == scard.SCARD_E_NO_READERS_AVAILABLE:
        return []
    if code != scard.SCARD_S_SUCCESS:
        raise _PcscError(code)
    return list(names)


def _checked(answer: tuple[int, Any]) -> Any:
    code, value = answer
    if code != scard.SCARD_S_SUCCESS:
        raise _PcscError(code)
    return value

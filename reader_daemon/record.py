"""One kept tap as bytes that prove themselves: found again even in the rubble of a broken file."""

import zlib
from collections.abc import Iterator
from typing import Final

import msgspec

from reader_daemon.clocks import Uptime, clock_step_s
from schema.messages import Tap

_MAGIC: Final = b"\xc7TAP"
_HEAD: Final = len(_MAGIC) + 6
"""The mark, two bytes of length, four of CRC-32."""


class Kept(msgspec.Struct, frozen=True):
    """A tap, and the moment by the kernel's clock at which it was kept."""

    tap: Tap
    kept_at: Uptime

    def as_sent(self, wall_now: float, now: Uptime) -> Tap:
        """The tap with how far the wall clock was moved since."""
        step = clock_step_s(self.tap.tapped_at.timestamp(), self.kept_at, wall_now, now)
        return msgspec.structs.replace(self.tap, clock_step_s=step) if step else self.tap


def pack(kept: Kept) -> bytes:
    """The record's bytes."""
    body = msgspec.json.encode(kept)
    return _MAGIC + len(body).to_bytes(2, "big") + zlib.crc32(body).to_bytes(4, "big") + body


def unpack(data: bytes) -> Kept:
    """The record. Raises ValueError when a single bit of it is wrong."""
    size = int.from_bytes(data[4:6], "big")
    body = data[_HEAD : _HEAD + size]
    if data[:4] != _MAGIC or len(body) != size:
        raise ValueError("not a record")
    if zlib.crc32(body) != int.from_bytes(data[6:_HEAD], "big"):
        raise ValueError("a record with a wrong checksum")
    return msgspec.json.decode(body, type=Kept)


def find_records(data: bytes) -> Iterator[Kept]:
    """Every whole record anywhere in these bytes; the same one may come more than once."""
    at = data.find(_MAGIC)
    while at >= 0:
        size = int.from_bytes(data[at + 4 : at + 6], "big")
        found = _try_to_unpack(data[at : at + _HEAD + size])
        if found:
            yield found
        at = data.find(_MAGIC, at + 1)


def _try_to_unpack(data: bytes) -> Kept | None:
    try:
        return unpack(data)
    except ValueError:
        return None

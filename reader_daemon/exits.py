"""The reader's copy of the held exits: who may not leave now, judged without a network.

When in doubt it holds nobody: without a list, after the list's last window, and while the clock is
known to be wrong. A child is never locked in by what a reader does not know.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
import structlog

from reader_daemon.clocks import Uptime, uptime
from reader_daemon.kept_file import read_file, write_file
from reader_daemon.parts import Parts
from schema.messages import (
    ExitPermits,
    ExitsMessage,
    ExitsSnapshot,
    ExitsVersion,
    HeldCards,
    Permit,
    Window,
    utc_now,
)

_log = structlog.get_logger()

CLOCK_OFF: Final = timedelta(minutes=2)
"""A clock that differs more than this from the server's holds nobody."""
_HEARING_KEPT: Final = timedelta(hours=1)
"""That the server was heard, and nothing else, is written this often, to spare SD cards."""


class Heard(msgspec.Struct, frozen=True):
    """When the server was heard last: by its clock, by ours, and by the kernel's."""

    server_at: datetime
    wall_at: datetime
    uptime: Uptime


class Exits(msgspec.Struct, frozen=True):
    """All that decides about exits; replaced as a whole, so that a judgement sees one version."""

    version: ExitsVersion = ""
    """Empty for the list that holds nobody."""
    heard: Heard | None = None
    others: list[Window] = []
    held: list[HeldCards] = []
    permits: list[Permit] = []


class Rule:
    """`Exits` made ready to be asked."""

    def __init__(self, exits: Exits) -> None:
        self._others: Sequence[Window] = exits.others
        self._windows = {uid: group.windows for group in exits.held for uid in group.cards}
        self._permits: dict[str, list[Permit]] = {}
        for permit in exits.permits:
            self._permits.setdefault(permit.uid, []).append(permit)

    def holds(self, uid: str, at: datetime) -> bool:
        """Whether this card's exit is held at that moment."""
        windows = self._windows.get(uid, self._others)
        return _is_in(at, windows) and not _is_in(at, self._permits.get(uid, ()))


def _is_in(at: datetime, stretches: Iterable[Window | Permit]) -> bool:
    return any(one.from_at <= at < one.until_at for one in stretches)


def is_clock_off(heard: Heard, wall: datetime, now: Uptime) -> bool:
    """Whether the wall clock is known to be wrong, by when the server was heard last.

    After a start of the machine nobody can tell, unless it is earlier than the server was.
    """
    if now.os_boot != heard.uptime.os_boot:
        return wall < heard.server_at - CLOCK_OFF
    by_server = heard.server_at + timedelta(seconds=now.seconds - heard.uptime.seconds)
    return abs(wall - by_server) > CLOCK_OFF


class ExitList:
    """The held exits of this reader: applied by the link, asked by the reader thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._snapshot = Parts[ExitsSnapshot]()
        self._permits = Parts[list[Permit]]()
        self.failure: str | None = None
        """Why the list on disk is older than the one that judges."""
        self.exits = read_file(path, Exits) or Exits()
        self._stored = self.exits
        self._rule = Rule(self.exits)

    def holds(self, uid: str, at: datetime) -> bool:
        """Whether this card may not leave at that moment, which is now by our clock."""
        if not self._rule.holds(uid, at):
            return False
        heard = self.exits.heard
        if heard is None or is_clock_off(heard, at, uptime()):
            _log.warning("clock_off", held="nobody")
            return False
        return True

    def apply(self, message: ExitsMessage) -> bool:
        """Take in what the server says; whether the list is another version now."""
        before = self.exits
        after = msgspec.structs.replace(
            self._with(message), heard=Heard(message.sent_at, utc_now(), uptime())
        )
        if (after.version, after.permits) != (before.version, before.permits):
            self._rule = Rule(after)
        self.exits = after
        self._keep()
        return after.version != before.version

    def _with(self, message: ExitsMessage) -> Exits:
        """What we have and what this brings, once all of its parts are there."""
        if isinstance(message, ExitPermits):
            come = self._permits.add(message.sent_at, message.part, message.parts, message.permits)
            if come is None:
                return self.exits
            permits = [permit for part in come for permit in part]
            return msgspec.structs.replace(self.exits, permits=permits)
        parts = self._snapshot.add(message.list_version, message.part, message.parts, message)
        if parts is None:
            return self.exits
        held = [group for part in parts for group in part.held]
        return msgspec.structs.replace(
            self.exits, version=message.list_version, others=message.others, held=held
        )

    def _keep(self) -> None:
        exits, stored = self.exits, self._stored
        if (
            (exits.version, exits.permits) == (stored.version, stored.permits)
            and exits.heard
            and stored.heard
            and abs(exits.heard.server_at - stored.heard.server_at) < _HEARING_KEPT
            and exits.heard.uptime.os_boot == stored.heard.uptime.os_boot
        ):
            return
        try:
            write_file(self._path, exits)
        except OSError as error:
            # It judges from memory all the same; after a restart the server sends it again.
            self.failure = f"The held exits cannot be written to disk: {error.strerror}."
            _log.error("exits_not_written", error=error.strerror)
            return
        self.failure = None
        self._stored = exits

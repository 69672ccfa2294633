"""Feedback on the terminal: a coloured line on standard output, for a try at the desk."""

from typing import Final

from rich.console import Console

from reader_daemon.config import Settings
from reader_daemon.feedback.protocol import Signal
from schema.messages import Refusal

_LINES: Final = {
    Signal.ADMITTED: "[bold black on green] 通过 ADMITTED [/]",
    Signal.READ: "[bold black on green] 已读卡 READ [/]",
    Signal.REFUSED: "[bold white on red] 拒绝 REFUSED [/]",
    Signal.HELD: "[bold white on magenta] 未获准离校 HELD [/]",
    Signal.NOT_KEPT: "[bold black on yellow] 未记录 NOT KEPT [/] the disk does not take it",
    Signal.IDENTIFY: "[bold white on blue] 我在这里 HERE I AM [/]",
}


class TerminalFeedback:
    """Writes to one console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, signal: Signal, reason: Refusal | None) -> None:
        self._console.print(_LINES[signal] + (f" {reason.value}" if reason else ""))

    def close(self) -> None:
        """Nothing stays lit."""


def open_feedback(_: Settings) -> TerminalFeedback:
    """On standard output; the log is on standard error."""
    return TerminalFeedback(Console())

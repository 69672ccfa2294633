"""What stands beside a name on a roll for paper: since when, by which gate, and what to note."""

from collections.abc import Callable
from datetime import datetime

from flask_babel import gettext

from card_server.access import zone_in_use
from card_server.reports.rolls import RollLine
from card_server.words.choices import word


def note_writer(now: datetime) -> Callable[[RollLine], str]:
    """Writes one line's note: the words are looked up once for what may be 3,000 lines."""
    zone = zone_in_use()
    today = now.astimezone(zone).isoformat()[:10]
    by_hand, boarder = gettext("by hand"), gettext("boarder")
    unsure = str(gettext("nobody saw them leave"))

    def write(line: RollLine) -> str:
        if line.is_unsure:
            return unsure
        since = line.since_at.astimezone(zone).isoformat()
        # A boarder may have been in for days, and the hour alone would say: since this morning.
        day = "" if since.startswith(today) else f"{since[5:10]} "
        note = f"{day}{since[11:16]} {line.gate or by_hand}"
        if line.is_boarder:
            note = f"{note} · {boarder}"
        return f"{note} · {word(line.leave)}" if line.leave else note

    return write

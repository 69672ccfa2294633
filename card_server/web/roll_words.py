"""The lines of a roll for paper: a name, since when, by which gate, and what is to be noted.

3,000 of them are one page, so they do not pass through a template one by one: a note that many
lines have is written once, and so is each word in it.
"""

from collections.abc import Callable
from datetime import datetime
from html import escape

from flask_babel import gettext
from markupsafe import Markup

from card_server.access import zone_in_use
from card_server.reports.rolls import Roll, RollLine, label_lines
from card_server.words.choices import word


def line_writer(now: datetime) -> Callable[[Roll], Markup]:
    """Writes the lines of one roll after another, in the caller's language and the school's zone.

    A line is as short as it can be: CSS draws its box and its number, and the next line ends its
    paragraph and itself.
    """
    write_note = _note_writer(now)
    known: dict[object, str] = {}

    def note_of(line: RollLine) -> str:
        since = line.since_at
        minute = (since.toordinal(), since.hour, since.minute)
        key = (minute, line.gate, line.is_boarder, line.is_unsure, line.leave, line.is_marked)
        return known.get(key) or known.setdefault(key, escape(write_note(line)))

    def write(roll: Roll) -> Markup:
        names = map(escape, label_lines(roll.lines))
        notes = map(note_of, roll.lines)
        lines = [f"<li>{name}<p>{note}" for name, note in zip(names, notes, strict=True)]
        return Markup("".join(lines))  # noqa: S704 - name and note are escaped

    return write


def _note_writer(now: datetime) -> Callable[[RollLine], str]:
    zone = zone_in_use()
    today = now.astimezone(zone).isoformat()[:10]
    by_hand, boarder = gettext("by hand"), gettext("boarder")
    unsure = str(gettext("nobody saw them leave"))
    teacher = gettext("teacher")

    def write(line: RollLine) -> str:
        if line.is_unsure:
            return unsure
        since = line.since_at.astimezone(zone).isoformat()
        # A boarder may have been in for days, and the hour alone would say: since this morning.
        day = "" if since.startswith(today) else f"{since[5:10]} "
        note = f"{day}{since[11:16]} {line.gate or (teacher if line.is_marked else by_hand)}"
        if line.is_boarder:
            note = f"{note} · {boarder}"
        return f"{note} · {word(line.leave)}" if line.leave else note

    return write

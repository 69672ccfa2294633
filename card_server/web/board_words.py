"""What the board says in sentences: what today is, and why not all is judged."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from flask_babel import gettext, ngettext

from card_server.reports.board import HomeroomRow
from card_server.reports.board_days import DayLine
from card_server.reports.board_waiting import RoomWaiting
from card_server.web.calendar_words import weekday_name
from card_server.web.formats import hour
from card_server.words.choices import word
from card_server.words.grades import grade_words
from schema.tables.calendar import DayKind

_NAMED = 3
"""So many homerooms stand by name; of more their number."""


class Said(NamedTuple):
    """One sentence, and how grave it is."""

    text: str
    tone: str
    link: str = ""
    """The endpoint of the page on which it is settled, and what the link says."""
    label: str = ""


def day_sentences(days: Iterable[DayLine]) -> list[Said]:
    """What the day is, where it is anything but an ordinary one."""
    return [said for day in days for said in _day_sentences(day)]


def _day_sentences(day: DayLine) -> list[Said]:
    said = []
    about = [grade_words(day.grades)] if day.grades else []
    if day.note or day.weekday or day.kind is not DayKind.LESSONS:
        parts = [*about, day.note, _kind(day)]
        said.append(Said(" · ".join(part for part in parts if part), "calm"))
    if day.is_unsure:
        text = gettext(
            "The calendar does not say for sure what today is: the weekday alone decides. "
            "Say what it is."
        )
        said.append(Said(" · ".join([*about, text]), "warn", "calendar.show", gettext("Calendar")))
    if not day.has_timetable:
        text = gettext("The school has no timetable yet, so nobody is ever marked absent.")
        said.append(Said(text, "", "timetables.show", gettext("Timetables")))
    elif day.kind is not DayKind.CLOSED and not day.has_sessions:
        text = gettext("The timetable has no session today: nobody is expected.")
        said.append(
            Said(" · ".join([*about, text]), "warn", "timetables.show", gettext("Timetables"))
        )
    return said


def _kind(day: DayLine) -> str:
    if day.weekday:
        return str(gettext("runs %(weekday)s's timetable", weekday=weekday_name(day.weekday)))
    if day.kind is DayKind.CLOSED and day.has_sessions:
        return str(gettext("closed; boarders alone are expected"))
    if day.kind is DayKind.CLOSED:
        return str(gettext("closed, nobody is expected"))
    return "" if day.kind is DayKind.LESSONS else word(day.kind)


def waiting_sentences(rows: Iterable[HomeroomRow], now: datetime) -> list[Said]:
    """Why there are students who are not judged, once for all homerooms with the same reason."""
    names: dict[RoomWaiting, list[str]] = {}
    for row in rows:
        if row.waiting and row.counts.not_yet:
            names.setdefault(row.waiting, []).append(row.name)
    # Sessions have other numbers in other grades: what counts is when, and for which gates.
    by_reason: dict[Said, list[str]] = {}
    for waiting, of in names.items():
        by_reason.setdefault(_reason(waiting, now), []).extend(of)
    return [said._replace(text=f"{_rooms(of)}: {said.text}") for said, of in by_reason.items()]


def _reason(waiting: RoomWaiting, now: datetime) -> Said:
    if waiting.due_at > now:
        return Said(gettext("absence is judged from %(time)s on", time=hour(waiting.due_at)), "")
    if waiting.has_no_gate:
        text = gettext("no gate was ever heard of, so nobody is absent")
        return Said(text, "warn", "readers.show", gettext("Readers"))
    if not waiting.gates:
        return Said(gettext("is being judged"), "")
    dark = "、".join(
        gettext("%(gate)s has said nothing since %(time)s", gate=gate.name, time=hour(gate.since))
        if gate.since
        else gettext("%(gate)s has never said how far it is", gate=gate.name)
        for gate in waiting.gates
    )
    text = gettext(
        "absence was to be judged at %(time)s, but %(gates)s. Nobody is marked absent until "
        "its taps are here.",
        time=hour(waiting.due_at),
        gates=dark,
    )
    return Said(text, "warn", "readers.show", gettext("Readers"))


def _rooms(names: list[str]) -> str:
    if len(names) <= _NAMED:
        return "、".join(names)
    return str(ngettext("%(num)s homeroom", "%(num)s homerooms", len(names)))

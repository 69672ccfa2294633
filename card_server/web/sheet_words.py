"""How the sheets of attendance write sessions, cells and totals, on the page and in files."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask_babel import gettext

from card_server.attendance.facts import ALL_DAY, DayPlan, Finding, SessionPlan, SessionResult
from card_server.attendance.hand_passages import PassageLine
from card_server.reports.day_plans import is_school_day
from card_server.reports.homeroom_month import HomeroomMonth, MonthDay, MonthLine, Totals
from card_server.reports.student_term import Seen, TermTap
from card_server.web.export import Cell
from card_server.words.attendance import SIGNS, day_sign, day_tone, result_words
from card_server.words.choices import word
from schema.tables.attendance import DayNote, SessionStatus
from schema.tables.leave import LeaveKind

LEGEND = tuple(SessionStatus)


def session_name(plan: SessionPlan) -> str:
    """What a session is called; the one of a school without a timetable is the whole day."""
    return plan.name or gettext("the whole day")


def names_of(plan: DayPlan | None) -> dict[int, str]:
    """What each position of a day is called."""
    return {one.position: session_name(one) for one in (plan.sessions if plan else ())}


def name_at(names: dict[int, str], position: int) -> str:
    """What a position is called, also of a day whose plan is not kept, or all of the day."""
    if position == ALL_DAY:
        return str(gettext("the whole day"))
    return names.get(position) or gettext("session %(number)s", number=position)


def day_words(results: Iterable[SessionResult], plan: DayPlan | None) -> str:
    """All sessions of a day in words: "morning: late 5 min late, afternoon: present"."""
    names = names_of(plan)
    return ", ".join(f"{name_at(names, one.position)}: {result_words(one)}" for one in results)


def finding_words(findings: Iterable[Finding]) -> str:
    """All that is odd about a day."""
    return ", ".join(word(one) for one in findings)


def seen_words(seen: Seen, zone: ZoneInfo) -> str:
    """Where a student was seen on a day, by time: "07:31:02 East gate in (fixed at the reader)".

    Each tap with its reader and how its direction was decided, or why it was refused; and what
    guards wrote down, also what was taken back.
    """
    lines = [(tap.occurred_at, _tap_words(tap)) for tap in seen.taps]
    lines += [(one.at, _passage_words(one)) for one in seen.passages]
    lines.sort(key=lambda line: line[0])
    return "; ".join(f"{at.astimezone(zone):%H:%M:%S} {words}" for at, words in lines)


def _tap_words(tap: TermTap) -> str:
    said = word(tap.reason) or word(tap.direction)
    notes = [] if tap.reason else [word(tap.direction_by)]
    if tap.clock_suspect:
        notes.append(gettext("the reader's clock was wrong"))
    return _with_note(" ".join(filter(None, (tap.reader, said))), ", ".join(filter(None, notes)))


def _passage_words(one: PassageLine) -> str:
    said = gettext(
        "%(way)s, written down by %(who)s: %(why)s",
        way=word(one.direction),
        who=one.made_by,
        why=one.reason,
    )
    undone = gettext("taken back by %(who)s", who=one.ended_by) if one.ended_at else ""
    return _with_note(said, undone)


def _with_note(said: str, note: str) -> str:
    return gettext("%(said)s (%(note)s)", said=said, note=note) if note else said


def note_words(notes: Iterable[DayNote]) -> str:
    """What stands beside a day, without what was taken back: "mother called (Ms Wang)"."""
    return "; ".join(f"{one.body} ({one.made_by})" for one in notes if one.ended_at is None)


class GridCell(NamedTuple):
    """One cell of the month's grid."""

    sign: str
    style: str
    words: str
    """What a reader of the page is told beside the sign; nothing where the sign says it all."""


class Grid:
    """The cells of a month; most days are alike, so each kind of day is written once."""

    def __init__(self, month: HomeroomMonth, today: date) -> None:
        self._open = str(SIGNS[SessionStatus.NOT_JUDGED])
        self._days = [(one, self._empty(one, today)) for one in month.days]
        self._written: dict[tuple[int, tuple[SessionResult, ...]], GridCell] = {}

    def row(self, line: MonthLine) -> list[GridCell]:
        """A student's cells, one for each day."""
        cells = []
        for one, empty in self._days:
            results = line.days.get(one.day)
            if results:
                cells.append(self._judged(one, results))
            elif one.day in line.elsewhere:
                cells.append(GridCell("", f"day elsewhere{_closed(one)}", ""))
            else:
                cells.append(empty)
        return cells

    def _empty(self, one: MonthDay, today: date) -> GridCell:
        is_due = one.day <= today and is_school_day(one.plan)
        return GridCell(self._open if is_due else "", f"day{_closed(one)}", "")

    def _judged(self, one: MonthDay, results: tuple[SessionResult, ...]) -> GridCell:
        key = (id(one.plan), results)
        cell = self._written.get(key)
        if cell is None:
            sign = day_sign(results)
            is_plain = all(each.status is SessionStatus.PRESENT for each in results)
            words = (
                ""
                if is_plain and sign == SIGNS[SessionStatus.PRESENT]
                else day_words(results, one.plan)
            )
            style = f"day{_closed(one)} {day_tone(results)}".rstrip()
            cell = self._written[key] = GridCell(sign, style, words)
        return cell


def _closed(one: MonthDay) -> str:
    return " closed" if one.is_closed else ""


def totals_heads() -> list[str]:
    """What the totals of a student or a day are called."""
    kinds = [word(one) for one in LeaveKind]
    return [gettext("late"), gettext("left early"), word(SessionStatus.ABSENT), *kinds]


def totals_cells(totals: Totals) -> list[int]:
    """The numbers under `totals_heads`."""
    return [
        totals.late,
        totals.left_early,
        totals.absent,
        totals.sick,
        totals.personal,
        totals.official,
    ]


def grid_heads(month: HomeroomMonth) -> list[str]:
    """The heads of the month's file: the days with the names that closed days have."""
    days = [f"{one.day.day} {one.name}".strip() for one in month.days]
    return [gettext("Student number"), gettext("Full name"), *days, *totals_heads()]


def grid_rows(
    month: HomeroomMonth, lines: Sequence[MonthLine], today: date
) -> list[tuple[Cell, ...]]:
    """The rows of the month's file: the grid, and under it the totals of each day in students."""
    grid = Grid(month, today)
    rows: list[tuple[Cell, ...]] = [
        (
            line.number,
            line.name,
            *(cell.sign for cell in grid.row(line)),
            *totals_cells(line.totals),
        )
        for line in lines
    ]
    heads = totals_heads()
    for at, head in enumerate(heads):
        each = [totals_cells(day.totals)[at] for day in month.days]
        total = totals_cells(month.totals)
        rows.append(("", head, *each, *(total[n] if n == at else "" for n in range(len(heads)))))
    return rows

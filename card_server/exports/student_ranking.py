"""Students by how often they were late, left early, were absent or on leave (迟到早退统计)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from card_server.exports.enrolment import read_id
from card_server.exports.files import Cell, Row
from card_server.exports.lists import BATCH, ExportList, Filters
from card_server.reports.student_ranking import SORTS, Wanted, count_lines, read_lines
from card_server.school_time import day_of
from card_server.staff.sessions import SchoolInUse
from card_server.words.grades import grade_word


def read_wanted(filters: Filters, today: date, words: str = "") -> Wanted:
    """Which students a page's filters mean; without days the month until today."""
    first = _read_day(filters, "from", today.replace(day=1))
    last = _read_day(filters, "to", today)
    grade, room = read_id(filters, "grade"), read_id(filters, "homeroom")
    return Wanted(first, last, grade, room, words)


def _read_day(filters: Filters, name: str, usual: date) -> date:
    try:
        return date.fromisoformat(filters.get(name, ""))
    except ValueError:
        return usual


def _wanted(school: SchoolInUse, filters: Filters) -> Wanted:
    return read_wanted(filters, day_of(datetime.now(UTC), school.zone))


def _count(session: Session, school: SchoolInUse, filters: Filters) -> int:
    return count_lines(session, school.id, _wanted(school, filters))


def _read(session: Session, school: SchoolInUse, filters: Filters) -> Iterator[Row]:
    asked = filters.get("sort", "")
    sort = asked if asked.removeprefix("-") in SORTS else "-late"
    for one in read_lines(session, school.id, _wanted(school, filters), sort, BATCH):
        yield (
            one.number,
            one.name,
            one.homeroom,
            one.late,
            one.late_minutes,
            one.left_early,
            one.absent,
            one.on_leave,
        )


def _describe(school: SchoolInUse, filters: Filters) -> list[tuple[str, Cell]]:
    wanted = _wanted(school, filters)
    described: list[tuple[str, Cell]] = [
        (gettext("From"), wanted.first),
        (gettext("Until"), wanted.last),
    ]
    if wanted.grade:
        described.append((gettext("Grade"), grade_word(wanted.grade)))
    if wanted.homeroom_id:
        described.append((gettext("Homeroom"), wanted.homeroom_id))
    return described


STUDENT_RANKING = ExportList(
    name="student-attendance",
    title=lazy_gettext("Students by lateness and absence"),
    heads=(
        lazy_gettext("Student number"),
        lazy_gettext("Full name"),
        lazy_gettext("Homeroom"),
        lazy_gettext("Late"),
        lazy_gettext("Minutes late"),
        lazy_gettext("Left early"),
        lazy_gettext("Absent"),
        lazy_gettext("On leave"),
    ),
    count=_count,
    read=_read,
    describe=_describe,
)

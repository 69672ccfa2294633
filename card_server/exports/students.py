"""The students as a list (学生名册), without phones and identity numbers."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from card_server.exports.files import Cell, Row
from card_server.exports.lists import BATCH, ExportList, Filters
from card_server.reports.student_list import StudentLine, Wanted, count_students, read_all
from card_server.school_time import day_of
from card_server.staff.sessions import SchoolInUse
from card_server.words.choices import word
from schema.tables.people import StudentStatus

FILTERS = ("homeroom", "status", "boarding", "register")
ALL = "all"
"""The status filter that leaves nobody out; without one, those who are enrolled are meant."""


def read_wanted(filters: Filters) -> Wanted:
    """The filter; what cannot be understood counts as not asked."""
    room, status = filters.get("homeroom", ""), filters.get("status", "")
    is_id = room.isascii() and room.isdigit() and len(room) <= 9
    boarding = {"yes": True, "no": False}.get(filters.get("boarding", ""))
    if status == ALL:
        wanted_status = None
    else:
        is_known = status in list(StudentStatus)
        wanted_status = StudentStatus(status) if is_known else StudentStatus.ENROLLED
    gone = {"gone": True, "named": False}.get(filters.get("register", ""))
    return Wanted(int(room) if is_id else None, wanted_status, boarding, gone)


def _count(session: Session, school: SchoolInUse, filters: Filters) -> int:
    return count_students(session, school.id, read_wanted(filters), _today(school))


def _read(session: Session, school: SchoolInUse, filters: Filters) -> Iterator[Row]:
    return map(_cells, read_all(session, school.id, read_wanted(filters), _today(school), BATCH))


def _today(school: SchoolInUse) -> date:
    return day_of(datetime.now(UTC), school.zone)


def _cells(one: StudentLine) -> Row:
    return (
        one.number,
        one.name,
        word(one.sex),
        one.born_on,
        one.grade,
        one.homeroom,
        word(one.status),
        one.status_since,
        gettext("boarder") if one.is_boarding else gettext("day student"),
    )


def _describe(_school: SchoolInUse, filters: Filters) -> list[tuple[str, Cell]]:
    wanted = read_wanted(filters)
    described: list[tuple[str, Cell]] = [
        (gettext("Status"), word(wanted.status) if wanted.status else gettext("all"))
    ]
    if wanted.homeroom_id is not None:
        described.append((gettext("Homeroom"), wanted.homeroom_id))
    if wanted.is_boarding is not None:
        boards = gettext("boarder") if wanted.is_boarding else gettext("day student")
        described.append((gettext("Boarding"), boards))
    if wanted.is_gone is not None:
        named = gettext("not named any more") if wanted.is_gone else gettext("named")
        described.append((gettext("Register's file"), named))
    return described


STUDENTS = ExportList(
    name="students",
    title=lazy_gettext("Students"),
    heads=(
        lazy_gettext("Student number"),
        lazy_gettext("Full name"),
        lazy_gettext("Sex"),
        lazy_gettext("Born on"),
        lazy_gettext("Grade"),
        lazy_gettext("Homeroom"),
        lazy_gettext("Status"),
        lazy_gettext("Since"),
        lazy_gettext("Boarding"),
    ),
    count=_count,
    read=_read,
    describe=_describe,
)

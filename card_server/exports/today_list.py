"""Today's students by what they are (今日名单): absent, not judged, late, left early, on leave."""

from collections.abc import Iterator
from datetime import UTC, datetime

from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from card_server.exports.enrolment import read_id
from card_server.exports.files import Cell, Row
from card_server.exports.lists import BATCH, ExportList, Filters
from card_server.reports.board import time_of
from card_server.reports.today_list import (
    SORTS,
    Today,
    TodayStatus,
    TodayStudent,
    TodayWanted,
    count_today,
    read_all_today,
    read_today,
)
from card_server.school_time import day_of
from card_server.staff.sessions import SchoolInUse
from card_server.words.choices import word
from card_server.words.grades import grade_word
from card_server.words.today import NAMES

FILTERS = ("status", "grade", "homeroom")


def read_today_wanted(filters: Filters, words: str = "") -> TodayWanted:
    """The filter; what cannot be understood counts as not asked."""
    status = filters.get("status", "")
    return TodayWanted(
        TodayStatus(status) if status in list(TodayStatus) else None,
        read_id(filters, "grade"),
        read_id(filters, "homeroom"),
        words,
    )


def _today(session: Session, school: SchoolInUse) -> Today:
    now = datetime.now(UTC)
    return read_today(session, school, time_of(day_of(now, school.zone), now, school.zone))


def _count(session: Session, school: SchoolInUse, filters: Filters) -> int:
    wanted = read_today_wanted(filters)
    return count_today(session, _today(session, school), wanted).total(wanted.status)


def _read(session: Session, school: SchoolInUse, filters: Filters) -> Iterator[Row]:
    asked, today = filters.get("sort", ""), _today(session, school)
    sort = asked if asked.removeprefix("-") in SORTS else "homeroom"
    found = read_all_today(session, today, read_today_wanted(filters), sort, BATCH)
    return (_cells(one) for one in found)


def _cells(one: TodayStudent) -> Row:
    return (
        one.homeroom,
        one.number,
        one.name,
        "、".join(str(NAMES[status]) for status in one.statuses),
        "、".join(one.absent_from),
        word(one.leave),
        one.leave_until,
        one.arrived_at,
        one.late_minutes or None,
        one.left_at,
        one.early_minutes or None,
        word(one.waiting),
        "、".join(one.gates),
    )


def _describe(_school: SchoolInUse, filters: Filters) -> list[tuple[str, Cell]]:
    wanted = read_today_wanted(filters)
    described: list[tuple[str, Cell]] = []
    if wanted.status:
        described.append((gettext("Status"), str(NAMES[wanted.status])))
    if wanted.grade:
        described.append((gettext("Grade"), grade_word(wanted.grade)))
    if wanted.homeroom_id:
        described.append((gettext("Homeroom"), wanted.homeroom_id))
    return described


TODAY_LIST = ExportList(
    name="today",
    title=lazy_gettext("Today's students"),
    heads=(
        lazy_gettext("Homeroom"),
        lazy_gettext("Student number"),
        lazy_gettext("Full name"),
        lazy_gettext("Status"),
        lazy_gettext("Absent from"),
        lazy_gettext("Leave"),
        lazy_gettext("On leave until"),
        lazy_gettext("Came late at"),
        lazy_gettext("Minutes late"),
        lazy_gettext("Left early at"),
        lazy_gettext("Minutes early"),
        lazy_gettext("Why not judged"),
        lazy_gettext("Gates that have not reported"),
    ),
    count=_count,
    read=_read,
    describe=_describe,
)

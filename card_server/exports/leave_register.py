"""The register of leave slips (请假台账), without their reasons, which stay sealed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from card_server.exports.enrolment import read_id
from card_server.exports.files import Cell, Row
from card_server.exports.lists import BATCH, ExportList, Filters
from card_server.leave.lists import SlipLine
from card_server.leave.register import SORTS, Wanted, count_register, moments_of, read_register
from card_server.school_time import day_of
from card_server.staff.sessions import SchoolInUse
from card_server.words.choices import word
from card_server.words.grades import grade_word
from card_server.words.leave import leave_time
from schema.tables.leave import LeaveKind, LeaveState

FILTERS = ("from", "to", "homeroom", "grade", "kind", "state")
USUAL_SORT = "-from"


def week_of(today: date) -> tuple[date, date]:
    """Its Monday and its Sunday: the days of a register that names none."""
    monday = today - timedelta(days=today.weekday())
    return monday, monday + timedelta(days=6)


def read_wanted(filters: Filters, school: SchoolInUse, today: date, words: str = "") -> Wanted:
    """Which slips a page's filters mean; what cannot be understood counts as not asked."""
    kind, state = filters.get("kind", ""), filters.get("state", "")
    begin, end = moments_of(*_read_days(filters, today), school.zone)
    return Wanted(
        begin,
        end,
        read_id(filters, "homeroom"),
        read_id(filters, "grade"),
        LeaveKind(kind) if kind in list(LeaveKind) else None,
        LeaveState(state) if state in list(LeaveState) else None,
        words=words,
    )


def _read_days(filters: Filters, today: date) -> tuple[date, date]:
    try:
        first, last = (date.fromisoformat(filters.get(name, "")) for name in ("from", "to"))
    except ValueError:
        return week_of(today)
    return first, last


def _wanted(school: SchoolInUse, filters: Filters) -> Wanted:
    return read_wanted(filters, school, day_of(datetime.now(UTC), school.zone))


def _count(session: Session, school: SchoolInUse, filters: Filters) -> int:
    return count_register(session, school.id, _wanted(school, filters))


def _read(session: Session, school: SchoolInUse, filters: Filters) -> Iterator[Row]:
    asked = filters.get("sort", "")
    sort = asked if asked.removeprefix("-") in SORTS else USUAL_SORT
    for one in read_register(session, school.id, _wanted(school, filters), sort, BATCH):
        yield _cells(one, school)


def _cells(one: SlipLine, school: SchoolInUse) -> Row:
    return (
        one.number,
        one.name,
        one.homeroom,
        word(one.kind),
        leave_time(one.from_at, one.until_at, school.zone),
        one.from_at,
        one.until_at,
        gettext("yes") if one.lets_out else gettext("no"),
        word(one.state),
        one.asked_by,
        one.asked_at,
        one.first_by,
        one.first_at,
        one.decided_by,
        one.decided_at,
        one.ended_by,
        one.ended_at,
        one.decision_reason,
    )


def describe_filters(school: SchoolInUse, filters: Filters) -> list[tuple[str, Cell]]:
    """The filters in words: the days, and what else was chosen."""
    today = day_of(datetime.now(UTC), school.zone)
    wanted, (first, last) = read_wanted(filters, school, today), _read_days(filters, today)
    described: list[tuple[str, Cell]] = [(gettext("From"), first), (gettext("Until"), last)]
    if wanted.homeroom_id:
        described.append((gettext("Homeroom"), wanted.homeroom_id))
    if wanted.grade:
        described.append((gettext("Grade"), grade_word(wanted.grade)))
    if wanted.kind:
        described.append((gettext("Leave"), word(wanted.kind)))
    if wanted.state:
        described.append((gettext("State"), word(wanted.state)))
    return described


LEAVE_REGISTER = ExportList(
    name="leave",
    title=lazy_gettext("Leave register"),
    heads=(
        lazy_gettext("Student number"),
        lazy_gettext("Full name"),
        lazy_gettext("Homeroom"),
        lazy_gettext("Leave"),
        lazy_gettext("When"),
        lazy_gettext("Begins at"),
        lazy_gettext("Over at"),
        lazy_gettext("May go out"),
        lazy_gettext("State"),
        lazy_gettext("Asked by"),
        lazy_gettext("Asked at"),
        lazy_gettext("Agreed by"),
        lazy_gettext("Agreed at"),
        lazy_gettext("Decided by"),
        lazy_gettext("Decided at"),
        lazy_gettext("Ended by"),
        lazy_gettext("Ended at"),
        lazy_gettext("Why refused, withdrawn or ended"),
    ),
    count=_count,
    read=_read,
    describe=describe_filters,
)

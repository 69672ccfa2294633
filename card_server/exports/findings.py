"""The list of findings (异常), the newest first."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from card_server.exports.enrolment import read_id
from card_server.exports.files import Cell, Row
from card_server.exports.lists import ExportList, Filters
from card_server.reports.findings import Asked, Odd, OddKind, read_findings
from card_server.school_time import day_of
from card_server.staff.sessions import SchoolInUse
from card_server.words.choices import word
from card_server.words.findings import NAMES
from card_server.words.grades import grade_word

_USUAL = timedelta(days=6)


def read_asked_findings(filters: Filters, today: date, words: str = "") -> Asked:
    """Which findings a page's filters mean; without days the last seven."""
    kind = filters.get("kind", "")
    return Asked(
        _read_day(filters, "from", today - _USUAL),
        _read_day(filters, "to", today),
        OddKind(kind) if kind in list(OddKind) else None,
        read_id(filters, "grade"),
        read_id(filters, "homeroom"),
        words,
        is_looked_at=filters.get("looked") == "yes",
    )


def _read_day(filters: Filters, name: str, usual: date) -> date:
    try:
        return date.fromisoformat(filters.get(name, ""))
    except ValueError:
        return usual


def _find(session: Session, school: SchoolInUse, filters: Filters) -> list[Odd]:
    asked = read_asked_findings(filters, day_of(datetime.now(UTC), school.zone))
    return read_findings(session, school.id, school.zone, asked)


def _count(session: Session, school: SchoolInUse, filters: Filters) -> int:
    return len(_find(session, school, filters))


def _read(session: Session, school: SchoolInUse, filters: Filters) -> Iterator[Row]:
    for one in _find(session, school, filters):
        yield (
            one.day,
            one.number,
            one.name,
            one.homeroom,
            str(NAMES[one.kind]),
            one.at,
            one.times,
            one.minutes,
            one.seconds,
            one.readers,
            one.uid,
            word(one.reason),
            one.looked_by,
            one.looked_at,
        )


def _describe(school: SchoolInUse, filters: Filters) -> list[tuple[str, Cell]]:
    asked = read_asked_findings(filters, day_of(datetime.now(UTC), school.zone))
    described: list[tuple[str, Cell]] = [
        (gettext("From"), asked.first),
        (gettext("Until"), asked.last),
    ]
    if asked.kind:
        described.append((gettext("Finding"), str(NAMES[asked.kind])))
    if asked.grade:
        described.append((gettext("Grade"), grade_word(asked.grade)))
    if asked.homeroom_id:
        described.append((gettext("Homeroom"), asked.homeroom_id))
    return described


FINDINGS = ExportList(
    name="findings",
    title=lazy_gettext("Findings"),
    heads=(
        lazy_gettext("Day"),
        lazy_gettext("Student number"),
        lazy_gettext("Full name"),
        lazy_gettext("Homeroom"),
        lazy_gettext("Finding"),
        lazy_gettext("Time"),
        lazy_gettext("How often"),
        lazy_gettext("Minutes late"),
        lazy_gettext("Seconds between"),
        lazy_gettext("Readers"),
        lazy_gettext("Card"),
        lazy_gettext("Why refused"),
        lazy_gettext("Looked at by"),
        lazy_gettext("Looked at"),
    ),
    count=_count,
    read=_read,
    describe=_describe,
)

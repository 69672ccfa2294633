"""Sheets that the register system reads: the students' cards, and their attendance.

They have the registry number (学籍号), for that is how the register knows its students.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, case, or_, select
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.school_time import day_of
from card_server.storage.sealing import Seal
from integrations.roster.cmis import Profile, profiles
from integrations.roster.cmis_sheets import (
    AttendanceRow,
    CardRow,
    write_attendance_xlsx,
    write_cards_xlsx,
)
from schema.messages import CardState
from schema.tables.attendance import Attendance
from schema.tables.cards import Card, CardBinding, CardKind
from schema.tables.people import Student
from schema.tables.school import Homeroom, School


class Sheet(StrEnum):
    """What a sheet is about."""

    CARDS = "cards"
    ATTENDANCE = "attendance"


class Days(NamedTuple):
    """From the first to the last, both counted."""

    first: date
    last: date


def write_sheet(
    session: Session, school_id: int, sheet: Sheet, profile: str, days: Days, seal: Seal
) -> bytes:
    """A workbook in a register system's columns; `days` are those of the attendance.

    Raises AppError: NOT_FOUND for a system that nobody knows, INVALID for days the wrong way round.
    """
    found = profiles().get(profile)
    if found is None:
        known = ", ".join(profiles())
        raise AppError(Code.NOT_FOUND, f"There is no register system {profile!r}: {known}.")
    if days.first > days.last:
        raise AppError(Code.INVALID, "The first day is after the last.")
    return _WRITE[sheet](session, school_id, found, days, seal)


def _write_cards(
    session: Session, school_id: int, profile: Profile, _days: Days, seal: Seal
) -> bytes:
    return write_cards_xlsx(profile, list(_card_rows(session, school_id, seal)))


def _write_attendance(
    session: Session, school_id: int, profile: Profile, days: Days, seal: Seal
) -> bytes:
    return write_attendance_xlsx(profile, _attendance_rows(session, school_id, days, seal))


_Write = Callable[[Session, int, Profile, Days, Seal], bytes]
_WRITE: dict[Sheet, _Write] = {Sheet.CARDS: _write_cards, Sheet.ATTENDANCE: _write_attendance}


def _card_rows(session: Session, school_id: int, seal: Seal) -> Iterator[CardRow]:
    zone = _zone(session, school_id)
    rows = session.execute(
        select(
            Student.number,
            Student.name,
            Homeroom.name.label("homeroom"),
            Student.registry_sealed,
            Card.uid,
            CardBinding.bound_at,
        )
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .join(CardBinding, CardBinding.student_id == Student.id)
        .join(Card, Card.id == CardBinding.card_id)
        .where(
            Student.school_id == school_id,
            CardBinding.unbound_at.is_(None),
            Card.state == CardState.ACTIVE,
            Card.kind == CardKind.PERMANENT,
        )
        .order_by(Homeroom.grade, Homeroom.id, Student.number)
    )
    for row in rows:
        yield CardRow(
            number=row.number,
            name=row.name,
            homeroom=row.homeroom,
            card_number=row.uid,
            registry=_open(seal, row.registry_sealed),
            issued_on=day_of(row.bound_at, zone),
        )


def _attendance_rows(
    session: Session, school_id: int, days: Days, seal: Seal
) -> Iterator[AttendanceRow]:
    """The days of which anything is known, under the homeroom of that day."""
    zone = _zone(session, school_id)
    rows = session.execute(
        select(
            Student.number,
            Student.name,
            Homeroom.name.label("homeroom"),
            Student.registry_sealed,
            Attendance.day,
            Attendance.arrived_at,
            Attendance.departed_at,
            _RESULT.label("result"),
        )
        .join(Student, Student.id == Attendance.student_id)
        .join(Homeroom, Homeroom.id == Attendance.homeroom_id)
        .where(
            Attendance.school_id == school_id,
            Attendance.day.between(days.first, days.last),
            _RESULT.is_not(None),
        )
        .order_by(Attendance.day, Homeroom.grade, Homeroom.id, Student.number)
    )
    registries: dict[str, str] = {}
    for row in rows:
        if row.number not in registries:
            registries[row.number] = _open(seal, row.registry_sealed)
        yield AttendanceRow(
            number=row.number,
            name=row.name,
            homeroom=row.homeroom,
            day=row.day,
            result=row.result,
            registry=registries[row.number],
            arrived_at=_clock(row.arrived_at, zone),
            left_at=_clock(row.departed_at, zone),
        )


_RESULT: ColumnElement[str | None] = case(
    (Attendance.absent > 0, "absent"),
    (Attendance.late_minutes > 0, "late"),
    (Attendance.left_early > 0, "early_leave"),
    (Attendance.on_leave > 0, "on_leave"),
    (or_(Attendance.present > 0, Attendance.arrived_at.is_not(None)), "present"),
)
"""The register has one word for a day: of its sessions' the one that somebody must look into."""


def _zone(session: Session, school_id: int) -> ZoneInfo:
    return ZoneInfo(session.get_one(School, school_id).zone)


def _open(seal: Seal, sealed: bytes | None) -> str:
    return seal.open(sealed) if sealed else ""


def _clock(moment: datetime | None, zone: ZoneInfo) -> time | None:
    return moment.astimezone(zone).time().replace(microsecond=0) if moment else None

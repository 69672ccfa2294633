"""What is kept on one student: who, where, guardians, notes, and how it was before."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from card_server.calendar.hours import write_minute
from card_server.errors import AppError, Code
from card_server.people.boarding import BoardingTime, boarding_on, list_boardings
from card_server.people.notes import list_notes
from card_server.people.stays import Stay, list_stays
from schema.tables.people import (
    Channel,
    Guardian,
    GuardianPhone,
    Guardianship,
    Language,
    Sex,
    Student,
    StudentNote,
    StudentPhoto,
    StudentStatus,
)
from schema.tables.school import Homeroom


@dataclass(frozen=True)
class FurtherPhone:
    """A further number, by its last digits."""

    id: int
    tail: str


@dataclass(frozen=True)
class GuardianLine:
    """A guardian of the student; of the phones the last digits."""

    id: int
    name: str
    relation: str
    phone_tail: str
    language: Language
    is_told: bool
    priority: int
    wanted: tuple[str, ...]
    channel: Channel
    quiet_from: str | None
    """HH:MM in the school's zone; None, as `quiet_until`: as the school has it."""
    quiet_until: str | None
    daily_limit: int | None
    wecom_id: str | None
    verified_at: datetime | None
    consented_at: datetime | None
    further: tuple[FurtherPhone, ...]


@dataclass(frozen=True)
class StudentRecord:
    """Everything of a student but cards and days, which have their own lists."""

    id: int
    number: str
    name: str
    sex: Sex
    born_on: date | None
    status: StudentStatus
    status_since: date | None
    gone_at: datetime | None
    identity_tail: str
    registry_tail: str
    homeroom_id: int
    homeroom: str
    homeroom_is_past: bool
    has_photo: bool
    guardians: list[GuardianLine]
    notes: list[StudentNote]
    stays: list[Stay]
    boardings: list[BoardingTime]
    boards_since: date | None
    """None for a day student."""
    boards_until: date | None
    """The first day at home again, where the end of the present time is set."""
    boards_from: date | None
    """The coming day on which the student begins to board."""


def read_record(session: Session, school_id: int, student_id: int, today: date) -> StudentRecord:
    """The record in five queries. Raises AppError(NOT_FOUND) for another school's student."""
    row = session.execute(
        select(
            Student.id,
            Student.number,
            Student.name,
            Student.sex,
            Student.born_on,
            Student.status,
            Student.status_since,
            Student.gone_at,
            Student.identity_tail,
            Student.registry_tail,
            Homeroom.id.label("homeroom_id"),
            Homeroom.name.label("homeroom"),
            Homeroom.is_past.label("homeroom_is_past"),
            exists().where(StudentPhoto.student_id == Student.id).label("has_photo"),
        )
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(Student.school_id == school_id, Student.id == student_id)
    ).one_or_none()
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such student in this school.")
    who: dict[str, Any] = row._asdict()
    boardings = list_boardings(session, school_id, student_id)
    boards = boarding_on(boardings, today)
    return StudentRecord(
        **who,
        guardians=list_guardians(session, school_id, student_id),
        notes=list_notes(session, school_id, student_id),
        stays=list_stays(session, school_id, student_id),
        boardings=boardings,
        boards_since=boards.since,
        boards_until=boards.until,
        boards_from=boards.begins_on,
    )


def list_guardians(session: Session, school_id: int, student_id: int) -> list[GuardianLine]:
    """A student's guardians in the order in which they are asked, in one query."""
    found = session.execute(
        select(Guardian, Guardianship, GuardianPhone.id, GuardianPhone.phone_tail)
        .join(Guardianship, Guardianship.guardian_id == Guardian.id)
        .outerjoin(GuardianPhone, GuardianPhone.guardian_id == Guardian.id)
        .where(Guardian.school_id == school_id, Guardianship.student_id == student_id)
        .order_by(Guardianship.priority, Guardian.id, GuardianPhone.id)
    ).all()
    further: dict[int, list[FurtherPhone]] = defaultdict(list)
    links: dict[int, tuple[Guardian, Guardianship]] = {}
    for guardian, link, phone_id, tail in found:
        links[guardian.id] = (guardian, link)
        if phone_id is not None:
            further[guardian.id].append(FurtherPhone(phone_id, tail))
    return [
        GuardianLine(
            guardian.id,
            guardian.name,
            link.relation,
            guardian.phone_tail,
            guardian.language,
            link.is_told,
            link.priority,
            tuple(link.wanted.split()),
            link.channel,
            None if link.quiet_from is None else write_minute(link.quiet_from),
            None if link.quiet_until is None else write_minute(link.quiet_until),
            link.daily_limit,
            guardian.wecom_id,
            guardian.verified_at,
            link.consented_at,
            tuple(further[guardian.id]),
        )
        for guardian, link in links.values()
    ]

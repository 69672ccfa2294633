"""What the desk's page shows: its readers, what was tapped there, and who is next."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import Session

from schema.messages import CardState
from schema.tables.cards import Card, CardBinding, CardKind
from schema.tables.people import Student, StudentPhoto, StudentStatus
from schema.tables.readers import Purpose, Reader
from schema.tables.school import Homeroom
from schema.tables.taps import Tap

FRESH = timedelta(minutes=2)
"""A tap that took longer to come was meant for somebody who has left the desk."""


@dataclass(frozen=True)
class DeskTap:
    """A card that was held to the desk's reader."""

    uid: str
    received_at: datetime


@dataclass(frozen=True)
class DeskStudent:
    """A student at the desk."""

    id: int
    name: str
    number: str
    homeroom_id: int
    homeroom: str
    has_photo: bool
    is_enrolled: bool
    """Nobody else is given a card."""


def list_desks(session: Session, school_id: int) -> list[Reader]:
    """The school's readers in use whose purpose is the desk."""
    found = session.scalars(
        select(Reader)
        .where(
            Reader.school_id == school_id,
            Reader.purpose == Purpose.DESK,
            Reader.retired_at.is_(None),
        )
        .order_by(Reader.id)
    )
    return list(found)


def next_taps(
    session: Session, school_id: int, reader_id: int, after: datetime, limit: int = 1
) -> list[DeskTap]:
    """What was tapped at a reader after a moment, in order; nothing that came too late."""
    found = session.execute(
        select(Tap.uid, Tap.received_at, Tap.occurred_at)
        .where(Tap.school_id == school_id, Tap.reader_id == reader_id, Tap.received_at > after)
        .order_by(Tap.received_at, Tap.id)
    )
    fresh = [DeskTap(row[0], row[1]) for row in found if row[1] - row[2] <= FRESH]
    return fresh[:limit]


def newest_tap(session: Session, school_id: int, reader_id: int, since: datetime) -> DeskTap | None:
    """The last card held to a reader since a moment."""
    row = session.execute(
        select(Tap.uid, Tap.received_at)
        .where(Tap.school_id == school_id, Tap.reader_id == reader_id, Tap.received_at >= since)
        .order_by(Tap.received_at.desc(), Tap.id.desc())
        .limit(1)
    ).first()
    return DeskTap(*row) if row else None


def find_desk_student(session: Session, school_id: int, student_id: int) -> DeskStudent | None:
    """A student by id; None when there is none."""
    row = session.execute(
        select(
            Student.id,
            Student.name,
            Student.number,
            Student.homeroom_id,
            Homeroom.name,
            exists().where(StudentPhoto.student_id == Student.id),
            Student.status == StudentStatus.ENROLLED,
        )
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(Student.school_id == school_id, Student.id == student_id)
    ).one_or_none()
    return DeskStudent(*row) if row else None


def next_without_card(
    session: Session, school_id: int, homeroom_id: int, after: str = ""
) -> tuple[int | None, int]:
    """The next student of a homeroom, by student number, who has no working card of their own.

    And how many such students the homeroom has in all.
    """
    has_card = exists().where(
        CardBinding.student_id == Student.id,
        CardBinding.unbound_at.is_(None),
        Card.id == CardBinding.card_id,
        Card.state == CardState.ACTIVE,
        Card.kind == CardKind.PERMANENT,
    )
    without = and_(
        Student.school_id == school_id,
        Student.homeroom_id == homeroom_id,
        Student.status == StudentStatus.ENROLLED,
        ~has_card,
    )
    left = session.scalar(select(func.count()).select_from(Student).where(without)) or 0
    wanted = select(Student.id).where(without, Student.number > after)
    return session.scalar(wanted.order_by(Student.number).limit(1)), left

"""The newest taps of a school, whoever's they are, for the live stream."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Result, select
from sqlalchemy.orm import Session

from schema.messages import Decision, Refusal
from schema.tables.people import Student
from schema.tables.readers import Direction, Reader
from schema.tables.school import Homeroom
from schema.tables.taps import Effect, Tap

NEWEST = 50


@dataclass(frozen=True)
class StreamTap:
    """One tap; without a student the card is nobody's."""

    occurred_at: datetime
    received_at: datetime
    clock_suspect: bool
    uid: str
    decision: Decision
    reason: Refusal | None
    direction: Direction | None
    effect: Effect
    reader: str
    student_id: int | None
    student: str | None
    homeroom: str | None

    @property
    def needs_a_look(self) -> bool:
        """Whether staff should look at it: a card that is lost, unknown or otherwise refused."""
        return self.decision is Decision.REFUSED or self.student_id is None


def read_newest_taps(session: Session, school_id: int) -> list[StreamTap]:
    """The NEWEST taps, newest first, in one query."""
    found: Result[*tuple[Any, ...]] = session.execute(
        select(
            Tap.occurred_at,
            Tap.received_at,
            Tap.clock_suspect,
            Tap.uid,
            Tap.decision,
            Tap.reason,
            Tap.direction,
            Tap.effect,
            Reader.name,
            Tap.student_id,
            Student.name,
            Homeroom.name,
        )
        .join(Reader, Reader.id == Tap.reader_id)
        .outerjoin(Student, Student.id == Tap.student_id)
        .outerjoin(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(Tap.school_id == school_id)
        .order_by(Tap.received_at.desc(), Tap.id.desc())
        .limit(NEWEST)
    )
    return [StreamTap(*row) for row in found]

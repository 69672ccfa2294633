"""Rolls (点名单) for paper: who is on campus, homeroom by homeroom, to be ticked off.

The whole school at once is the usual wish and 3,000 students are usual too: so a row of the one
large query is as narrow as can be, and what many rows share is read apart and put to them here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from card_server.people.boarding_days import holds_on
from card_server.register.schools import zone_of
from card_server.reports.leaves_now import read_leaves_now
from card_server.reports.marked_list import list_marked
from card_server.reports.on_campus import Wanted, is_inside, is_unsure
from card_server.school_time import day_of
from schema.tables.attendance import Presence
from schema.tables.leave import LeaveKind
from schema.tables.people import Boarding, Student
from schema.tables.readers import Reader
from schema.tables.school import Homeroom

_TAIL: Final = 4
"""So many last digits of a student number tell two of one name apart, as a rule."""


class RollLine(Struct, frozen=True, gc=False):
    """One student on a roll."""

    name: str
    number: str
    since_at: datetime
    gate: str
    """Empty where a guard wrote the passage down."""
    is_boarder: bool
    is_unsure: bool
    """Nobody saw the student leave before the school closed; they count as gone."""
    leave: LeaveKind | None = None
    """The leave that is in force now: the student should not be here."""
    is_marked: bool = False
    """No tap, but a teacher marked the student present, at `since_at`."""


@dataclass(frozen=True)
class Roll:
    """Those of one homeroom, by student number."""

    homeroom: str
    lines: list[RollLine]
    marked: list[RollLine] = field(default_factory=list)
    """Here by a teacher's word alone."""

    @property
    def inside(self) -> int:
        """How many are on campus; not those of whom nobody is sure."""
        return sum(not line.is_unsure for line in self.lines)


def read_rolls(
    session: Session,
    school_id: int,
    now: datetime,
    *,
    grade: int | None = None,
    homeroom_id: int | None = None,
) -> list[Roll]:
    """A roll for each homeroom with somebody on campus, by grade; of all of them without a wish."""
    rooms = _read_rooms(session, school_id, grade, homeroom_id)
    today = day_of(now, zone_of(session, school_id))
    wanted = (
        select(
            Student.homeroom_id,
            Student.id,
            Student.name,
            Student.number,
            Presence.since_at,
            Presence.reader_id,
            Presence.is_inside,
        )
        .join_from(Presence, Student, Student.id == Presence.student_id)
        .where(or_(is_inside(school_id), is_unsure(session, school_id, now)))
        .order_by(Student.homeroom_id, Student.number, Student.id)
    )
    if grade is not None or homeroom_id is not None:
        wanted = wanted.where(Student.homeroom_id.in_(rooms))
    leaves = read_leaves_now(session, school_id, now)
    boarders = _read_boarders(session, school_id, today)
    gates = _read_gate_names(session, school_id)
    rolls = {room_id: Roll(room, []) for room_id, room in rooms.items()}
    for room_id, student_id, name, number, since_at, reader_id, inside in session.execute(wanted):
        line = RollLine(
            name,
            number,
            since_at,
            gates.get(reader_id, ""),
            student_id in boarders,
            not inside,
            leaves.get(student_id),
        )
        rolls[room_id].lines.append(line)
    for one in list_marked(session, school_id, Wanted(homeroom_id=homeroom_id), now):
        if one.homeroom_id in rolls:
            rolls[one.homeroom_id].marked.append(
                RollLine(
                    one.name,
                    one.number,
                    one.since_at,
                    "",
                    one.is_boarder,
                    is_unsure=False,
                    leave=one.leave,
                    is_marked=True,
                )
            )
    return [roll for roll in rolls.values() if roll.lines or roll.marked]


def _read_rooms(
    session: Session, school_id: int, grade: int | None, homeroom_id: int | None
) -> dict[int, str]:
    """The names by id, by grade; those of past years too, for who was not moved on from them."""
    wanted = select(Homeroom.id, Homeroom.name).where(Homeroom.school_id == school_id)
    if grade is not None:
        wanted = wanted.where(Homeroom.grade == grade)
    if homeroom_id is not None:
        wanted = wanted.where(Homeroom.id == homeroom_id)
    found = session.execute(wanted.order_by(Homeroom.grade, Homeroom.id))
    return dict(found.all())


def _read_boarders(session: Session, school_id: int, today: date) -> set[int]:
    """By the table: who sees that a student is there sees that they sleep there."""
    boarding = Boarding.__table__.c
    wanted = select(boarding.student_id).where(boarding.school_id == school_id, holds_on(today))
    return set(session.scalars(wanted))


def _read_gate_names(session: Session, school_id: int) -> dict[int, str]:
    """Of all readers: a gate's name is nobody's secret."""
    reader = Reader.__table__.c
    found = session.execute(select(reader.id, reader.name).where(reader.school_id == school_id))
    return dict(found.all())


def label_lines(lines: Sequence[RollLine]) -> list[str]:
    """What each student of a homeroom is called on paper: twins in name by their number as well."""
    names = [line.name for line in lines]
    if len(set(names)) == len(names):
        return names
    numbers: dict[str, list[str]] = {}
    for line in lines:
        numbers.setdefault(line.name, []).append(line.number)
    return [_label(line, numbers[line.name]) for line in lines]


def _label(line: RollLine, of_name: Sequence[str]) -> str:
    if len(of_name) == 1:
        return line.name
    is_enough = len({number[-_TAIL:] for number in of_name}) == len(of_name)
    return f"{line.name} ({line.number[-_TAIL:] if is_enough else line.number})"

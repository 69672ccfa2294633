"""Rolls (点名单) for paper: who is on campus, homeroom by homeroom, to be ticked off.

The whole school at once is the usual wish and 3,000 students are usual too, so they are read in one
query, and with nothing that a tick on paper does not need.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import func, literal, or_
from sqlalchemy.orm import Session

from card_server.reports.on_campus import (
    boards,
    is_inside,
    is_unsure,
    read_leaves_now,
    select_present,
)
from schema.tables.attendance import Presence
from schema.tables.leave import LeaveKind
from schema.tables.people import Student
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


@dataclass(frozen=True)
class Roll:
    """Those of one homeroom, by student number."""

    homeroom: str
    lines: list[RollLine]

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
    columns = (
        Homeroom.id,
        Homeroom.name,
        Student.id,
        Student.name,
        Student.number,
        Presence.since_at,
        func.coalesce(Reader.__table__.c.name, literal("")),
        boards(),
        Presence.is_inside.is_(False),
    )
    wanted = select_present(school_id, columns).where(
        or_(is_inside(school_id), is_unsure(school_id, now))
    )
    if grade is not None:
        wanted = wanted.where(Homeroom.grade == grade)
    if homeroom_id is not None:
        wanted = wanted.where(Homeroom.id == homeroom_id)
    # Few are on leave: asking that of each row would take half of the query's time.
    leaves = read_leaves_now(session, school_id, now)
    rolls: dict[int, Roll] = {}
    wanted = wanted.order_by(Homeroom.grade, Homeroom.id, Student.number, Student.id)
    for room_id, room, student_id, name, number, since_at, gate, sleeps, unsure in session.execute(
        wanted
    ):
        roll = rolls.get(room_id) or rolls.setdefault(room_id, Roll(room, []))
        leave = leaves.get(student_id)
        roll.lines.append(RollLine(name, number, since_at, gate, sleeps, unsure, leave))
    return list(rolls.values())


def label_lines(lines: Sequence[RollLine]) -> list[str]:
    """What each student of a homeroom is called on paper: twins in name by their number as well."""
    numbers: dict[str, list[str]] = {}
    for line in lines:
        numbers.setdefault(line.name, []).append(line.number)
    if len(numbers) == len(lines):
        return [line.name for line in lines]
    return [_label(line, numbers[line.name]) for line in lines]


def _label(line: RollLine, of_name: Sequence[str]) -> str:
    if len(of_name) == 1:
        return line.name
    is_enough = len({number[-_TAIL:] for number in of_name}) == len(of_name)
    return f"{line.name} ({line.number[-_TAIL:] if is_enough else line.number})"

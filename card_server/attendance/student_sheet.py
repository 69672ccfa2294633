"""One student's day for whoever corrects it: sessions, corrections, notes, passages by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.orm import Session

from card_server.attendance.corrections import list_corrections
from card_server.attendance.day_notes import list_day_notes
from card_server.attendance.facts import SessionResult
from card_server.attendance.hand_passages import PassageLine, list_passages
from card_server.attendance.whole_homeroom import plan_of
from card_server.people.students import name_student
from card_server.school_time import bounds_of
from schema.tables.attendance import Attendance, Correction, DayNote

_RESULTS = msgspec.json.Decoder(list[SessionResult])
_MOST_PASSAGES = 50


@dataclass(frozen=True)
class SessionLine:
    """One session of the day and what became of the student in it; None while nobody knows."""

    position: int
    name: str
    result: SessionResult | None


@dataclass(frozen=True)
class StudentSheet:
    """One student's day."""

    student_id: int
    name: str
    number: str
    homeroom_id: int
    homeroom: str
    sessions: Sequence[SessionLine]
    corrections: Sequence[Correction]
    """All that was ever said of the day, the newest first."""
    notes: Sequence[DayNote]
    """All that was ever noted of it, the newest first."""
    passages: Sequence[PassageLine]


def read_sheet(
    session: Session, school_id: int, student_id: int, day: date, zone: ZoneInfo
) -> StudentSheet:
    """The day in a fixed number of queries. Raises AppError(NOT_FOUND)."""
    name, number, homeroom_id, homeroom = name_student(session, school_id, student_id)
    begin, end = bounds_of(day, zone)
    passages = list_passages(session, school_id, begin, _MOST_PASSAGES, student_id, end)
    return StudentSheet(
        student_id,
        name,
        number,
        homeroom_id,
        homeroom,
        _read_sessions(session, school_id, student_id, homeroom_id, day),
        list_corrections(session, school_id, student_id, day),
        list_day_notes(session, school_id, [student_id], day, day).get((student_id, day), ()),
        passages,
    )


def _read_sessions(
    session: Session, school_id: int, student_id: int, homeroom_id: int, day: date
) -> list[SessionLine]:
    judged = session.get(Attendance, (school_id, day, student_id))
    room = judged.homeroom_id if judged else homeroom_id
    plan = plan_of(session, school_id, room, day)
    results = _RESULTS.decode(judged.sessions) if judged and judged.sessions else []
    by_position = {one.position: one for one in results}
    return [
        SessionLine(one.position, one.name, by_position.get(one.position))
        for one in (plan.sessions if plan else ())
    ]

"""A few days of a small school at random: taps, and what people say of days and of students."""

import random
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path

from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.exempting import ExemptTime, exempt
from card_server.attendance.refold import refold
from card_server.audit.writing import SYSTEM
from card_server.errors import AppError
from card_server.field_errors import FieldsError
from card_server.people.boarding import set_boarding
from card_server.people.stays import move_student
from card_server.school_time import day_of
from card_server.storage.database import open_engine, open_sessions
from schema.tables.attendance import Correction, HandPassage, SessionStatus
from schema.tables.calendar import ForWhom
from schema.tables.leave import LeaveKind, LeaveSlip, LeaveState
from schema.tables.readers import Direction
from schema.tables.school import Homeroom
from tests.card_server.attendance.judged_school import MONDAY, READERS, ZONE, JudgedSchool, at

DAYS = [MONDAY + timedelta(days=n) for n in range(3)]
END = at(DAYS[-1] + timedelta(days=1), "01:00")
"""When what was late has come."""
STUDENTS = 4
BOARDERS = (3, 4)
OF_DAYS = ("tap", "tap", "tap", "tap", "tap", "leave", "correction", "hand")
OF_STUDENTS = ("move", "board", "exempt")
_SAID = (
    SessionStatus.PRESENT,
    SessionStatus.LATE,
    SessionStatus.ABSENT,
    SessionStatus.LEFT_EARLY,
    SessionStatus.ON_LEAVE,
)
Event = tuple[str, int, int, int, str]
"""What happens: kind, student, day, minute, reader."""


def fresh_school(template: Path) -> JudgedSchool:
    """A school alone in a fresh SQLite file."""
    path = Path(tempfile.mkdtemp(dir=template.parent)) / "campus.db"
    path.write_bytes(template.read_bytes())
    sessions = open_sessions(open_engine(f"sqlite:///{path}"))
    return JudgedSchool(sessions, students=STUDENTS, boarders=BOARDERS)


def any_events(kinds: Sequence[str] = OF_DAYS) -> st.SearchStrategy[list[Event]]:
    """What may happen on those days, for properties."""
    return st.lists(
        st.tuples(
            st.sampled_from(kinds),
            st.integers(1, STUDENTS),
            st.integers(0, len(DAYS) - 1),
            st.one_of(st.integers(400, 540), st.integers(0, 1439)),
            st.sampled_from(sorted(READERS)),
        ),
        max_size=16,
        unique_by=lambda one: (one[1], one[2], one[3]),
    )


def some_events(seed: int, kinds: Sequence[str] = OF_DAYS) -> list[Event]:
    """Some sixty of them, always the same ones."""
    chance = random.Random(seed)
    events = {
        (student, day, chance.choice((chance.randrange(1440), chance.randint(400, 540)))): None
        for _ in range(60)
        for student, day in [(chance.randint(1, STUDENTS), chance.randrange(len(DAYS)))]
    }
    return [
        (chance.choice(kinds), student, day, minute, chance.choice(sorted(READERS)))
        for student, day, minute in events
    ]


def happen(school: JudgedSchool, events: list[Event], seed: int) -> None:
    """Some of it live, with the clock's ticks between; the rest afterwards, in any order.

    In every fourth school the clock hardly ever runs; of four, three have evening study, one each
    for everybody, for day students and for boarders.
    """
    if seed // 4 % 4:
        school.add_evening(list(ForWhom)[seed // 4 % 4 - 1])
    chance = random.Random(seed)
    runs = 0.1 if seed % 4 == 3 else 0.5
    late = [one for one in events if chance.random() < 0.5]
    live = sorted((one for one in events if one not in late), key=lambda one: one[2:4])
    school.tick(at(DAYS[0], "00:00"))
    for kind, student, number, minute, reader in live:
        day, clock = DAYS[number], _clock_of(minute)
        if kind == "tap":
            school.record([school.pass_gate(student, day, clock, reader)])
        else:
            _say(school, kind, student, at(day, clock), at(day, clock))
        if chance.random() < runs:
            school.report(at(day, clock))
            school.tick(at(day, clock))
    school.report(END)
    school.tick(END)
    chance.shuffle(late)
    taps = []
    for kind, student, number, minute, reader in late:
        day, clock = DAYS[number], _clock_of(minute)
        if kind == "tap":
            taps.append(school.pass_gate(student, day, clock, reader, received_at=END))
            if chance.random() < 0.6:
                continue
        else:
            _say(school, kind, student, at(day, clock), END)
        if taps:
            school.record(taps)
            taps = []
    if taps:
        school.record(taps)


def _clock_of(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _say(school: JudgedSchool, kind: str, student: int, moment: datetime, now: datetime) -> None:
    """Of a day, which is judged anew then, or of the student from that day on."""
    day = day_of(moment, ZONE)
    if kind in OF_STUDENTS:
        # What runs into another move or exemption is refused, and changes nothing.
        with suppress(AppError, FieldsError), school.sessions.begin() as session:
            _change_student(session, school.school_id, kind, student, moment, now)
        return
    with school.sessions.begin() as session:
        session.add(_said_of_day(school.school_id, kind, student, moment))
        last = min(day_of(moment + timedelta(hours=4), ZONE), DAYS[-1])
        refold(session, school.school_id, student, day, last, now)


def _change_student(
    session: Session, school_id: int, kind: str, student: int, moment: datetime, now: datetime
) -> None:
    on = day_of(moment, ZONE)
    if kind == "move":
        rooms = session.scalars(select(Homeroom.id).order_by(Homeroom.id)).all()
        room = rooms[moment.minute % len(rooms)]
        move_student(session, SYSTEM, school_id, student, room, on, now, ZONE)
    elif kind == "board":
        boards = bool(moment.minute % 2)
        set_boarding(session, SYSTEM, school_id, student, boards, on, now, ZONE)
    else:
        wanted = ExemptTime(on, _next_day(on), "走训")
        exempt(session, SYSTEM, school_id, student, wanted, now, ZONE)


def _next_day(day: date) -> date:
    return day + timedelta(days=1)


def _said_of_day(
    school_id: int, kind: str, student: int, moment: datetime
) -> LeaveSlip | Correction | HandPassage:
    if kind == "leave":
        return LeaveSlip(
            school_id=school_id,
            student_id=student,
            kind=LeaveKind.PERSONAL,
            from_at=moment,
            until_at=moment + timedelta(hours=4),
            needs_school=False,
            reason_sealed=b"",
            state=LeaveState.APPROVED,
            asked_by="a",
            asked_at=moment,
        )
    if kind == "correction":
        return Correction(
            school_id=school_id,
            student_id=student,
            day=day_of(moment, ZONE),
            position=moment.minute % 4,
            status=_SAID[moment.minute % len(_SAID)],
            minutes=moment.minute if moment.minute % 2 else None,
            reason="更正",
            made_by="a",
            made_at=moment,
        )
    return HandPassage(
        school_id=school_id,
        student_id=student,
        at=moment,
        direction=Direction.IN if moment.minute % 2 else Direction.OUT,
        reason="没带卡",
        made_by="a",
        made_at=moment,
    )

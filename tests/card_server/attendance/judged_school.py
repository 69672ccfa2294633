"""A small school whose days are judged: timetable, gates that report, boarders, and its taps."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker
from uuid_utils.compat import uuid7

from card_server.attendance.begin_days import begin_days
from card_server.attendance.closing import close_over_night
from card_server.attendance.deadlines import judge_due
from card_server.attendance.facts import SessionResult
from card_server.attendance.plans import SchoolDays, read_school
from card_server.taps.record import ReceivedTap
from schema.messages import Decision, ReaderState, SourceState
from schema.tables.attendance import Attendance, HomeroomDay, Presence
from schema.tables.calendar import DayPart, ForWhom, Timetable, TimetableSession
from schema.tables.people import Boarding
from schema.tables.readers import Direction, ReaderHealth
from schema.tables.school import Term
from tests.card_server.tapping import Gate
from tests.harness.campus import uid_of

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 9, 7)
READERS: dict[str, Direction | None] = {
    "gate-in": Direction.IN,
    "gate-out": Direction.OUT,
    "gate": None,
}
HOURS = (
    (1, "上午", DayPart.MORNING, (420, 480, 510, 710, 720)),
    (2, "下午", DayPart.AFTERNOON, (780, 840, 870, 1010, 1020)),
)
"""Arrive from, late after, absent after, leave from, ends: 07:00 08:00 08:30 11:50 12:00, …"""
_EVENING = (3, "晚自习", DayPart.EVENING, (1080, 1110, 1140, 1260, 1270))
"""18:00 18:30 19:00 21:00 21:10."""


def at(day: date, clock: str) -> datetime:
    """A moment by the school's wall clock, in UTC."""
    return datetime.combine(day, time.fromisoformat(clock), ZONE).astimezone(UTC)


class JudgedSchool(Gate):
    """The gate of a school with a timetable; students 1 to `students`, boarders among them."""

    def __init__(
        self, sessions: sessionmaker[Session], *, students: int = 3, boarders: Iterable[int] = ()
    ) -> None:
        super().__init__(sessions, students=students, readers=READERS)
        self.school_id = self.campus.school_id
        with sessions.begin() as session:
            self._set_up(session, boarders)

    def _set_up(self, session: Session, boarders: Iterable[int]) -> None:
        session.add(
            Term(
                school_id=self.school_id,
                school_year=2026,
                name="第一学期",
                starts_on=date(2026, 9, 1),
                ends_on=date(2027, 1, 20),
            )
        )
        timetable = Timetable(school_id=self.school_id, name="作息", starts_on=date(2026, 9, 1))
        session.add(timetable)
        session.flush()
        for weekday in range(1, 6):
            for hours in HOURS:
                session.add(_session(timetable.id, weekday, hours))
        for student_id in boarders:
            session.add(
                Boarding(student_id=student_id, school_id=self.school_id, from_on=date(2026, 9, 1))
            )

    def add_evening(self, for_whom: ForWhom) -> None:
        """Evening study on each weekday, before any day has begun."""
        with self.sessions.begin() as session:
            [timetable] = session.scalars(select(Timetable.id))
            for weekday in range(1, 6):
                evening = _session(timetable, weekday, _EVENING)
                evening.for_whom = for_whom
                session.add(evening)

    @property
    def school(self) -> SchoolDays:
        """As the judging of its days wants it."""
        with self.sessions() as session:
            return read_school(session, self.school_id)

    def pass_gate(
        self,
        student: int,
        day: date,
        clock: str,
        reader: str = "gate-in",
        **changes: Any,
    ) -> ReceivedTap:
        """A tap by the wall clock, that the server gets at once."""
        moment = at(day, clock)
        self._seq += 1
        values: dict[str, Any] = {
            "id": uuid7(),
            "reader": self.reader(reader),
            "boot": None,
            "seq": None,
            "uid": uid_of(student),
            "tapped_at": moment,
            "sent_at": moment,
            "received_at": moment,
            "occurred_at": moment,
            "clock_suspect": False,
            "decision": Decision.ADMITTED,
            "reason": None,
            "cards_version": 1,
        }
        return ReceivedTap(**values | changes)

    def report(self, moment: datetime | None, *codes: str) -> None:
        """The gates have delivered their taps up to a moment."""
        with self.sessions.begin() as session:
            for code in codes or READERS:
                reader_id = self.campus.readers[code]
                session.execute(delete(ReaderHealth).where(ReaderHealth.reader_id == reader_id))
                session.add(
                    ReaderHealth(
                        reader_id=reader_id,
                        school_id=self.school_id,
                        state=ReaderState.ONLINE,
                        source=SourceState.READY,
                        seen_at=moment or datetime(2026, 9, 1, tzinfo=UTC),
                        boot=1,
                        drained_to=moment,
                        cards_version=1,
                        cards_at=None,
                        spooled=0,
                        aside=0,
                        disk_free_mb=1,
                        clock_skew_s=0,
                        failures="",
                        software="",
                    )
                )

    def tick(self, now: datetime) -> None:
        """What the clock process does at a moment."""
        for task in (begin_days, judge_due, close_over_night):
            with self.sessions() as session:
                task(session, now)
                session.commit()

    def day(self, student: int, day: date = MONDAY) -> Attendance | None:
        """A student's row of a day."""
        with self.sessions() as session:
            return session.get(Attendance, (self.school_id, day, student))

    def statuses(self, student: int, day: date = MONDAY) -> list[str]:
        """What became of a student in each session."""
        row = self.day(student, day)
        return [] if row is None else [one.status.value for one in sessions_of(row)]

    def count(self, day: date = MONDAY) -> HomeroomDay:
        """The counts of the only homeroom."""
        [found] = [row for row in self.rows(HomeroomDay) if row.day == day]
        return found  # type: ignore[no-any-return]

    def forget_days(self) -> None:
        """As if nobody had ever judged a day: the taps alone are left."""
        with self.sessions.begin() as session:
            for table in (Attendance, HomeroomDay, Presence):
                session.execute(delete(table))


def _session(
    timetable: int, weekday: int, hours: tuple[int, str, DayPart, tuple[int, ...]]
) -> TimetableSession:
    position, name, part, times = hours
    return TimetableSession(
        timetable_id=timetable,
        weekday=weekday,
        position=position,
        name=name,
        part=part,
        arrive_from=times[0],
        late_after=times[1],
        absent_after=times[2],
        leave_from=times[3],
        ends=times[4],
    )


def sessions_of(row: Attendance) -> list[SessionResult]:
    """A row's results."""
    return _RESULTS.decode(row.sessions)


_RESULTS = msgspec.json.Decoder(list[SessionResult])

"""A school's last days as they happened: taps are recorded and days judged by the server's rules.

What pages show of them is therefore what a school sees, not what somebody wrote into tables.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from random import Random
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import uuid_utils
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.begin_days import begin_days
from card_server.attendance.closing import close_over_night
from card_server.attendance.deadlines import judge_due
from card_server.attendance.tap_pairs import find_pairs
from card_server.demo.calendar import play_today
from card_server.services.protocol import Telling
from card_server.taps.directory import Directory, ReaderKey
from card_server.taps.record import ReceivedTap, record_taps
from schema.messages import CardState, Decision, Refusal
from schema.tables.cards import Card
from schema.tables.people import Boarding, Student
from schema.tables.readers import ReaderHealth
from schema.tables.school import Homeroom, School
from tests.card_server.web.small_school import SmallSchool

_FRIDAY, _SUNDAY = 5, 7
_LATE_AFTER = 7 * 60 + 40
_AFTER_SCHOOL, _AFTER_STUDY = 17 * 60 + 40, 20 * 60 + 55
_BATCH = 50
_IN, _OUT = ("gate-east-in", "gate-west-in"), ("gate-east-out", "gate-west-out")
_NOBODYS = "04C0FFEE000001"
_STAY_LATE = (
    select(Student.id).join(Homeroom, Homeroom.id == Student.homeroom_id).where(Homeroom.grade == 9)
)


class _Touch(NamedTuple):
    """A card at a gate."""

    at: datetime
    gate: str
    uid: str
    refusal: Refusal | None = None


class Week:
    """Lets days happen, one after the other."""

    def __init__(self, sessions: sessionmaker[Session], school: SmallSchool) -> None:
        self._sessions = sessions
        self._school = school
        self._directory = Directory()
        self._random = Random(7)
        self._seq = count(1)
        with sessions() as session:
            row = session.get_one(School, school.id)
            self._code, self._zone = row.code, ZoneInfo(row.zone)
            lost = session.scalars(select(Card.uid).where(Card.state == CardState.LOST)).all()
            boarders = set(session.scalars(select(Boarding.student_id)))
            stay_late = set(session.scalars(_STAY_LATE))
        self._refused = [(_NOBODYS, Refusal.UNKNOWN), *((uid, Refusal.LOST) for uid in lost)]
        self._boarders, self._home_at = [], dict[str, int]()
        for student, uid in zip(school.students, school.uids, strict=True):
            if student in boarders:
                self._boarders.append(uid)
            else:
                self._home_at[uid] = _AFTER_STUDY if student in stay_late else _AFTER_SCHOOL

    def until(self, now: datetime) -> None:
        """The days since the Sunday of last week, and this morning up to now."""
        today = now.astimezone(self._zone).date()
        sunday = today - timedelta(days=7 + today.isoweekday() % 7)
        for ago in range((today - sunday).days):
            day = sunday + timedelta(days=ago)
            self._begin(day)
            self._record(self._touches(day))
            self._judge(self._at(day, 23 * 60))
        with self._sessions.begin() as session:
            play_today(session, self._school.id, today, _LATE_AFTER, self._at(today, 0))
        self._begin(today)
        touches = [*self._mornings(today), *self._refusals(today)]
        self._record([one for one in touches if one.at < now], tell_parents=True)
        self._judge(now)

    def _begin(self, day: date) -> None:
        with self._sessions() as session:
            close_over_night(session, self._at(day, 0))
            begin_days(session, self._at(day, 0))
            session.commit()

    def _judge(self, now: datetime) -> None:
        """Every gate has delivered its taps, and what is due is judged."""
        with self._sessions() as session:
            session.execute(update(ReaderHealth).values(drained_to=now, seen_at=now))
            session.commit()
            judge_due(session, now)
            find_pairs(session, now)
            session.commit()

    def _touches(self, day: date) -> Iterator[_Touch]:
        """A whole day; boarders come back on Sundays and go home on Fridays."""
        weekday = day.isoweekday()
        if weekday <= _FRIDAY:
            came = list(self._mornings(day))
            yield from came
            yield from self._evenings(day, [one.uid for one in came])
        if weekday in (_FRIDAY, _SUNDAY):
            gate = _OUT[0] if weekday == _FRIDAY else _IN[0]
            for uid in self._boarders:
                at = self._at(day, _AFTER_SCHOOL + self._random.uniform(0, 20))
                yield _Touch(at, gate, uid)

    def _mornings(self, day: date) -> Iterator[_Touch]:
        """Nearly all come in time, some late, and a few not at all."""
        for uid in self._home_at:
            chance = self._random.random()
            if chance < 0.02:
                continue
            minute = self._random.gauss(_LATE_AFTER - 20, 7)
            if chance < 0.05:
                minute = _LATE_AFTER + self._random.uniform(1, 25)
            elif minute >= _LATE_AFTER:
                minute = _LATE_AFTER - 1
            yield _Touch(self._at(day, minute), self._random.choice(_IN), uid)

    def _evenings(self, day: date, came: Iterable[str]) -> Iterator[_Touch]:
        """Nearly all are seen to leave."""
        for uid in came:
            if self._random.random() > 0.01:
                at = self._at(day, self._home_at[uid] + self._random.uniform(0, 20))
                yield _Touch(at, self._random.choice(_OUT), uid)

    def _refusals(self, day: date) -> Iterator[_Touch]:
        for minute, (uid, refusal) in enumerate(self._refused, start=_LATE_AFTER):
            yield _Touch(self._at(day, minute), _IN[0], uid, refusal)

    def _at(self, day: date, minute: float) -> datetime:
        begin = datetime.combine(day, time(), self._zone)
        return (begin + timedelta(minutes=minute)).astimezone(UTC)

    def _record(self, touches: Iterable[_Touch], *, tell_parents: bool = False) -> None:
        """A batch at a time, in the order of their times."""
        ordered = sorted(touches)
        for first in range(0, len(ordered), _BATCH):
            batch = ordered[first : first + _BATCH]
            now = batch[-1].at + timedelta(seconds=1)
            with self._sessions() as session:
                keys = {ReaderKey(self._code, one.gate) for one in batch}
                readers = self._directory.readers(session, keys)
                taps = [
                    ReceivedTap(
                        id=UUID(str(uuid_utils.uuid7())),
                        reader=readers[ReaderKey(self._code, one.gate)],
                        boot=1,
                        seq=next(self._seq),
                        uid=one.uid,
                        tapped_at=one.at,
                        sent_at=one.at,
                        received_at=now,
                        occurred_at=one.at,
                        clock_suspect=False,
                        decision=Decision.REFUSED if one.refusal else Decision.ADMITTED,
                        reason=one.refusal,
                        cards_version=1,
                    )
                    for one in batch
                ]
                record_taps(session, taps, self._directory, Telling(tell_parents, now))
                session.commit()

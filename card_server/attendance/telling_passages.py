"""What guardians are told of who is let in or out by hand (手工放行): the same as of a tap, once.

A message of a passage by hand belongs to no tap; it is known by its student and its moment.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from card_server.attendance.absences import queue_absences_after_all
from card_server.attendance.facts import Passing, TapJudgement
from card_server.attendance.hand_passages import BY_HAND
from card_server.attendance.lateness import arrival_kind
from card_server.attendance.notices import Settled
from card_server.attendance.plans import read_school
from card_server.attendance.refold import judge_and_settle, judge_pupils, read_pupils
from card_server.attendance.rows import DayKey
from card_server.messages.moments import say_time
from card_server.messages.queueing import Listener, News, listeners_of, queue_news
from card_server.school_time import day_of
from schema.tables.attendance import HandPassage
from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from schema.tables.people import Language
from schema.tables.readers import Direction
from schema.tables.taps import Effect

_THE_PASSAGE: Final = UUID(int=0)
"""Its id while its day is judged: in the order of that moment it stands where it will stand."""
_TOLD_AS: Final = {
    Direction.IN: (MessageKind.ARRIVAL, MessageKind.LATE, MessageKind.ARRIVED),
    Direction.OUT: (MessageKind.DEPARTURE,),
}


class Passed(NamedTuple):
    """A passage that is about to be written down."""

    school_id: int
    student_id: int
    name: str
    direction: Direction
    at: datetime


def judge_and_tell(session: Session, passed: Passed, now: datetime) -> None:
    """Judge the day with a passage that is not on record yet, and tell of it as of a tap.

    In the caller's transaction, before the passage's row is written: by that the day knows which
    of its passings is new. As in `refold`, what the session's user does not see counts as well.
    """
    session.flush()
    with Session(bind=session.connection()) as whole:
        school = read_school(whole, passed.school_id)
        day, student_id = day_of(passed.at, school.zone), passed.student_id
        pupils = read_pupils(whole, school, [student_id], [day])
        for pupil in pupils:
            pupil.fresh.append(Passing(_THE_PASSAGE, passed.at, BY_HAND, passed.direction))
        book, settled = judge_and_settle(whole, pupils, now)
        judged = book.judgements.get((student_id, _THE_PASSAGE))
        if judged is None or judged.effect is Effect.DOUBLE:
            return
        slots = {
            "student": passed.name,
            "time": say_time(passed.at.astimezone(school.zone)),
            "minutes": str(judged.late_minutes),
        }
        owed = settled.owed.get(DayKey(passed.school_id, day, student_id), set())
        listeners = listeners_of(whole, {student_id}).get(student_id, [])
        for guardian_id, kind in _kinds(passed, judged, listeners, settled, owed):
            news = News(kind, student_id, passed.at, dict.fromkeys(Language, slots))
            queue_news(whole, passed.school_id, [news], now, guardian_id=guardian_id)


def _kinds(
    passed: Passed,
    judged: TapJudgement,
    listeners: Collection[Listener],
    settled: Settled,
    owed: Collection[int],
) -> Iterator[tuple[int, MessageKind]]:
    """Each guardian who is told, and as what."""
    is_arrival = judged.effect is Effect.ARRIVAL
    for one in listeners:
        key = (passed.school_id, one.student_id, one.guardian_id, judged.effect)
        if is_arrival and one.guardian_id in owed:
            yield one.guardian_id, MessageKind.ARRIVED
        elif key in settled.told:
            continue
        elif is_arrival:
            if kind := arrival_kind(judged.late_minutes, one.wanted):
                yield one.guardian_id, kind
        else:
            yield one.guardian_id, MessageKind.DEPARTURE


def judge_and_take_back(session: Session, passage: HandPassage, now: datetime) -> None:
    """Judge the day without a passage that stands no more, and take back what waits to be told.

    Whoever has not come without it, and whose deadline is over, is told of as absent. In the
    caller's transaction, as `judge_and_tell`.
    """
    session.flush()
    with Session(bind=session.connection()) as whole:
        _withdraw(whole, passage, now)
        school = read_school(whole, passage.school_id)
        day = day_of(passage.at, school.zone)
        pupils = read_pupils(whole, school, [passage.student_id], [day])
        queue_absences_after_all(whole, judge_pupils(whole, pupils, now), now)


def _withdraw(session: Session, passage: HandPassage, now: datetime) -> None:
    """Take back what waits to be told of a passage."""
    session.connection().execute(
        update(Message)
        .where(
            Message.school_id == passage.school_id,
            Message.student_id == passage.student_id,
            Message.tap_id.is_(None),
            Message.kind.in_(_TOLD_AS[passage.direction]),
            Message.about_at == passage.at,
            Message.state == MessageState.QUEUED,
        )
        .values(state=MessageState.SUPPRESSED, suppression=Suppression.WITHDRAWN, changed_at=now)
    )

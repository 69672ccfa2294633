"""Telling guardians what became of a leave slip: approved, refused, ended early, withdrawn."""

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.messages.moments import say_day, say_moment
from card_server.messages.queueing import News, queue_news
from schema.tables.leave import LeaveSlip, LeaveState
from schema.tables.messages import MessageKind
from schema.tables.people import Language, Student

_DECISIONS: Final = {
    Language.CHINESE: {
        LeaveState.APPROVED: "已获批准",
        LeaveState.REFUSED: "未获批准",
        LeaveState.WITHDRAWN: "已撤销",
    },
    Language.ENGLISH: {
        LeaveState.APPROVED: "approved",
        LeaveState.REFUSED: "not approved",
        LeaveState.WITHDRAWN: "withdrawn",
    },
}
_SAME_DAY: Final = {Language.CHINESE: "当日", Language.ENGLISH: "the end of that day"}
_ENDED: Final = {Language.CHINESE: "已提前结束", Language.ENGLISH: "ended early"}


def tell_of_leave(session: Session, slip: LeaveSlip, zone: ZoneInfo, now: datetime) -> int:
    """Queue the news of a slip as it stands now; how many guardians are told.

    The guardian who asked is told alone; when staff asked, all who want it.
    """
    name = session.connection().scalar(select(Student.name).where(Student.id == slip.student_id))
    slots = {
        language: {
            "student": name or "",
            "from": say_moment(slip.from_at.astimezone(zone), language),
            "until": _say_end(slip, zone, language),
            "decision": _decision(slip, language),
        }
        for language in Language
    }
    news = News(MessageKind.LEAVE, slip.student_id, now, slots)
    return queue_news(session, slip.school_id, [news], now, guardian_id=slip.guardian_id)


def _decision(slip: LeaveSlip, language: Language) -> str:
    if slip.state is LeaveState.APPROVED and slip.ended_at is not None:
        return _ENDED[language]
    return _DECISIONS[language][slip.state]


def _say_end(slip: LeaveSlip, zone: ZoneInfo, language: Language) -> str:
    """The last day of leave for whole days, for its end is the next one's first moment."""
    until = slip.until_at.astimezone(zone)
    if until.time() != time.min:
        return say_moment(until, language)
    last = until.date() - timedelta(days=1)
    is_one_day = last == slip.from_at.astimezone(zone).date()
    return _SAME_DAY[language] if is_one_day else say_day(last, language)

"""Whom staff marked present today though no tap says that they are here (教师标记在校、无刷卡记录).

Of a student's corrections of the day the one of the latest session decides. It says nothing any
more once a gate, a guard or the hour of closing has seen the student gone afterwards.
"""

from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement, FromClause, func, select
from sqlalchemy.orm import Session

from card_server.register.schools import zone_of
from card_server.school_time import day_of
from schema.tables.attendance import Correction, Presence, SessionStatus

_HERE: Final = (SessionStatus.PRESENT, SessionStatus.LATE)
_PRESENCE: Final = Presence.__table__.c


def day_of_marks(session: Session, school_id: int, now: datetime) -> date | None:
    """Today, where staff marked anybody present; on most days there is nothing more to ask for."""
    today, said = day_of(now, zone_of(session, school_id)), Correction.__table__.c
    anybody = select(said.id).where(
        said.school_id == school_id,
        said.day == today,
        said.ended_at.is_(None),
        said.status.in_(_HERE),
    )
    return None if session.scalar(anybody.limit(1)) is None else today


def marked_on(school_id: int, day: date) -> FromClause:
    """`student_id` and `made_at` of whom the corrections of a day say that they are here.

    By the table: who sees a student on campus sees why, and nothing else of the correction.
    """
    said, later = Correction.__table__.alias("said"), Correction.__table__.alias("later")
    is_overruled = (
        select(later.c.id)
        .where(
            later.c.school_id == school_id,
            later.c.student_id == said.c.student_id,
            later.c.day == day,
            later.c.ended_at.is_(None),
            later.c.position > said.c.position,
        )
        .exists()
    )
    return (
        select(said.c.student_id, func.max(said.c.made_at).label("made_at"))
        .where(
            said.c.school_id == school_id,
            said.c.day == day,
            said.c.ended_at.is_(None),
            said.c.status.in_(_HERE),
            ~is_overruled,
        )
        .group_by(said.c.student_id)
        .subquery("marked")
    )


def holds(marked: FromClause) -> ColumnElement[bool]:
    """Whether the word stands, given the student's row of presence or none at all."""
    return _PRESENCE.student_id.is_(None) | (
        _PRESENCE.is_inside.is_(False) & (_PRESENCE.since_at <= marked.c.made_at)
    )


def is_marked(school_id: int, day: date) -> ColumnElement[bool]:
    """Of a row of presence that is not inside: the student was marked present after it."""
    marked = marked_on(school_id, day)
    return (
        select(marked.c.student_id)
        .where(marked.c.student_id == Presence.student_id, marked.c.made_at >= Presence.since_at)
        .correlate(Presence)
        .exists()
    )

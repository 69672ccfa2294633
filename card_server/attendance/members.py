"""Who was of a school and a homeroom on a day, and so is expected there."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import Exists, Select, and_, or_, select
from sqlalchemy.orm import Session

from card_server.attendance.plans import SchoolDays
from card_server.school_time import bounds_of
from schema.tables.people import HomeroomStay, Student, StudentStatus
from schema.tables.taps import Tap


class Membership(Struct, frozen=True, gc=False):
    """A student, the homeroom of today, and since when the status is as it is."""

    student_id: int
    homeroom_id: int
    status: StudentStatus
    status_since: date | None
    gone_at: datetime | None
    erased_at: datetime | None
    has_tap: bool = False

    def is_expected(self, day: date, zone: ZoneInfo) -> bool:
        """Whether the student was enrolled on a day, as far as the register still knows.

        Who has not come into it yet, has left it or was erased is not expected.
        """
        if self.erased_at is not None:
            return False
        if self.gone_at is not None and self.gone_at < bounds_of(day, zone)[1]:
            return False
        since = self.status_since
        if self.status is StudentStatus.ENROLLED:
            return since is None or since <= day
        return since is not None and since > day

    def is_gone(self, day: date, zone: ZoneInfo) -> bool:
        """Whether the student surely was not of the school any more on a day, or is suspended.

        Days before the present status began may have been of another one, which nobody knows.
        """
        if self.gone_at is not None and self.gone_at < bounds_of(day, zone)[1]:
            return True
        is_away = self.status is not StudentStatus.ENROLLED
        return is_away and self.status_since is not None and self.status_since <= day


def members_of(
    session: Session, school: SchoolDays, day: date, homeroom_ids: Collection[int]
) -> list[Membership]:
    """The students enrolled on a day whose homeroom then was one of these, by id."""
    stay = HomeroomStay.__table__.c
    in_time = and_(
        stay.student_id == _STUDENT.id,
        stay.from_on <= day,
        or_(stay.until_on.is_(None), stay.until_on > day),
    )
    was_there = select(stay.student_id).where(in_time, stay.homeroom_id.in_(homeroom_ids))
    was_anywhere = select(stay.student_id).where(in_time)
    wanted = _select(school.id).where(
        or_(
            was_there.correlate(Student.__table__).exists(),
            and_(
                _STUDENT.homeroom_id.in_(homeroom_ids),
                ~was_anywhere.correlate(Student.__table__).exists(),
            ),
        )
    )
    found = [Membership(*row) for row in session.execute(wanted)]
    return [one for one in found if one.is_expected(day, school.zone)]


def memberships_of(
    session: Session, school_id: int, student_ids: Collection[int]
) -> list[Membership]:
    """These students of a school, by id."""
    wanted = _select(school_id).where(_STUDENT.id.in_(student_ids))
    return [Membership(*row) for row in session.execute(wanted)]


def memberships(session: Session, school_id: int, has_tap: Exists) -> list[Membership]:
    """Everybody whom a school ever had and knows, by id; `has_tap` says which taps are meant."""
    theirs = has_tap.where(Tap.student_id == _STUDENT.id).correlate(Student.__table__)
    return [Membership(*row) for row in session.execute(_select(school_id).add_columns(theirs))]


_STUDENT = Student.__table__.c


def _select(school_id: int) -> Select[Any]:
    """Not who was erased: of their days the rows alone are left, and nothing to judge them by."""
    return (
        select(
            _STUDENT.id,
            _STUDENT.homeroom_id,
            _STUDENT.status,
            _STUDENT.status_since,
            _STUDENT.gone_at,
            _STUDENT.erased_at,
        )
        .where(_STUDENT.school_id == school_id, _STUDENT.erased_at.is_(None))
        .order_by(_STUDENT.id)
    )

"""Which homeroom a student was of on a day: that of then, for a day that is over."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.storage.among import is_among
from schema.tables.people import HomeroomStay


class RoomTime(NamedTuple):
    """A time in a homeroom, until the day before `until_on`."""

    homeroom_id: int
    from_on: date
    until_on: date | None


Stays = dict[int, list[RoomTime]]


def stays_of(session: Session, student_ids: Collection[int]) -> Stays:
    """When these students were in which homerooms; who never moved may be missing."""
    stays: Stays = {}
    if not student_ids:
        return stays
    stay = HomeroomStay.__table__.c
    wanted = select(stay.student_id, stay.homeroom_id, stay.from_on, stay.until_on).where(
        is_among(session, stay.student_id, student_ids)
    )
    for student_id, *time in session.execute(wanted):
        stays.setdefault(student_id, []).append(RoomTime(*time))
    return stays


def room_on(stays: Stays, student_id: int, day: date, of_today: int) -> int:
    """The homeroom of a day; that of today where nothing is known of then."""
    for stay in stays.get(student_id, ()):
        if stay.from_on <= day and (stay.until_on is None or day < stay.until_on):
            return stay.homeroom_id
    return of_today

"""Today's students: absent, late, on leave, gone early, not judged; written into a small school."""

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from card_server.school_time import DISTRICT_ZONE, bounds_of, day_of
from schema.tables.leave import LeaveState
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.odd_things import add_day, add_deadline, begin_day
from tests.card_server.web.small_school import SmallSchool

_ABSENT = '[{"position":1,"status":"absent"}]'


def add_today(session: Session, school: SmallSchool) -> None:
    """张三 is absent, 李四 late, 王小明 on leave until tonight, 赵雪 went early; four wait."""
    day = day_of(datetime.now(UTC), DISTRICT_ZONE)
    begin, end = bounds_of(day, DISTRICT_ZONE)
    begin_day(session, school, day)
    add_deadline(session, school, day, end)
    add_day(session, school, 0, day, absent=1, sessions=_ABSENT)
    add_day(session, school, 1, day, late=1, late_minutes=4)
    slip = make_slip(school, 2, begin)
    slip.state = LeaveState.APPROVED
    session.add(slip)
    add_day(session, school, 3, day, left_early=1, early_minutes=25)

"""Who came in today, who stayed over night, and who is not in yet are all students together."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session, sessionmaker

from card_server.reports.board import read_counts
from card_server.school_time import DISTRICT_ZONE, day_of
from tests.card_server.web.campus_things import add_presence
from tests.card_server.web.small_school import SmallSchool, add_tap


def test_who_stayed_over_night_is_inside_and_not_missing(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    now = datetime.now(UTC)
    with sessions.begin() as session:
        add_tap(session, school, 0, at=now)
        add_presence(session, school, 1, now - timedelta(days=2))
    with sessions() as session:
        counts = read_counts(session, school.id, day_of(now, DISTRICT_ZONE))
    assert (counts.arrived, counts.inside, counts.not_yet) == (1, 2, len(school.students) - 2)

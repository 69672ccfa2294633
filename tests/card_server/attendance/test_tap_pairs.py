"""Which taps cannot both be theirs, and that each pair is found once whenever its taps come."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.tap_pairs import SeenTap, find_pairs, pairs_among
from schema.tables.findings import PairKind, TapPair, TapPairMark
from schema.tables.readers import Reader
from schema.tables.taps import Tap
from tests.card_server.web.small_school import SmallSchool, add_tap, make_school

AT = datetime(2026, 9, 1, 0, 0, tzinfo=UTC)
TRAVEL, TWO_CARDS = PairKind.TRAVEL, PairKind.TWO_CARDS


def _tap(number: int, second: float, place: str, uid: str = "A", student: int = 1) -> SeenTap:
    at = AT + timedelta(seconds=second)
    return SeenTap(UUID(int=number), student, uid, 1, place, at, at)


@pytest.mark.parametrize(
    ("taps", "known"),
    [
        ([(0, "东门"), (19, "西门")], [TRAVEL]),
        ([(0, "东门"), (20, "西门")], []),
        ([(0, "东门"), (5, "东门")], []),
        ([(0, "东门", "A"), (60, "东门", "B")], [TWO_CARDS]),
        ([(0, "东门", "A"), (61, "东门", "B")], []),
        ([(0, "东门", "A"), (5, "西门", "B")], [TRAVEL, TWO_CARDS]),
        ([(0, "东门", "A", 1), (5, "西门", "B", 2)], []),
    ],
)
def test_which_taps_are_a_pair(
    taps: list[tuple[int, str, str, int]], known: list[PairKind]
) -> None:
    seen = [_tap(number, *tap) for number, tap in enumerate(taps)]
    for order in (seen, seen[::-1]):
        assert [kind for _one, _other, kind in pairs_among(order, 60)] == known


@pytest.fixture
def school(sessions: sessionmaker[Session]) -> SmallSchool:
    """Its two readers stand at two places."""
    with sessions.begin() as session:
        made = make_school(session)
        session.execute(update(Reader).where(Reader.id == made.readers[1]).values(place="西门"))
        return made


def _add(sessions: sessionmaker[Session], school: SmallSchool, at: datetime, reader: int) -> UUID:
    with sessions.begin() as session:
        tap_id = add_tap(session, school, None, at=at)
        session.execute(
            update(Tap)
            .where(Tap.id == tap_id)
            .values(student_id=school.students[0], reader_id=school.readers[reader])
        )
        return tap_id


def _find(sessions: sessionmaker[Session]) -> list[tuple[UUID, int]]:
    with sessions() as session:
        find_pairs(session, datetime.now(UTC))
    with sessions() as session:
        rows = session.scalars(select(TapPair).order_by(TapPair.at))
        return [(one.later_id, one.seconds) for one in rows]


def test_a_pair_is_found_once_however_often_one_looks(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    now = datetime.now(UTC) - timedelta(minutes=5)
    _add(sessions, school, now, 0)
    assert _find(sessions) == []
    later = _add(sessions, school, now + timedelta(seconds=8), 1)
    assert _find(sessions) == [(later, 8)]
    assert _find(sessions) == [(later, 8)]


def test_a_tap_that_comes_late_finds_the_one_before_it(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    now = datetime.now(UTC)
    later = _add(sessions, school, now, 1)
    assert _find(sessions) == []
    _add(sessions, school, now - timedelta(seconds=8), 0)
    assert _find(sessions) == [(later, 8)]


def test_it_goes_on_where_it_ended_and_not_from_the_beginning(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    now = datetime.now(UTC)
    with sessions.begin() as session:
        session.add(TapPairMark(school_id=school.id, up_to=now + timedelta(hours=1)))
    _add(sessions, school, now, 0)
    _add(sessions, school, now + timedelta(seconds=8), 1)
    assert _find(sessions) == []

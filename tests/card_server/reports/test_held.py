"""Who was held: how it ended by plain times, and the day's list on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.reports.held import AT_THE_GATE, HeldState, judge_held, list_held
from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant
from card_server.storage.database import open_engine
from schema.messages import Decision, Refusal
from schema.tables.attendance import HandPassage
from schema.tables.readers import Direction
from schema.tables.staff import Role, Scope, Staff
from schema.tables.taps import Effect, Tap
from tests.card_server.web.small_school import SmallSchool, add_tap, make_school
from tests.harness.lessons import add_lessons

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 9, 1, 12, 0, tzinfo=ZONE).astimezone(UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("left", "let_out", "now", "state"),
    [
        (None, None, 0, HeldState.WAITING),
        (None, None, 10, HeldState.WAITING),
        (None, None, 11, HeldState.STAYED),
        (-5, None, 1, HeldState.WAITING),
        (2, None, 3, HeldState.LEFT),
        (None, -1, 3, HeldState.WAITING),
        (None, 1, 3, HeldState.LET_OUT),
        (5, 1, 60, HeldState.LEFT),
        (-60, 1, 60, HeldState.LET_OUT),
    ],
)
def test_how_it_ended(left: int | None, let_out: int | None, now: int, state: HeldState) -> None:
    assert timedelta(minutes=10) == AT_THE_GATE
    left_at = None if left is None else NOON + left * MINUTE
    let_out_at = None if let_out is None else NOON + let_out * MINUTE
    assert judge_held(NOON, left_at, let_out_at, NOON + now * MINUTE) is state


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine = open_engine(database_url)
    with Session(engine) as opened:
        yield opened
    engine.dispose()


@pytest.fixture
def school(session: Session) -> SmallSchool:
    made = make_school(session)
    add_lessons(session, made.id, NOON.astimezone(ZONE).date(), ((8 * 60, 13 * 60),))
    return made


def _hold(session: Session, school: SmallSchool, student: int, at: datetime) -> None:
    tap = session.get_one(Tap, (school.id, add_tap(session, school, student, reason=Refusal.HELD)))
    tap.occurred_at = tap.tapped_at = tap.received_at = at
    tap.reader_id = school.readers[1]
    session.flush()


def _pass(session: Session, school: SmallSchool, student: int, at: datetime) -> None:
    """Through the exit, with the card."""
    tap = session.get_one(Tap, (school.id, add_tap(session, school, student)))
    tap.occurred_at = tap.tapped_at = tap.received_at = at
    tap.reader_id, tap.direction, tap.effect = school.readers[1], Direction.OUT, Effect.DEPARTURE
    assert tap.decision is Decision.ADMITTED
    session.flush()


def test_each_student_once_the_newest_first_with_whom_to_call(
    session: Session, school: SmallSchool
) -> None:
    grant = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=school.homerooms[0])
    create_staff(session, school.id, "t1", "陈老师", grant)
    create_staff(session, school.id, "t2", "已离职", grant)
    gone = session.scalars(select(Staff).where(Staff.login == "t2")).one()
    gone.disabled_at = NOON
    for student, minutes in ((0, 0), (1, 1), (0, 2)):
        _hold(session, school, student, NOON + minutes * MINUTE)
    held = list_held(session, school.id, ZONE, NOON + 3 * MINUTE)
    until = NOON + timedelta(hours=1)
    assert [(one.student_id, one.at, one.until_at, one.teachers, one.gate) for one in held] == [
        (school.students[0], NOON + 2 * MINUTE, until, ["陈老师"], "东门出"),
        (school.students[1], NOON + MINUTE, until, [], "东门出"),
    ]
    assert {one.state for one in held} == {HeldState.WAITING}


def test_what_happened_afterwards_is_how_it_ended(session: Session, school: SmallSchool) -> None:
    for student in range(4):
        _hold(session, school, student, NOON)
    _pass(session, school, 0, NOON + MINUTE)
    for student, ended_at in ((1, None), (2, NOON)):
        session.add(
            HandPassage(
                school_id=school.id,
                student_id=school.students[student],
                at=NOON + MINUTE,
                direction=Direction.OUT,
                reason="家长来接",
                made_by="门卫",
                made_at=NOON,
                ended_at=ended_at,
            )
        )
    session.flush()
    held = list_held(session, school.id, ZONE, NOON + 3 * MINUTE)
    assert {school.students.index(one.student_id): one.state for one in held} == {
        0: HeldState.LEFT,
        1: HeldState.LET_OUT,
        2: HeldState.WAITING,
        3: HeldState.WAITING,
    }


def test_yesterday_and_another_refusal_are_not_held_today(
    session: Session, school: SmallSchool
) -> None:
    midnight = datetime.combine(NOON.astimezone(ZONE).date(), time.min, ZONE)
    _hold(session, school, 0, midnight - MINUTE)
    _hold(session, school, 1, midnight)
    add_tap(session, school, 2, at=NOON, reason=Refusal.LOST)
    held = list_held(session, school.id, ZONE, NOON)
    assert [one.student_id for one in held] == [school.students[1]]
    assert list_held(session, school.id, ZONE, NOON, school.students[0]) == []


def test_after_lessons_nothing_holds_any_more(session: Session, school: SmallSchool) -> None:
    _hold(session, school, 0, NOON)
    [one] = list_held(session, school.id, ZONE, NOON + timedelta(hours=2))
    assert (one.state, one.until_at) == (HeldState.STAYED, None)

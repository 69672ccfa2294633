"""Which exits are held: by plain days, for groups of cards, and by slips, on both databases."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan, SessionPlan
from card_server.leave.exits import (
    NOBODY,
    Exits,
    Group,
    group_cards,
    held_until,
    read_exits,
    windows_of,
)
from card_server.storage.database import open_engine
from schema.messages import CardState, HeldCards, Permit, Window
from schema.tables.calendar import CalendarEntry, DayKind, DayPart, ForWhom, TimetableSession
from schema.tables.cards import Card, CardBinding
from schema.tables.leave import LeaveState
from schema.tables.people import Boarding, Student, StudentStatus
from schema.tables.school import Homeroom
from tests.harness.campus import Campus, make_campus, uid_of
from tests.harness.cards import add_card, bind_card, set_card_state
from tests.harness.lessons import add_lessons, add_slip, hold_exits

ZONE = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 9, 1)
NOON = datetime(2026, 9, 1, 12, 0, tzinfo=ZONE)
MORNING, AFTERNOON = (8 * 60, 12 * 60), (14 * 60, 17 * 60)


def _at(hour: int, minute: int = 0, day: int = 1) -> datetime:
    return datetime(2026, 9, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def _session(
    late_after: int,
    leave_from: int,
    *,
    is_return: bool = False,
    for_whom: ForWhom = ForWhom.EVERYBODY,
) -> SessionPlan:
    times = (0, late_after, 0, leave_from, 0)
    return SessionPlan(1, "", DayPart.MORNING, *times, is_return=is_return, for_whom=for_whom)


@pytest.mark.parametrize(
    ("sessions", "windows"),
    [
        ((), ()),
        (((480, 720),), ((_at(8), _at(12)),)),
        (((840, 1020), (480, 720)), ((_at(8), _at(12)), (_at(14), _at(17)))),
        (((0, 1440),), ((_at(0), _at(0, day=2)),)),
        (((480, 480),), ()),
        (((480, 470),), ()),
    ],
)
def test_an_exit_is_held_from_late_after_until_leave_from(
    sessions: tuple[tuple[int, int], ...], windows: tuple[tuple[datetime, datetime], ...]
) -> None:
    plan = DayPlan(DayKind.LESSONS, tuple(_session(*one) for one in sessions))
    assert windows_of(plan, DAY, ZONE) == tuple(Window(*one) for one in windows)


def test_when_boarders_come_back_for_the_week_nobody_is_held() -> None:
    plan = DayPlan(DayKind.LESSONS, (_session(480, 720, is_return=True),))
    assert windows_of(plan, DAY, ZONE) == windows_of(plan, DAY, ZONE, boards=True) == ()


@pytest.mark.parametrize(
    ("for_whom", "boards", "is_held"),
    [
        (ForWhom.EVERYBODY, False, True),
        (ForWhom.EVERYBODY, True, True),
        (ForWhom.BOARDERS, False, False),
        (ForWhom.BOARDERS, True, True),
        (ForWhom.DAY_STUDENTS, False, True),
        (ForWhom.DAY_STUDENTS, True, False),
    ],
)
def test_a_session_holds_only_those_for_whom_it_is(
    for_whom: ForWhom, boards: bool, is_held: bool
) -> None:
    plan = DayPlan(DayKind.LESSONS, (_session(480, 720, for_whom=for_whom),))
    held = (Window(_at(8), _at(12)),) if is_held else ()
    assert windows_of(plan, DAY, ZONE, boards=boards) == held


_windows = st.sampled_from(
    [(), (Window(_at(8), _at(12)),), (Window(_at(8), _at(12)), Window(_at(14), _at(17)))]
)


@given(st.dictionaries(st.integers(1, 50).map(uid_of), _windows, max_size=50))
def test_each_card_has_the_windows_that_it_was_given(
    windows: dict[str, tuple[Window, ...]],
) -> None:
    exits = group_cards(windows)
    named = {uid: tuple(group.windows) for group in exits.held for uid in group.cards}
    assert {uid: named.get(uid, exits.others) for uid in windows} == windows
    assert len({tuple(group.windows) for group in exits.held} | {exits.others}) <= 3


def test_when_nobody_is_held_there_is_nothing_to_say() -> None:
    assert group_cards({}) is NOBODY
    assert group_cards({uid_of(1): (), uid_of(2): ()}) is NOBODY


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine: Engine = open_engine(database_url)
    with Session(engine) as opened:
        yield opened
    engine.dispose()


@pytest.fixture
def campus(session: Session) -> Campus:
    made = make_campus(session, students=5)
    hold_exits(session, made.school_id, DAY)
    add_lessons(session, made.school_id, DAY, (MORNING, AFTERNOON))
    return made


def _exits(session: Session, campus: Campus) -> Exits:
    return read_exits(session, campus.school_id, ZONE, NOON)


def test_the_windows_are_of_today_and_of_tomorrow(session: Session, campus: Campus) -> None:
    assert _exits(session, campus) == Exits(
        (
            Window(_at(8), _at(12)),
            Window(_at(14), _at(17)),
            Window(_at(8, day=2), _at(12, day=2)),
            Window(_at(14, day=2), _at(17, day=2)),
        )
    )


def test_a_grade_of_its_own_hours_is_a_group_of_its_own(session: Session, campus: Campus) -> None:
    room = Homeroom(school_id=campus.school_id, grade=9, name="九(1)班")
    session.add(room)
    session.flush()
    session.execute(update(Student).where(Student.id.in_([2, 4])).values(homeroom_id=room.id))
    add_lessons(session, campus.school_id, DAY, (MORNING,), grades="9")
    assert _exits(session, campus).held == (
        HeldCards(
            [Window(_at(8), _at(12)), Window(_at(8, day=2), _at(12, day=2))],
            [uid_of(2), uid_of(4)],
        ),
    )


def test_a_card_that_is_no_students_of_the_school_is_never_held(
    session: Session, campus: Campus
) -> None:
    add_card(session, campus.school_id, "04AA00000000E1", NOON)
    session.execute(update(Student).where(Student.id == 3).values(status=StudentStatus.GRADUATED))
    assert _exits(session, campus).held == (HeldCards([], [uid_of(3), "04AA00000000E1"]),)


def test_a_lost_card_is_the_card_lists_business(session: Session, campus: Campus) -> None:
    set_card_state(session, session.get_one(Card, 2), CardState.LOST, NOON)
    add_slip(session, campus.school_id, 2, _at(9), _at(10))
    assert (_exits(session, campus).held, _exits(session, campus).permits) == ((), ())


def test_on_closed_days_nobody_is_held(session: Session, campus: Campus) -> None:
    add_slip(session, campus.school_id, 1, _at(9), _at(10))
    session.execute(update(CalendarEntry).values(kind=DayKind.CLOSED))
    assert _exits(session, campus) is NOBODY


def test_an_approved_slip_that_lets_out_is_a_permit_for_each_card(
    session: Session, campus: Campus
) -> None:
    second = add_card(session, campus.school_id, "04AA00000000E1", NOON)
    session.flush()
    bind_card(session, second, 1, NOON - timedelta(days=1))
    add_slip(session, campus.school_id, 1, _at(9), _at(10))
    assert _exits(session, campus).permits == (
        Permit(uid_of(1), _at(9), _at(10)),
        Permit("04AA00000000E1", _at(9), _at(10)),
    )


@pytest.mark.parametrize(
    ("state", "lets_out", "from_at", "until_at"),
    [
        (LeaveState.ASKED, True, _at(9), _at(10)),
        (LeaveState.FIRST_APPROVED, True, _at(9), _at(10)),
        (LeaveState.REFUSED, True, _at(9), _at(10)),
        (LeaveState.WITHDRAWN, True, _at(9), _at(10)),
        (LeaveState.APPROVED, False, _at(9), _at(10)),
        (LeaveState.APPROVED, True, _at(9, day=3), _at(10, day=3)),
        (LeaveState.APPROVED, True, _at(0) - timedelta(hours=2), _at(0)),
    ],
)
def test_any_other_slip_is_no_permit(
    session: Session,
    campus: Campus,
    state: LeaveState,
    lets_out: bool,
    from_at: datetime,
    until_at: datetime,
) -> None:
    add_slip(session, campus.school_id, 1, from_at, until_at, state, lets_out=lets_out)
    assert _exits(session, campus).permits == ()


def test_a_card_that_was_given_to_another_student_takes_no_permit_with_it(
    session: Session, campus: Campus
) -> None:
    add_slip(session, campus.school_id, 1, _at(9), _at(10))
    binding = session.scalars(select(CardBinding).where(CardBinding.student_id == 1)).one()
    binding.unbound_at = NOON - timedelta(hours=1)
    session.flush()
    bind_card(session, session.get_one(Card, 1), 2, NOON - timedelta(hours=1))
    assert _exits(session, campus).permits == ()


@pytest.mark.parametrize(
    ("moment", "until"), [(_at(9), _at(12)), (_at(12), None), (_at(16, 59), _at(17))]
)
def test_the_guard_is_told_until_when(
    session: Session, campus: Campus, moment: datetime, until: datetime | None
) -> None:
    group = Group(session.get_one(Student, 1).homeroom_id, boards=False)
    found = held_until(session, campus.school_id, ZONE, moment, [group])
    assert found.get(group) == until


def test_evening_study_holds_boarders_and_lets_day_students_of_the_homeroom_go(
    session: Session, campus: Campus
) -> None:
    for one in session.scalars(select(TimetableSession).where(TimetableSession.position == 2)):
        one.for_whom = ForWhom.BOARDERS
    for student, until_on in ((2, None), (3, DAY)):
        session.add(
            Boarding(
                school_id=campus.school_id,
                student_id=student,
                from_on=date(2026, 8, 31),
                until_on=until_on,
            )
        )
    session.flush()
    exits = _exits(session, campus)
    mornings = (Window(_at(8), _at(12)), Window(_at(8, day=2), _at(12, day=2)))
    assert exits.others == mornings
    [held] = exits.held
    assert (held.cards, len(held.windows)) == ([uid_of(2)], 4)
    day, boarder = (
        Group(session.get_one(Student, 1).homeroom_id, boards=one) for one in (False, True)
    )
    found = held_until(session, campus.school_id, ZONE, _at(15), [day, boarder])
    assert found == {boarder: _at(17)}

"""A student's homeroom on any day is what the history says, however they moved and left."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.errors import AppError
from card_server.field_errors import FieldsError
from card_server.people.boarding import (
    BoardingNow,
    boarding_on,
    list_boardings,
    set_boarding,
)
from card_server.people.boarding_days import boards_on
from card_server.people.moved_days import move_days
from card_server.people.stays import homeroom_on, list_stays, move_student
from card_server.people.student_status import StatusChange, change_status
from schema.messages import CardState
from schema.tables.attendance import Attendance, HomeroomDay, Presence
from schema.tables.cards import Card, CardBinding
from schema.tables.people import HomeroomStay, Student, StudentStatus
from schema.tables.school import Homeroom
from tests.card_server.people.people_school import BEGUN, NOW, TODAY, ZONE, PeopleSchool, enrol


def _move(people: Session, campus: PeopleSchool, student: Student, room: int, on: date) -> bool:
    homeroom = campus.homerooms[room]
    now = max(NOW, datetime(on.year, on.month, on.day, 4, tzinfo=UTC))
    return move_student(people, SYSTEM, campus.id, student.id, homeroom, on, now, ZONE)


def _become(
    people: Session,
    campus: PeopleSchool,
    student: Student,
    status: StudentStatus,
    on: date,
    room: int | None = None,
) -> bool:
    homeroom = None if room is None else campus.homerooms[room]
    now = max(NOW, datetime(on.year, on.month, on.day, 4, tzinfo=UTC))
    wanted = StatusChange(status, on, "测试", homeroom)
    return change_status(people, SYSTEM, campus.id, student.id, wanted, now, ZONE)


def test_a_move_closes_one_stay_and_opens_the_next(people: Session, campus: PeopleSchool) -> None:
    student, moved = enrol(people, campus), date(2026, 10, 12)
    assert _move(people, campus, student, 1, moved)
    assert not _move(people, campus, student, 1, moved)
    stays = list_stays(people, campus.id, student.id)
    assert [(one.homeroom, one.from_on, one.until_on) for one in stays] == [
        ("初一(2)班", moved, None),
        ("初一(1)班", BEGUN, moved),
    ]
    assert student.homeroom_id == campus.homerooms[1]
    for day, room in ((BEGUN, 0), (moved - timedelta(days=1), 0), (moved, 1), (TODAY, 1)):
        assert homeroom_on(people, campus.id, student.id, day) == campus.homerooms[room]
    assert homeroom_on(people, campus.id, student.id, BEGUN - timedelta(days=1)) is None


def test_there_and_back_on_one_day_leaves_one_stay(people: Session, campus: PeopleSchool) -> None:
    student = enrol(people, campus)
    _move(people, campus, student, 1, TODAY)
    _move(people, campus, student, 0, TODAY)
    [stay] = list_stays(people, campus.id, student.id)
    assert (stay.homeroom, stay.from_on, stay.until_on) == ("初一(1)班", BEGUN, None)


def test_who_has_no_history_yet_gets_one_with_the_first_move(
    people: Session, campus: PeopleSchool
) -> None:
    student = Student(school_id=campus.id, number="1", name="旧", homeroom_id=campus.homerooms[0])
    people.add(student)
    people.flush()
    _move(people, campus, student, 1, TODAY)
    found = [(one.homeroom, one.from_on) for one in list_stays(people, campus.id, student.id)]
    assert found == [("初一(2)班", TODAY), ("初一(1)班", BEGUN)]


@pytest.mark.parametrize(
    ("on", "said"),
    [(TODAY + timedelta(days=1), "not come yet"), (BEGUN - timedelta(days=1), "after this day")],
)
def test_a_move_is_not_in_the_future_nor_before_the_stay(
    people: Session, campus: PeopleSchool, on: date, said: str
) -> None:
    student = enrol(people, campus)
    with pytest.raises(FieldsError, match=said):
        move_student(people, SYSTEM, campus.id, student.id, campus.homerooms[1], on, NOW, ZONE)


def test_a_homeroom_of_a_year_that_is_over_takes_nobody(
    people: Session, campus: PeopleSchool
) -> None:
    student = enrol(people, campus)
    people.get_one(Homeroom, campus.homerooms[1]).is_past = True
    with pytest.raises(FieldsError, match="is over"):
        _move(people, campus, student, 1, TODAY)


def test_the_days_since_a_move_count_for_the_new_homeroom(
    people: Session, campus: PeopleSchool
) -> None:
    student = enrol(people, campus)
    old, new = campus.homerooms[:2]
    yesterday = TODAY - timedelta(days=1)
    for day in (yesterday, TODAY):
        arrived = datetime(day.year, day.month, day.day, 0, 30, tzinfo=UTC)
        people.add(
            Attendance(
                school_id=campus.id,
                student_id=student.id,
                day=day,
                homeroom_id=old,
                arrived_at=arrived,
                late_minutes=30,
            )
        )
        people.add(
            HomeroomDay(school_id=campus.id, homeroom_id=old, day=day, arrived=5, late=2, inside=0)
        )
    people.get_one(HomeroomDay, (campus.id, old, TODAY)).inside = 5
    people.add(
        Presence(
            school_id=campus.id,
            student_id=student.id,
            homeroom_id=old,
            is_inside=True,
            since_at=datetime(2026, 11, 23, 0, 30, tzinfo=UTC),
            reader_id=1,
        )
    )
    people.flush()
    move_days(people, campus.id, {student.id: new}, TODAY, ZONE)
    people.expire_all()
    assert _counts(people, campus, old) == {yesterday: (5, 2, 0), TODAY: (4, 1, 4)}
    assert _counts(people, campus, new) == {TODAY: (1, 1, 1)}
    rooms = {one.day: one.homeroom_id for one in people.scalars(select(Attendance))}
    assert rooms == {yesterday: old, TODAY: new}
    assert people.get_one(Presence, (campus.id, student.id)).homeroom_id == new


def _counts(people: Session, campus: PeopleSchool, room: int) -> dict[date, tuple[int, int, int]]:
    found = people.scalars(select(HomeroomDay).where(HomeroomDay.homeroom_id == room))
    return {one.day: (one.arrived, one.late, one.inside) for one in found}


def test_who_transfers_has_no_homeroom_no_bed_and_no_card(
    people: Session, campus: PeopleSchool
) -> None:
    student, left = enrol(people, campus), date(2026, 11, 2)
    set_boarding(people, SYSTEM, campus.id, student.id, True, BEGUN, NOW, ZONE)
    card = Card(school_id=campus.id, uid="04A1B2C3D4E5F6", state_since=NOW - timedelta(days=9))
    people.add(card)
    people.flush()
    people.add(
        CardBinding(
            school_id=campus.id, card_id=card.id, student_id=student.id, bound_at=card.state_since
        )
    )
    people.flush()
    assert _become(people, campus, student, StudentStatus.TRANSFERRED, left)
    assert (student.status, student.status_since) == (StudentStatus.TRANSFERRED, left)
    assert homeroom_on(people, campus.id, student.id, left) is None
    assert homeroom_on(people, campus.id, student.id, left - timedelta(days=1))
    assert [one.until_on for one in list_boardings(people, campus.id, student.id)] == [left]
    people.refresh(card)
    assert card.state is not CardState.ACTIVE
    with pytest.raises(AppError, match="enrolled"):
        _move(people, campus, student, 1, TODAY)
    with pytest.raises(AppError, match="not enrolled"):
        set_boarding(people, SYSTEM, campus.id, student.id, True, TODAY, NOW, ZONE)


def test_who_comes_back_chooses_a_homeroom_where_the_old_one_is_over(
    people: Session, campus: PeopleSchool
) -> None:
    student, back = enrol(people, campus), date(2026, 11, 9)
    _become(people, campus, student, StudentStatus.SUSPENDED, date(2026, 10, 1))
    assert homeroom_on(people, campus.id, student.id, back) == campus.homerooms[0]
    people.get_one(Homeroom, campus.homerooms[0]).is_past = True
    people.flush()
    with pytest.raises(FieldsError, match="Choose the homeroom"):
        _become(people, campus, student, StudentStatus.ENROLLED, back)
    assert _become(people, campus, student, StudentStatus.ENROLLED, back, 1)
    assert homeroom_on(people, campus.id, student.id, back) == campus.homerooms[1]
    with pytest.raises(FieldsError, match="present status began"):
        _become(people, campus, student, StudentStatus.SUSPENDED, date(2026, 10, 1))


def test_who_has_left_cannot_be_suspended(people: Session, campus: PeopleSchool) -> None:
    student = enrol(people, campus)
    _become(people, campus, student, StudentStatus.TRANSFERRED, TODAY)
    with pytest.raises(FieldsError, match="cannot be suspended"):
        _become(people, campus, student, StudentStatus.SUSPENDED, TODAY)


def test_boarding_begins_and_ends(people: Session, campus: PeopleSchool) -> None:
    student = enrol(people, campus)

    def board(is_boarding: bool, on: date) -> bool:
        return set_boarding(people, SYSTEM, campus.id, student.id, is_boarding, on, NOW, ZONE)

    assert not board(False, TODAY)
    assert board(True, BEGUN)
    assert not board(True, TODAY)
    assert board(False, date(2026, 10, 1))
    with pytest.raises(FieldsError, match="already"):
        board(True, date(2026, 9, 15))
    assert board(True, date(2026, 11, 1))
    assert board(False, date(2026, 11, 1))
    times = [(one.from_on, one.until_on) for one in list_boardings(people, campus.id, student.id)]
    assert times == [(BEGUN, date(2026, 10, 1))]


_JULY, _SEPTEMBER = date(2027, 7, 10), date(2027, 9, 1)
_BOARDING = [
    ("it begins on a coming day", "+2027-09-01", [("2027-09-01", None)]),
    ("and then on another one", "+2027-09-01 +2027-08-25", [("2027-08-25", None)]),
    ("said twice", "+2027-09-01 =+2027-09-01", [("2027-09-01", None)]),
    ("or earlier, from today on", "+2027-09-01 +2026-11-23", [("2026-11-23", None)]),
    ("or never", "+2027-09-01 -2027-09-01", []),
    ("never, said of today", "+2027-09-01 -2026-11-23", []),
    ("it has an end before it begins", "+2027-09-01 -2027-11-01", [("2027-09-01", "2027-11-01")]),
    ("it ends on a coming day", "+2026-09-01 -2027-07-10", [("2026-09-01", "2027-07-10")]),
    ("said twice", "+2026-09-01 -2027-07-10 =-2027-07-10", [("2026-09-01", "2027-07-10")]),
    ("then later", "+2026-09-01 -2027-07-10 -2027-07-17", [("2026-09-01", "2027-07-17")]),
    ("then today", "+2026-09-01 -2027-07-10 -2026-11-23", [("2026-09-01", "2026-11-23")]),
    ("then not at all", "+2026-09-01 -2027-07-10 +2026-11-23", [("2026-09-01", None)]),
    ("the end goes on", "+2026-09-01 -2027-07-10 +2027-07-10", [("2026-09-01", None)]),
    ("an end and a begin", "+2026-09-01 -2027-07-10 +2027-09-01",
     [("2027-09-01", None), ("2026-09-01", "2027-07-10")]),
    ("the begin is called off, the end stands",
     "+2026-09-01 -2027-07-10 +2027-09-01 -2027-09-01", [("2026-09-01", "2027-07-10")]),
    ("all is called off",
     "+2026-09-01 -2027-07-10 +2027-09-01 -2027-06-30", [("2026-09-01", "2027-06-30")]),
    ("a time that is over stays so", "+2026-09-01 -2026-10-01 =-2027-07-10",
     [("2026-09-01", "2026-10-01")]),
    ("a time that is over comes again", "+2026-09-01 -2026-10-01 +2027-09-01",
     [("2027-09-01", None), ("2026-09-01", "2026-10-01")]),
]  # fmt: skip
"""What is said, with + for boarding and = for what changes nothing; what is kept then."""


@pytest.mark.parametrize(
    ("said", "kept"), [one[1:] for one in _BOARDING], ids=[one[0] for one in _BOARDING]
)
def test_boarding_may_begin_and_end_on_a_coming_day(
    people: Session, campus: PeopleSchool, said: str, kept: list[tuple[str, str | None]]
) -> None:
    student = enrol(people, campus)
    for step in said.split():
        wanted = "+" in step, date.fromisoformat(step.lstrip("=+-"))
        done = set_boarding(people, SYSTEM, campus.id, student.id, *wanted, NOW, ZONE)
        assert done is ("=" not in step), step
    people.expire_all()
    times = list_boardings(people, campus.id, student.id)
    assert [
        (one.from_on.isoformat(), one.until_on and one.until_on.isoformat()) for one in times
    ] == kept


def test_boarding_is_told_at_most_a_year_ahead(people: Session, campus: PeopleSchool) -> None:
    student = enrol(people, campus)
    too_far = TODAY + timedelta(days=367)
    with pytest.raises(FieldsError, match="a year ahead"):
        set_boarding(people, SYSTEM, campus.id, student.id, True, too_far, NOW, ZONE)
    set_boarding(
        people, SYSTEM, campus.id, student.id, True, too_far - timedelta(days=1), NOW, ZONE
    )


@pytest.mark.parametrize(
    ("day", "since", "until", "begins_on"),
    [
        (date(2026, 8, 31), None, None, BEGUN),
        (BEGUN, BEGUN, _JULY, _SEPTEMBER),
        (_JULY - timedelta(days=1), BEGUN, _JULY, _SEPTEMBER),
        (_JULY, None, None, _SEPTEMBER),
        (_SEPTEMBER, _SEPTEMBER, None, None),
    ],
)
def test_a_day_says_who_boards_and_what_is_to_change(
    people: Session,
    campus: PeopleSchool,
    day: date,
    since: date | None,
    until: date | None,
    begins_on: date | None,
) -> None:
    student, other = enrol(people, campus), enrol(people, campus, "20260102")
    for wanted in ((True, BEGUN), (False, _JULY), (True, _SEPTEMBER)):
        set_boarding(people, SYSTEM, campus.id, student.id, *wanted, NOW, ZONE)
    times = list_boardings(people, campus.id, student.id)
    assert boarding_on(times, day) == BoardingNow(since, until, begins_on)
    boarders = people.scalars(select(Student.id).where(boards_on(day))).all()
    assert boarders == ([student.id] if since else [])
    assert other.id not in boarders


@pytest.mark.parametrize("status", [StudentStatus.SUSPENDED, StudentStatus.GRADUATED])
def test_who_leaves_does_not_board_on_a_coming_day(
    people: Session, campus: PeopleSchool, status: StudentStatus
) -> None:
    student = enrol(people, campus)
    for wanted in ((True, BEGUN), (False, _JULY), (True, _SEPTEMBER)):
        set_boarding(people, SYSTEM, campus.id, student.id, *wanted, NOW, ZONE)
    _become(people, campus, student, status, TODAY)
    times = list_boardings(people, campus.id, student.id)
    assert [(one.from_on, one.until_on) for one in times] == [(BEGUN, TODAY)]


_STEPS = st.lists(
    st.tuples(
        st.integers(0, 20),
        st.sampled_from(["move 0", "move 1", *StudentStatus]),
    ),
    max_size=12,
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(_STEPS)
def test_any_sequence_of_moves_leaves_the_history_that_was_lived(
    people: Session, campus: PeopleSchool, steps: list[tuple[int, str]]
) -> None:
    """A model keeps the homeroom of each day; stays must say the same of every day."""
    with people.begin_nested() as savepoint:
        student = enrol(people, campus)
        day, lived = BEGUN, {}
        for days, step in steps:
            for _ in range(days):
                lived[day] = _home(student)
                day += timedelta(days=1)
            _try(people, campus, student, step, day)
        lived[day] = _home(student)
        for one, room in lived.items():
            assert homeroom_on(people, campus.id, student.id, one) == room, (one, steps)
        open_stays = people.scalars(
            select(HomeroomStay).where(
                HomeroomStay.student_id == student.id, HomeroomStay.until_on.is_(None)
            )
        ).all()
        assert len(open_stays) == (_home(student) is not None)
        savepoint.rollback()
    people.expire_all()


def _home(student: Student) -> int | None:
    is_away = student.status in (StudentStatus.TRANSFERRED, StudentStatus.GRADUATED)
    return None if is_away else student.homeroom_id


def _try(people: Session, campus: PeopleSchool, student: Student, step: str, on: date) -> None:
    if step.startswith("move"):
        if student.status is StudentStatus.ENROLLED:
            _move(people, campus, student, int(step[-1]), on)
    elif step != StudentStatus.SUSPENDED or _home(student) is not None:
        _become(people, campus, student, StudentStatus(step), on, 1)

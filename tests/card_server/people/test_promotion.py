"""Promotion: the whole school one year on, as the preview said, and the past as it was."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.errors import AppError, Code
from card_server.people.boarding import BoardingTime, list_boardings, set_boarding
from card_server.people.promotion import Promoted, promote, read_facts
from card_server.people.promotion_plan import (
    Choice,
    PromotionFacts,
    PromotionPlan,
    RoomFacts,
    make_plan,
    propose,
)
from card_server.people.stays import homeroom_on, list_stays, move_student
from card_server.people.student_status import StatusChange, change_status
from card_server.register.homerooms import list_homerooms, list_past_homerooms
from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant
from schema.messages import CardState
from schema.tables.cards import Card, CardBinding
from schema.tables.people import Student, StudentStatus
from schema.tables.school import Homeroom, Term
from schema.tables.staff import Role, Scope, StaffGrant
from tests.card_server.people.people_school import (
    BEGUN,
    NOW,
    TODAY,
    ZONE,
    PeopleSchool,
    enrol,
    make_people_school,
)

SUMMER = datetime(2027, 8, 20, 2, 0, tzinfo=UTC)
NEXT_SUMMER = datetime(2028, 8, 20, 2, 0, tzinfo=UTC)
_DAY = date(2027, 8, 20)


def _promote(
    people: Session,
    campus: PeopleSchool,
    now: datetime = SUMMER,
    choices: Mapping[int, Choice] | None = None,
) -> Promoted:
    facts = read_facts(people, campus.id, now.date())
    seen = make_plan(facts, choices or {}, now.date()).seen
    return promote(people, SYSTEM, campus.id, choices or {}, seen, now, ZONE)


def _rooms(people: Session, campus: PeopleSchool) -> dict[str, int]:
    return {one.name: one.students for one in list_homerooms(people, campus.id)}


def test_homerooms_go_up_and_the_last_grade_graduates(
    people: Session, campus: PeopleSchool
) -> None:
    first, last = enrol(people, campus), enrol(people, campus, "20240101", room=2)
    done = _promote(people, campus)
    assert done == Promoted(2027, 2, 1, 1)
    assert _rooms(people, campus) == {"初二(1)班": 1, "初二(2)班": 0}
    assert [one.grade for one in list_homerooms(people, campus.id)] == [8, 8]
    past = [(one.school_year, one.name) for one in list_past_homerooms(people, campus.id)]
    assert past == [(2026, "初一(1)班"), (2026, "初一(2)班"), (2026, "初三(1)班")]
    assert (last.status, last.status_since) == (StudentStatus.GRADUATED, _DAY)
    assert last.homeroom_id == campus.homerooms[2], "the homeroom that they were of last"
    stays = list_stays(people, campus.id, first.id)
    assert [(one.homeroom, one.from_on, one.until_on) for one in stays] == [
        ("初二(1)班", _DAY, None),
        ("初一(1)班", BEGUN, _DAY),
    ]
    assert homeroom_on(people, campus.id, last.id, _DAY) is None


def test_twice_in_two_years_keeps_each_years_homeroom(
    people: Session, campus: PeopleSchool
) -> None:
    student = enrol(people, campus)
    _promote(people, campus)
    second = _promote(people, campus, NEXT_SUMMER, {})
    assert second == Promoted(2028, 0, 0, 1), "grade 8 is the highest now and graduates"
    names = [one.homeroom for one in list_stays(people, campus.id, student.id)]
    assert names == ["初二(1)班", "初一(1)班"]


def test_twice_in_one_summer_is_refused(people: Session, campus: PeopleSchool) -> None:
    enrol(people, campus)
    _promote(people, campus)
    with pytest.raises(AppError, match="too early"):
        _promote(people, campus)
    with pytest.raises(AppError, match="too early"):
        _promote(people, make_people_school(people, "no2"), NOW)


def test_what_was_not_seen_is_not_done(people: Session, campus: PeopleSchool) -> None:
    seen = make_plan(read_facts(people, campus.id, _DAY), {}, _DAY).seen
    other = {campus.homerooms[0]: Choice(False, "初二(9)班")}
    with pytest.raises(AppError, match="not what the preview showed"):
        promote(people, SYSTEM, campus.id, other, seen, SUMMER, ZONE)
    enrol(people, campus)
    with pytest.raises(AppError) as caught:
        promote(people, SYSTEM, campus.id, {}, seen, SUMMER, ZONE)
    assert caught.value.code is Code.CONFLICT
    assert _rooms(people, campus)["初一(1)班"] == 1


def test_staff_correct_the_proposal(people: Session, campus: PeopleSchool) -> None:
    stays_on, leaves = enrol(people, campus, room=2), enrol(people, campus, "20260102")
    first, second, last = campus.homerooms
    choices = {
        first: Choice(True, ""),
        second: Choice(False, "二班"),
        last: Choice(False, "高一(1)班"),
    }
    _promote(people, campus, choices=choices)
    people.refresh(stays_on)
    people.refresh(leaves)
    assert _rooms(people, campus) == {"二班": 0, "高一(1)班": 1}
    assert leaves.status is StudentStatus.GRADUATED
    assert people.get_one(Homeroom, stays_on.homeroom_id).grade == 10


def test_two_homerooms_cannot_become_one_by_mistake(people: Session, campus: PeopleSchool) -> None:
    choices = {room: Choice(False, "初二班") for room in campus.homerooms[:2]}
    facts = read_facts(people, campus.id, _DAY)
    plan = make_plan(facts, choices, _DAY)
    assert set(plan.problems) == {f"name-{campus.homerooms[1]}"}
    with pytest.raises(AppError, match="same name"):
        promote(people, SYSTEM, campus.id, choices, plan.seen, SUMMER, ZONE)


def test_a_homeroom_that_the_next_year_has_already_is_joined(
    people: Session, campus: PeopleSchool
) -> None:
    room = Homeroom(school_id=campus.id, school_year=2027, grade=8, name="初二(1)班")
    people.add(room)
    student = enrol(people, campus)
    _promote(people, campus)
    people.refresh(student)
    assert student.homeroom_id == room.id


def test_suspended_students_are_left_behind_and_named(
    people: Session, campus: PeopleSchool
) -> None:
    student = enrol(people, campus)
    away = StatusChange(StudentStatus.SUSPENDED, date(2026, 10, 1))
    change_status(people, SYSTEM, campus.id, student.id, away, NOW, ZONE)
    [left] = read_facts(people, campus.id, _DAY).left_behind
    assert (left.name, left.homeroom) == ("张三", "初一(1)班")
    _promote(people, campus)
    people.refresh(student)
    assert student.homeroom_id == campus.homerooms[0]
    assert homeroom_on(people, campus.id, student.id, _DAY) is None
    back = StatusChange(StudentStatus.ENROLLED, _DAY, "", list_homerooms(people, campus.id)[0].id)
    change_status(people, SYSTEM, campus.id, student.id, back, SUMMER, ZONE)
    assert homeroom_on(people, campus.id, student.id, _DAY) == student.homeroom_id


def test_teachers_go_on_with_their_homeroom(people: Session, campus: PeopleSchool) -> None:
    first, _second, last = campus.homerooms
    for login, room in (("li", first), ("wu", last)):
        grant = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=room)
        create_staff(people, campus.id, login, login, grant)
    teachers = {one.id: one.teachers for one in read_facts(people, campus.id, _DAY).rooms}
    assert teachers[first] == ("li",)
    _promote(people, campus)
    grants = people.scalars(select(StaffGrant)).all()
    rooms = {one.name: one.id for one in list_homerooms(people, campus.id)}
    assert [one.homeroom_id for one in grants] == [rooms["初二(1)班"]]


def test_a_graduates_card_ends(people: Session, campus: PeopleSchool) -> None:
    student = enrol(people, campus, room=2)
    card = Card(school_id=campus.id, uid="04A1B2C3D4E5F6", state_since=NOW)
    people.add(card)
    people.flush()
    people.add(
        CardBinding(school_id=campus.id, card_id=card.id, student_id=student.id, bound_at=NOW)
    )
    people.flush()
    _promote(people, campus)
    people.refresh(card)
    assert card.state is not CardState.ACTIVE


def test_a_graduates_boarding_ends_and_does_not_begin_again(
    people: Session, campus: PeopleSchool
) -> None:
    student = enrol(people, campus, room=2)
    today = SUMMER.date()
    for is_boarding, on in (
        (True, BEGUN),
        (False, today + timedelta(days=9)),
        (True, today + timedelta(days=60)),
    ):
        set_boarding(people, SYSTEM, campus.id, student.id, is_boarding, on, SUMMER, ZONE)
    _promote(people, campus)
    people.expire_all()
    assert list_boardings(people, campus.id, student.id) == [BoardingTime(BEGUN, today)]


def test_a_school_beside_stays_as_it_is(people: Session, campus: PeopleSchool) -> None:
    other = make_people_school(people, "no2")
    student = enrol(people, other)
    _promote(people, campus)
    people.refresh(student)
    assert student.homeroom_id == other.homerooms[0]
    assert len(list_homerooms(people, other.id)) == 3


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.sampled_from([0, 1]), st.integers(0, 120)), max_size=6))
def test_moves_and_promotion_leave_the_history_that_was_lived(
    people: Session, campus: PeopleSchool, moves: list[tuple[int, int]]
) -> None:
    with people.begin_nested() as savepoint:
        student, day, lived = enrol(people, campus), BEGUN, {}
        for room, days in moves:
            lived[day] = student.homeroom_id
            day = min(day + timedelta(days=days), _DAY)
            homeroom = campus.homerooms[room]
            noon = datetime.combine(day, time(4), UTC)
            move_student(people, SYSTEM, campus.id, student.id, homeroom, day, noon, ZONE)
            lived[day] = student.homeroom_id
        if day < _DAY:
            lived[_DAY - timedelta(days=1)] = student.homeroom_id
        _promote(people, campus)
        people.refresh(student)
        lived[_DAY] = student.homeroom_id
        for one, home in lived.items():
            assert homeroom_on(people, campus.id, student.id, one) == home, (one, moves)
        savepoint.rollback()
    people.expire_all()


def _facts(*rooms: tuple[str, int]) -> PromotionFacts:
    return PromotionFacts(
        2026,
        tuple(
            RoomFacts(at, name, grade, None, (), ()) for at, (name, grade) in enumerate(rooms, 1)
        ),
        (),
        {},
    )


@pytest.mark.parametrize(
    ("rooms", "graduating"),
    [
        ([("一年级1班", 1), ("六年级1班", 6)], {6}),
        ([("一年级1班", 1), ("五年级1班", 5)], {5}),
        ([("六年级1班", 6), ("七年级1班", 7), ("九年级1班", 9)], {9}),
        ([("初三(1)班", 9), ("高一(1)班", 10), ("高三(1)班", 12)], {9, 12}),
        ([], set()),
    ],
    ids=["primary", "five years", "nine years", "secondary", "none"],
)
def test_who_graduates_is_proposed(rooms: list[tuple[str, int]], graduating: set[int]) -> None:
    facts = _facts(*rooms)
    proposed = propose(facts)
    assert {one.grade for one in facts.rooms if proposed[one.id].graduates} == graduating


def test_the_year_begins_three_months_before_its_first_term() -> None:
    term = Term(school_id=1, school_year=2027, name="x", starts_on=date(2027, 3, 1), ends_on=TODAY)
    early = PromotionFacts(2026, _facts(("一年级1班", 1)).rooms, (), {}, [term])
    assert early.earliest == date(2026, 11, 29)
    assert _plan(early, date(2026, 11, 28)).problems
    assert not _plan(early, date(2026, 11, 29)).problems


def _plan(facts: PromotionFacts, day: date) -> PromotionPlan:
    return make_plan(facts, {}, day)


def test_without_homerooms_there_is_nothing_to_do(people: Session, campus: PeopleSchool) -> None:
    for room in people.scalars(select(Homeroom)):
        room.is_past = True
    people.flush()
    with pytest.raises(AppError, match="no homerooms"):
        _promote(people, campus)
    assert people.scalars(select(Student)).all() == []

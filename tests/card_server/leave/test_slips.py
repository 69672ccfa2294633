"""Leave slips: who may decide what, what overlaps, what is kept, and what becomes of the days."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from card_server.audit.details import open_text, read_detail
from card_server.audit.writing import SYSTEM, write_waiting
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.leave import slips
from card_server.leave.lists import Group, count_slips, list_slips, slips_of_student
from card_server.leave.reading import leaves_of
from card_server.people.student_status import StatusChange, change_status
from card_server.seen import fingerprint
from schema.tables.attendance import Attendance, AttendanceRules
from schema.tables.audit import AuditDetail, AuditEntry
from schema.tables.calendar import ForWhom, TimetableSession
from schema.tables.leave import LeaveKind, LeaveState
from schema.tables.people import Boarding, Student, StudentStatus
from schema.tables.school import School
from tests.card_server.leave.leave_school import (
    MONDAY,
    NOW,
    ask,
    by_school,
    by_teacher,
    set_hours,
    wish,
)
from tests.card_server.people.conftest import campus, people, people_engine
from tests.card_server.people.people_school import SEAL, ZONE, PeopleSchool, enrol

__all__ = ["campus", "people", "people_engine"]
DAY = timedelta(days=1)


@pytest.fixture
def pupil(people: Session, campus: PeopleSchool) -> Student:
    set_hours(people, campus.id)
    return enrol(people, campus)


def test_a_short_slip_is_approved_by_the_homeroom_teacher(people: Session, pupil: Student) -> None:
    slip = ask(people, pupil.school_id, pupil.id)
    assert slip.state is LeaveState.ASKED
    assert not slip.needs_school
    assert SEAL.open(slip.reason_sealed) == "发烧"
    decided = slips.approve(people, by_teacher(pupil.school_id), slip.id)
    assert decided.state is LeaveState.APPROVED
    assert (slip.asked_by, slip.decided_by, slip.decided_at) == ("班老师", "班老师", NOW)


def test_a_slip_over_three_school_days_waits_for_the_school_too(
    people: Session, pupil: Student
) -> None:
    slip = ask(people, pupil.school_id, pupil.id, until_on="2026-11-26")
    assert slip.needs_school
    agreed = slips.approve(people, by_teacher(pupil.school_id), slip.id)
    assert agreed.state is LeaveState.FIRST_APPROVED
    assert leaves_of(people, pupil.school_id, [pupil.id], NOW, NOW + DAY) == {}
    with pytest.raises(AppError) as caught:
        slips.approve(people, by_teacher(pupil.school_id), slip.id)
    assert caught.value.code is Code.NOT_ALLOWED
    decided = slips.approve(people, by_school(pupil.school_id), slip.id)
    assert decided.state is LeaveState.APPROVED
    assert (slip.first_by, slip.decided_by) == ("班老师", "校长")


def test_who_approves_says_whether_the_gate_lets_out_and_that_is_noted(
    people: Session, pupil: Student
) -> None:
    slip = ask(people, pupil.school_id, pupil.id, until_on="2026-11-26", lets_out="1")
    slips.approve(people, by_teacher(pupil.school_id), slip.id, lets_out=False)
    assert (slip.state, slip.lets_out) == (LeaveState.FIRST_APPROVED, False)
    slips.approve(people, by_school(pupil.school_id), slip.id, lets_out=True)
    assert (slip.state, slip.lets_out) == (LeaveState.APPROVED, True)
    told = {"slip": slip.id}
    assert _noted(people, "leave.agreed") == [told | {"lets_out": [True, False]}]
    assert _noted(people, "leave.approved") == [told | {"lets_out": [False, True]}]


def _noted(people: Session, action: str) -> list[dict[str, Any]]:
    """The details of what was noted of an action."""
    write_waiting(people)
    bodies = people.scalars(
        select(AuditDetail.body)
        .join(
            AuditEntry,
            and_(
                AuditEntry.school_id == AuditDetail.school_id,
                AuditEntry.seq == AuditDetail.seq,
            ),
        )
        .where(AuditEntry.action == action)
    )
    texts = [open_text(people.connection(), one) for one in bodies]
    return [read_detail(one).details for one in texts if one is not None]


@pytest.mark.parametrize("said", [None, True])
def test_leave_that_is_approved_as_it_was_asked_is_noted_without_a_change(
    people: Session, pupil: Student, said: bool | None
) -> None:
    slip = ask(people, pupil.school_id, pupil.id, lets_out="1")
    slips.approve(people, by_teacher(pupil.school_id), slip.id, lets_out=said)
    assert slip.lets_out
    assert _noted(people, "leave.approved") == [{"slip": slip.id}]


@pytest.mark.parametrize(
    ("begin", "end", "needs_school"),
    [
        ("2026-11-23", "2026-11-25", False),
        ("2026-11-27", "2026-12-01", False),
        ("2026-11-26", "2026-12-01", True),
    ],
)
def test_days_without_lessons_do_not_count(
    people: Session, pupil: Student, begin: str, end: str, needs_school: bool
) -> None:
    slip = ask(people, pupil.school_id, pupil.id, from_on=begin, until_on=end)
    assert slip.needs_school is needs_school


@pytest.mark.parametrize(
    ("for_whom", "boards", "needs_school"),
    [
        (ForWhom.EVERYBODY, False, True),
        (ForWhom.BOARDERS, False, False),
        (ForWhom.BOARDERS, True, True),
        (ForWhom.DAY_STUDENTS, True, False),
    ],
)
def test_days_without_a_session_for_the_student_do_not_count(
    people: Session, pupil: Student, for_whom: ForWhom, boards: bool, needs_school: bool
) -> None:
    for one in people.scalars(select(TimetableSession)):
        one.for_whom = for_whom
    if boards:
        since = date(2026, 9, 1)
        people.add(Boarding(school_id=pupil.school_id, student_id=pupil.id, from_on=since))
    people.flush()
    slip = ask(people, pupil.school_id, pupil.id, until_on="2026-11-26")
    assert slip.needs_school is needs_school


def test_how_many_days_is_the_schools_own_rule(people: Session, pupil: Student) -> None:
    people.add(AttendanceRules(school_id=pupil.school_id, leave_days=1))
    people.flush()
    assert ask(people, pupil.school_id, pupil.id, until_on="2026-11-24").needs_school


def test_another_slip_over_the_same_time_is_refused_and_named(
    people: Session, pupil: Student
) -> None:
    slip = ask(people, pupil.school_id, pupil.id, from_time="13:00", until_time="16:00")
    with pytest.raises(slips.OverlapError) as caught:
        ask(people, pupil.school_id, pupil.id)
    assert (caught.value.from_at, caught.value.until_at) == (slip.from_at, slip.until_at)
    ask(people, pupil.school_id, pupil.id, from_time="16:00")
    slips.refuse(people, by_teacher(pupil.school_id), slip.id, "没有医生证明")
    ask(people, pupil.school_id, pupil.id, until_time="16:00")


def test_a_refusal_and_a_withdrawal_say_why(people: Session, pupil: Student) -> None:
    doing = by_teacher(pupil.school_id)
    slip = ask(people, pupil.school_id, pupil.id)
    with pytest.raises(FieldsError):
        slips.refuse(people, doing, slip.id, "  ")
    slips.refuse(people, doing, slip.id, "没有医生证明")
    assert (slip.state, slip.decision_reason) == (LeaveState.REFUSED, "没有医生证明")
    with pytest.raises(AppError) as caught:
        slips.withdraw(people, doing, slip.id, "算了")
    assert caught.value.code is Code.CONFLICT


def test_who_decides_second_is_told(people: Session, pupil: Student) -> None:
    doing = by_teacher(pupil.school_id)
    slip = ask(people, pupil.school_id, pupil.id)
    seen = fingerprint(slips.shown_of(slip))
    slips.approve(people, doing, slip.id, seen)
    too_late: list[Callable[[], object]] = [
        lambda: slips.approve(people, doing, slip.id, seen),
        lambda: slips.refuse(people, doing, slip.id, "不行", seen),
        lambda: slips.withdraw(people, doing, slip.id, "不行", seen),
    ]
    for late in too_late:
        with pytest.raises(AppError) as caught:
            late()
        assert caught.value.code is Code.CONFLICT
    assert slip.state is LeaveState.APPROVED


def test_approved_leave_is_what_days_are_judged_by(people: Session, pupil: Student) -> None:
    school_id, doing = pupil.school_id, by_teacher(pupil.school_id)
    slip = ask(people, school_id, pupil.id, from_time="13:00")
    version = _version(people, school_id)
    slips.approve(people, doing, slip.id)
    assert _version(people, school_id) > version
    [found] = leaves_of(people, school_id, [pupil.id, 999], NOW, NOW + DAY)[pupil.id]
    assert (found.from_at, found.until_at, found.kind) == (
        slip.from_at,
        slip.until_at,
        LeaveKind.SICK,
    )
    assert _on_leave(people, pupil) == 1
    version = _version(people, school_id)
    slips.withdraw(people, doing, slip.id, "没有去医院")
    assert _on_leave(people, pupil) == 0
    assert leaves_of(people, school_id, [pupil.id], NOW, NOW + DAY) == {}
    assert _version(people, school_id) > version
    assert (slip.decided_by, slip.ended_by) == ("班老师", "班老师")


def test_who_comes_back_early_is_on_leave_no_longer(people: Session, pupil: Student) -> None:
    doing = by_teacher(pupil.school_id)
    slip = ask(people, pupil.school_id, pupil.id)
    noon = datetime(2026, 11, 23, 4, tzinfo=UTC)
    with pytest.raises(AppError):
        slips.shorten(people, doing, slip.id, noon, "退烧了")
    slips.approve(people, doing, slip.id)
    assert _on_leave(people, pupil) == 2
    for wrong in (slip.from_at, slip.until_at):
        with pytest.raises(FieldsError):
            slips.shorten(people, doing, slip.id, wrong, "退烧了")
    slips.shorten(people, doing, slip.id, noon, "退烧了")
    assert slip.until_at == noon
    assert _on_leave(people, pupil) == 1


def _on_leave(people: Session, pupil: Student) -> int:
    people.expire_all()
    row = people.get(Attendance, (pupil.school_id, MONDAY, pupil.id))
    return row.on_leave if row else 0


def _version(people: Session, school_id: int) -> int:
    wanted = select(School.register_version).where(School.id == school_id)
    return people.scalars(wanted).one()


def test_leave_handed_in_afterwards_changes_the_days_that_were(
    people: Session, pupil: Student
) -> None:
    slip = ask(people, pupil.school_id, pupil.id, from_on="2026-11-19", until_on="2026-11-20")
    slips.approve(people, by_teacher(pupil.school_id), slip.id)
    found = people.execute(
        select(Attendance.day, Attendance.on_leave).where(Attendance.student_id == pupil.id)
    )
    assert sorted(tuple(row) for row in found) == [
        (date(2026, 11, 19), 2),
        (date(2026, 11, 20), 2),
    ]


def test_who_has_left_gets_no_leave(people: Session, pupil: Student) -> None:
    change = StatusChange(StudentStatus.TRANSFERRED, MONDAY, "搬家")
    change_status(people, SYSTEM, pupil.school_id, pupil.id, change, NOW, ZONE)
    with pytest.raises(AppError) as caught:
        ask(people, pupil.school_id, pupil.id)
    assert caught.value.code is Code.CONFLICT


def test_a_guardian_may_ask_by_the_same_rules(people: Session, pupil: Student) -> None:
    doing = by_teacher(pupil.school_id)
    slip = slips.ask(people, doing, pupil.id, wish(), SEAL, guardian_id=5)
    assert slip.guardian_id == 5


def test_each_step_stands_in_the_log_without_the_reason_of_the_leave(
    people: Session, pupil: Student
) -> None:
    slip = ask(people, pupil.school_id, pupil.id)
    slips.approve(people, by_teacher(pupil.school_id), slip.id)
    slips.shorten(people, by_teacher(pupil.school_id), slip.id, NOW, "好了")
    slips.withdraw(people, by_school(pupil.school_id), slip.id, "写错了")
    write_waiting(people)
    found = people.scalars(
        select(AuditEntry.action)
        .where(AuditEntry.subject == f"student:{pupil.id}", AuditEntry.action.like("leave%"))
        .order_by(AuditEntry.seq)
    )
    assert list(found) == ["leave.asked", "leave.approved", "leave.shortened", "leave.withdrawn"]


def test_lists_show_each_slip_where_it_belongs(people: Session, pupil: Student) -> None:
    school_id = pupil.school_id
    ask(people, school_id, pupil.id, from_on="2026-11-24")
    long = ask(people, school_id, pupil.id, from_on="2026-12-01", until_on="2026-12-08")
    slips.approve(people, by_teacher(school_id), long.id)
    over = ask(people, school_id, pupil.id, from_on="2026-11-19")
    slips.approve(people, by_teacher(school_id), over.id)
    gone = ask(people, school_id, pupil.id, from_on="2026-12-20")
    slips.withdraw(people, by_teacher(school_id), gone.id, "不去了")

    def days(group: Group, is_school: bool = False) -> list[int]:
        found = list_slips(people, school_id, group, NOW, is_school=is_school, first=0, limit=10)
        assert len(found) == count_slips(people, school_id, group, NOW, is_school=is_school)
        return [one.from_at.astimezone(ZONE).day for one in found]

    assert days(Group.WAITING) == [24]
    assert days(Group.WAITING, is_school=True) == [24, 1]
    assert days(Group.COMING) == [24, 1]
    assert days(Group.PAST) == [20, 19]
    assert len(slips_of_student(people, school_id, pupil.id)) == 4

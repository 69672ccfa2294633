"""Corrections stand whatever the taps say, until they are ended; who, when and why are kept."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.correcting import (
    Doing,
    Mark,
    correct,
    end_correction,
    first_day,
    read_mark,
)
from card_server.attendance.corrections import corrections_of, list_corrections
from card_server.attendance.markings import end_marking, last_marking
from card_server.attendance.whole_homeroom import (
    begun_sessions,
    list_missing,
    mark_homeroom,
    plan_of,
)
from card_server.audit.writing import write_waiting
from card_server.calendar.changing_rules import change_rules
from card_server.calendar.rules import Rules
from card_server.errors import AppError
from card_server.field_errors import FieldsError
from card_server.leave import slips
from card_server.people.boarding import set_boarding
from card_server.people.stays import move_student
from schema.tables.attendance import Attendance, SessionStatus
from schema.tables.audit import AuditEntry
from schema.tables.calendar import ForWhom, TimetableSession
from schema.tables.leave import LeaveKind
from schema.tables.people import Student
from tests.card_server.leave.leave_school import HEAD, MONDAY, NOW, TEACHER, ask, set_hours
from tests.card_server.leave.leave_school import by_teacher as leave_by_teacher
from tests.card_server.people.conftest import campus, people, people_engine
from tests.card_server.people.people_school import ZONE, PeopleSchool, enrol

__all__ = ["campus", "people", "people_engine"]
AFTERNOON = NOW + timedelta(hours=6)
"""Both sessions of Monday have begun, and their deadlines are over."""
PRESENT = Mark(1, SessionStatus.PRESENT, None, "没带卡")


@pytest.fixture
def pupils(people: Session, campus: PeopleSchool) -> list[Student]:
    """Three of the first homeroom, and one of the second."""
    set_hours(people, campus.id)
    rooms = ((1, 0), (2, 0), (3, 0), (4, 1))
    return [enrol(people, campus, f"2026010{number}", room) for number, room in rooms]


def _teacher(school_id: int) -> Doing:
    return Doing(TEACHER, school_id, ZONE, AFTERNOON)


def _head(school_id: int) -> Doing:
    return Doing(HEAD, school_id, ZONE, AFTERNOON, is_school=True)


def _day(people: Session, pupil: Student, day: date = MONDAY) -> Attendance | None:
    people.expire_all()
    return people.get(Attendance, (pupil.school_id, day, pupil.id))


def test_a_corrected_session_is_what_was_said(people: Session, pupils: list[Student]) -> None:
    one = pupils[0]
    row = correct(people, _teacher(one.school_id), one.id, MONDAY, PRESENT)
    day = _day(people, one)
    assert day
    assert day.present == 1
    assert (row.made_by, row.made_at, row.reason) == ("班老师", AFTERNOON, "没带卡")
    found = corrections_of(people, one.school_id, [one.id], MONDAY, MONDAY)
    assert [said.position for said in found[one.id, MONDAY]] == [1]


def test_the_newest_of_a_session_stands_and_the_former_is_kept(
    people: Session, pupils: list[Student]
) -> None:
    one, doing = pupils[0], _teacher(pupils[0].school_id)
    correct(people, doing, one.id, MONDAY, PRESENT)
    correct(people, doing, one.id, MONDAY, Mark(2, SessionStatus.LATE, None, "看见了"))
    absent = Mark(1, SessionStatus.ABSENT, None, "认错人了")
    correct(people, doing, one.id, MONDAY, absent)
    found = corrections_of(people, one.school_id, [one.id], MONDAY, MONDAY)[one.id, MONDAY]
    assert [(said.position, said.status) for said in found] == [
        (2, SessionStatus.LATE),
        (1, SessionStatus.ABSENT),
    ]
    correct(people, doing, one.id, MONDAY, Mark(0, SessionStatus.PRESENT, None, "全天在"))
    found = corrections_of(people, one.school_id, [one.id], MONDAY, MONDAY)[one.id, MONDAY]
    assert [said.position for said in found] == [0]
    kept = list_corrections(people, one.school_id, one.id, MONDAY)
    assert [said.ended_at is None for said in kept] == [True, False, False, False]
    day = _day(people, one)
    assert day
    assert day.present == 2


def test_when_it_is_taken_back_the_taps_decide_again(
    people: Session, pupils: list[Student]
) -> None:
    one, doing = pupils[0], _teacher(pupils[0].school_id)
    row = correct(people, doing, one.id, MONDAY, PRESENT)
    end_correction(people, doing, row.id)
    day = _day(people, one)
    assert day is None or day.present == 0
    assert corrections_of(people, one.school_id, [one.id], MONDAY, MONDAY) == {}
    with pytest.raises(AppError):
        end_correction(people, doing, row.id)


def test_a_day_to_come_cannot_be_corrected_and_an_old_one_only_by_the_school(
    people: Session, pupils: list[Student]
) -> None:
    one = pupils[0]
    teacher, head = _teacher(one.school_id), _head(one.school_id)
    tomorrow = MONDAY + timedelta(days=1)
    for doing in (teacher, head):
        with pytest.raises(FieldsError):
            correct(people, doing, one.id, tomorrow, PRESENT)
    before_term = date(2026, 8, 31)
    with pytest.raises(FieldsError):
        correct(people, teacher, one.id, before_term, PRESENT)
    row = correct(people, head, one.id, before_term, PRESENT)
    with pytest.raises(FieldsError):
        end_correction(people, teacher, row.id)
    assert correct(people, teacher, one.id, date(2026, 9, 1), PRESENT)


def test_in_the_holidays_the_last_term_can_still_be_corrected(
    people: Session, pupils: list[Student], campus: PeopleSchool
) -> None:
    assert first_day(people, campus.id, date(2027, 2, 1)) == date(2026, 9, 1)
    assert first_day(people, campus.id, date(2026, 8, 31)) == date(2026, 8, 1)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"status": "not_judged"}, "status"),
        ({"status": "on_leave"}, "leave_kind"),
        ({"position": "-1"}, "position"),
        ({"position": "²"}, "position"),
        ({"reason": ""}, "reason"),
        ({"status": "late", "position": "1", "minutes": "0"}, "minutes"),
        ({"status": "late", "position": "1", "minutes": "601"}, "minutes"),
        ({"status": "left_early", "position": "1", "minutes": "1.5"}, "minutes"),
        ({"status": "left_early", "position": "1", "minutes": "１２"}, "minutes"),
        ({"status": "late", "position": "0", "minutes": "12"}, "minutes"),
    ],
)
def test_what_cannot_be_said_is_refused(typed: dict[str, str], field: str) -> None:
    form = {"status": "present", "position": "0", "reason": "没带卡"} | typed
    with pytest.raises(FieldsError) as caught:
        read_mark(form)
    assert field in caught.value.fields


def test_only_leave_has_a_kind() -> None:
    form = {"position": "1", "reason": "家长来电", "leave_kind": "sick"}
    assert read_mark(form | {"status": "on_leave"}).leave_kind is LeaveKind.SICK
    assert read_mark(form | {"status": "late"}).leave_kind is None


@pytest.mark.parametrize(
    ("status", "typed", "minutes"),
    [
        ("late", "12", 12),
        ("late", " 600 ", 600),
        ("left_early", "1", 1),
        ("late", "", None),
        ("present", "12", None),
        ("absent", "many", None),
    ],
)
def test_only_who_is_late_or_early_has_minutes(
    status: str, typed: str, minutes: int | None
) -> None:
    form = {"position": "1", "reason": "看见了", "status": status, "minutes": typed}
    assert read_mark(form).minutes == minutes


def test_minutes_that_were_said_count_until_they_are_taken_back(
    people: Session, pupils: list[Student]
) -> None:
    one, doing = pupils[0], _teacher(pupils[0].school_id)
    late = Mark(1, SessionStatus.LATE, None, "看见了", 12)
    row = correct(people, doing, one.id, MONDAY, late)
    correct(people, doing, one.id, MONDAY, Mark(2, SessionStatus.LEFT_EARLY, None, "头疼", 30))
    day = _day(people, one)
    assert day
    assert (day.late_minutes, day.early_minutes, day.late, day.left_early) == (12, 30, 1, 1)
    end_correction(people, doing, row.id)
    day = _day(people, one)
    assert day
    assert (day.late_minutes, day.early_minutes, day.late) == (0, 30, 0)


def test_what_one_click_said_is_taken_back_by_one_click(
    people: Session, pupils: list[Student]
) -> None:
    one, two, three, _ = pupils
    doing, room = _teacher(one.school_id), one.homeroom_id
    made = mark_homeroom(people, doing, room, MONDAY, 0, "读卡器坏了")
    late = correct(people, doing, two.id, MONDAY, Mark(1, SessionStatus.LATE, None, "第一节才来"))
    shown = last_marking(people, one.school_id, room, MONDAY)
    assert shown
    assert (shown.id, shown.students, shown.reason) == (made.marking_id, 3, "读卡器坏了")
    assert end_marking(people, doing, room, MONDAY, made.marking_id) == 3
    found = corrections_of(people, one.school_id, [one.id, two.id, three.id], MONDAY, MONDAY)
    assert [[said.id for said in each] for each in found.values()] == [[late.id]]
    days = [_day(people, pupil) for pupil in (one, two, three)]
    assert [day.present for day in days if day] == [0, 1, 0]
    assert last_marking(people, one.school_id, room, MONDAY) is None
    for marking_id in (made.marking_id, None):
        with pytest.raises(AppError):
            end_marking(people, doing, room, MONDAY, marking_id)


def test_of_several_clicks_the_last_is_taken_back_first(
    people: Session, pupils: list[Student]
) -> None:
    one, doing = pupils[0], _teacher(pupils[0].school_id)
    first = mark_homeroom(people, doing, one.homeroom_id, MONDAY, 1, "读卡器坏了")
    mark_homeroom(people, doing, one.homeroom_id, MONDAY, 2, "下午也坏")
    assert end_marking(people, doing, one.homeroom_id, MONDAY) == 3
    day = _day(people, one)
    assert day
    assert day.present == 1
    left = last_marking(people, one.school_id, one.homeroom_id, MONDAY)
    assert left
    assert left.id == first.marking_id


def test_a_click_of_before_the_term_is_taken_back_by_the_school_alone(
    people: Session, pupils: list[Student], campus: PeopleSchool
) -> None:
    one, head = pupils[0], _head(pupils[0].school_id)
    before_term = date(2026, 8, 31)
    with pytest.raises(FieldsError):
        end_marking(people, _teacher(one.school_id), one.homeroom_id, before_term)
    with pytest.raises(AppError):
        end_marking(people, head, one.homeroom_id, before_term)
    mark_homeroom(people, head, one.homeroom_id, MONDAY, 0, "读卡器坏了")
    with pytest.raises(AppError):
        end_marking(people, head, campus.homerooms[1], MONDAY)
    with pytest.raises(AppError):
        end_marking(people, head, one.homeroom_id, MONDAY, UUID(int=1))


def test_a_click_is_taken_back_for_whom_the_homeroom_has_and_for_nobody_else(
    people: Session, pupils: list[Student], campus: PeopleSchool
) -> None:
    one, two, _, _ = pupils
    doing, old, new = _teacher(one.school_id), one.homeroom_id, campus.homerooms[1]
    mark_homeroom(people, doing, old, MONDAY, 0, "读卡器坏了")
    move_student(people, HEAD, one.school_id, one.id, new, MONDAY, AFTERNOON, ZONE)
    assert end_marking(people, doing, new, MONDAY) == 1
    assert [day.present for day in (_day(people, one), _day(people, two)) if day] == [0, 2]
    assert end_marking(people, doing, old, MONDAY) == 2


def test_taking_back_a_click_stands_in_the_log_once(people: Session, pupils: list[Student]) -> None:
    one, doing = pupils[0], _teacher(pupils[0].school_id)
    mark_homeroom(people, doing, one.homeroom_id, MONDAY, 0, "读卡器坏了")
    end_marking(people, doing, one.homeroom_id, MONDAY)
    write_waiting(people)
    of_end = AuditEntry.action.in_(("attendance.marking_ended", "attendance.correction_ended"))
    found = people.execute(select(AuditEntry.action, AuditEntry.subject).where(of_end)).all()
    assert [tuple(one) for one in found] == [
        ("attendance.marking_ended", f"homeroom:{one.homeroom_id}")
    ]


def test_a_whole_homeroom_without_cards_is_present_by_one_click(
    people: Session, pupils: list[Student]
) -> None:
    one, two, three, other = pupils
    doing = _teacher(one.school_id)
    slip = ask(people, one.school_id, two.id)
    slips.approve(people, leave_by_teacher(one.school_id, AFTERNOON), slip.id)
    late = Mark(1, SessionStatus.LATE, None, "第一节才来")
    correct(people, doing, three.id, MONDAY, late)
    plan = plan_of(people, one.school_id, one.homeroom_id, MONDAY)
    begun = begun_sessions(plan, MONDAY, doing)
    missing = list_missing(people, doing, one.homeroom_id, MONDAY, begun)
    assert [(who.student_id, who.positions) for who in missing] == [
        (one.id, (1, 2)),
        (three.id, (2,)),
    ]
    assert mark_homeroom(people, doing, one.homeroom_id, MONDAY, 0, "读卡器坏了").students == 2
    first, second, third = (_day(people, pupil) for pupil in (one, two, three))
    assert first
    assert second
    assert third
    assert (first.present, second.on_leave, third.late, third.present) == (2, 2, 1, 2)
    assert _day(people, other) is None
    assert mark_homeroom(people, doing, one.homeroom_id, MONDAY, 0, "再来一次").students == 0


def test_a_whole_homeroom_is_marked_only_in_what_is_for_day_students(
    people: Session, pupils: list[Student]
) -> None:
    one = pupils[0]
    for each in people.scalars(select(TimetableSession).where(TimetableSession.position == 2)):
        each.for_whom = ForWhom.BOARDERS
    people.flush()
    doing = _teacher(one.school_id)
    assert mark_homeroom(people, doing, one.homeroom_id, MONDAY, 0, "读卡器坏了").students == 3
    found = corrections_of(people, one.school_id, [one.id], MONDAY, MONDAY)[one.id, MONDAY]
    assert [said.position for said in found] == [1]
    judged = _day(people, one)
    assert judged
    assert (judged.present, judged.absent, judged.not_judged) == (1, 0, 0)


def test_boarders_who_come_back_in_the_evening_are_not_marked_before(
    people: Session, pupils: list[Student]
) -> None:
    one = pupils[0]
    doing = _teacher(one.school_id)
    change_rules(people, HEAD, one.school_id, Rules(boarders_weekday=1), AFTERNOON)
    set_boarding(people, HEAD, one.school_id, one.id, True, MONDAY, AFTERNOON, ZONE)
    assert mark_homeroom(people, doing, one.homeroom_id, MONDAY, 0, "读卡器坏了").students == 2
    evening = replace(doing, now=AFTERNOON + timedelta(hours=3))
    plan = plan_of(people, one.school_id, one.homeroom_id, MONDAY)
    begun = begun_sessions(plan, MONDAY, evening)
    missing = list_missing(people, evening, one.homeroom_id, MONDAY, begun)
    assert [(each.student_id, each.positions) for each in missing] == [(one.id, (90,))]


def test_who_came_into_the_school_later_is_not_marked(
    people: Session, pupils: list[Student], campus: PeopleSchool
) -> None:
    one, friday = pupils[0], MONDAY - timedelta(days=3)
    later = enrol(people, campus, "20260109", 0, MONDAY)
    doing = _teacher(one.school_id)
    assert mark_homeroom(people, doing, one.homeroom_id, friday, 1, "没电").students == 3
    assert _day(people, later, friday) is None
    assert mark_homeroom(people, doing, one.homeroom_id, MONDAY, 1, "没电").students == 4


def test_a_session_that_has_not_begun_is_left_alone(people: Session, pupils: list[Student]) -> None:
    one = pupils[0]
    morning = Doing(TEACHER, one.school_id, ZONE, NOW)
    assert mark_homeroom(people, morning, one.homeroom_id, MONDAY, 0, "读卡器坏了").students == 3
    found = corrections_of(people, one.school_id, [one.id], MONDAY, MONDAY)[one.id, MONDAY]
    assert [said.position for said in found] == [1]
    with pytest.raises(FieldsError):
        mark_homeroom(people, morning, one.homeroom_id, MONDAY, 2, "读卡器坏了")


def test_each_correction_stands_in_the_log(people: Session, pupils: list[Student]) -> None:
    one, doing = pupils[0], _teacher(pupils[0].school_id)
    row = correct(people, doing, one.id, MONDAY, PRESENT)
    end_correction(people, doing, row.id)
    write_waiting(people)
    found = people.scalars(
        select(AuditEntry.action)
        .where(AuditEntry.subject == f"student:{one.id}", AuditEntry.action.like("attendance%"))
        .order_by(AuditEntry.seq)
    )
    assert list(found) == ["attendance.corrected", "attendance.correction_ended"]

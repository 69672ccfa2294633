"""An evacuation: a frozen list, ticks in any order, later taps apart, a record that stays."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.evacuating import Tick, Warden, end, mark, start
from card_server.audit.writing import Actor, write_waiting
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.reports.evacuation import (
    NOBODY,
    Person,
    RoomProgress,
    find_evacuation,
    find_running,
    gates_then,
    list_evacuations,
    list_people,
    read_progress,
)
from card_server.reports.evacuation_others import list_others
from card_server.staff.scope import Grant, narrow
from card_server.storage.database import open_engine, open_sessions
from schema.tables.audit import AuditEntry
from schema.tables.evacuation import Evacuation
from schema.tables.staff import Role, Scope
from tests.card_server.web.campus_things import add_mark, add_presence
from tests.card_server.web.small_school import SmallSchool, add_health, make_school

NOW = datetime(2026, 11, 23, 2, 41, tzinfo=UTC)
LATER = NOW + timedelta(minutes=3)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine = open_engine(database_url)
    with open_sessions(engine)() as session:
        yield session
    engine.dispose()


@pytest.fixture
def school(session: Session) -> SmallSchool:
    """Students 0 to 3 are inside, 4 is out, 5 was closed upon in the night."""
    school = make_school(session)
    for student in range(4):
        add_presence(session, school, student, NOW - timedelta(hours=2))
    add_presence(session, school, 4, NOW - timedelta(hours=1), is_inside=False)
    night = NOW - timedelta(hours=12)
    add_presence(session, school, 5, night, is_inside=False, is_closed=True)
    add_health(session, school, 0, NOW - timedelta(minutes=2))
    return school


def _warden(
    school: SmallSchool, now: datetime = LATER, staff: int = 1, *, is_school: bool = False
) -> Warden:
    return Warden(Actor("staff", staff, f"老师{staff}", ""), staff, school.id, now, is_school)


def _start(session: Session, school: SmallSchool) -> Evacuation:
    return start(session, _warden(school, NOW), "消防演练")


def _mark(
    session: Session,
    school: SmallSchool,
    row: Evacuation,
    *ticks: tuple[int, bool, float],
    now: datetime = LATER,
    staff: int = 1,
) -> list[int]:
    made = [Tick(school.students[student], is_found, age) for student, is_found, age in ticks]
    changed = mark(session, _warden(school, now, staff), row.id, made)
    session.flush()
    return [school.students.index(one) for one in changed]


def _missing(session: Session, row: Evacuation) -> list[str]:
    return [one.name for one in list_people(session, row) if one.is_missing]


def _total(session: Session, row: Evacuation) -> RoomProgress:
    return sum(read_progress(session, row), NOBODY)


def test_the_list_is_frozen_with_its_moment_and_each_gates_freshness(
    session: Session, school: SmallSchool
) -> None:
    row = _start(session, school)
    assert _missing(session, row) == ["张三", "王小明", "李四", "赵雪"]
    assert [(one.name, one.delivered_to) for one in gates_then(row)] == [
        ("东门出", None),
        ("东门进", NOW - timedelta(minutes=2)),
    ]
    [unsure] = [one for one in list_people(session, row) if one.is_unsure]
    assert (unsure.name, unsure.is_missing) == ("刘洋", False)
    total = _total(session, row)
    assert (total.listed, total.missing, total.unsure, total.found) == (4, 4, 1, 0)


def test_a_school_has_one_evacuation_at_a_time(session: Session, school: SmallSchool) -> None:
    row = _start(session, school)
    with pytest.raises(AppError, match="goes on already"):
        start(session, _warden(school, LATER), "又一次")
    assert find_running(session, school.id) == row
    end(session, _warden(school), row.id)
    assert find_running(session, school.id) is None
    again = start(session, _warden(school, LATER), "又一次")
    assert [one.id for one in list_evacuations(session, school.id, 9)] == [again.id, row.id]
    other = make_school(session, "no2", students=1)
    start(session, _warden(other, LATER), "别的学校")


def test_it_needs_a_reason(session: Session, school: SmallSchool) -> None:
    with pytest.raises(FieldsError) as caught:
        start(session, _warden(school, NOW), "  ")
    assert caught.value.fields.keys() == {"reason"}
    assert find_running(session, school.id) is None


def test_who_is_found_is_kept_with_who_found_them_and_when(
    session: Session, school: SmallSchool
) -> None:
    row = _start(session, school)
    assert _mark(session, school, row, (0, True, 30), (2, True, 0), staff=9) == [0, 2]
    assert _missing(session, row) == ["李四", "赵雪"]
    found = {one.name: one for one in list_people(session, row) if one.is_found}
    assert found["张三"].marked_at == LATER - timedelta(seconds=30)
    assert (found["张三"].marked_by, found["张三"].received_at) == ("老师9", LATER)
    rooms = {one.homeroom: (one.found, one.missing) for one in read_progress(session, row)}
    assert rooms == {"高一(1)班": (2, 0), "高一(2)班": (0, 2)}


def test_the_same_tick_again_changes_nothing(session: Session, school: SmallSchool) -> None:
    row = _start(session, school)
    assert _mark(session, school, row, (0, True, 5)) == [0]
    assert _mark(session, school, row, (0, True, 0), staff=2) == []
    assert [one.marked_by for one in list_people(session, row) if one.is_found] == ["老师1"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_ticks_that_contradict_each_other_the_last_made_holds(
    session: Session, school: SmallSchool, order: tuple[int, int, int]
) -> None:
    row = _start(session, school)
    ticks = [(0, True, 100.0), (0, False, 60.0), (0, True, 20.0)]
    for one in order:
        _mark(session, school, row, ticks[one])
    assert "张三" not in _missing(session, row)
    row_again = find_evacuation(session, school.id, row.id)
    _mark(session, school, row_again, (0, False, 10))
    assert "张三" in _missing(session, row)


def test_no_tick_is_older_than_the_evacuation(session: Session, school: SmallSchool) -> None:
    row = _start(session, school)
    _mark(session, school, row, (0, True, 9e9))
    assert [one.marked_at for one in list_people(session, row) if one.is_found] == [NOW]


def test_later_taps_stand_apart(session: Session, school: SmallSchool) -> None:
    row = _start(session, school)
    add_presence(session, school, 0, LATER, is_inside=False, reader_id=school.readers[1])
    add_presence(session, school, 4, LATER)
    add_presence(session, school, 5, LATER)
    people = {one.name: one for one in list_people(session, row)}
    assert (people["张三"].left_at, people["张三"].is_missing) == (LATER, False)
    assert (people["欧阳娜"].is_later, people["欧阳娜"].is_missing) == (True, True)
    assert (people["刘洋"].is_later, people["刘洋"].is_unsure) == (True, False)
    total = _total(session, row)
    assert (total.listed, total.left, total.missing) == (4, 1, 5)
    assert (total.unsure, total.later) == (0, 2)
    assert _mark(session, school, row, (4, True, 0)) == [4]
    assert _total(session, row).missing == 4
    assert _total(session, row).later == 2


def _people(session: Session, row: Evacuation) -> dict[str, Person]:
    return {one.name: one for one in list_people(session, row)}


def test_whom_a_teacher_marked_present_stands_on_the_list_and_is_counted_apart(
    session: Session, school: SmallSchool
) -> None:
    add_mark(session, school, 6, NOW - timedelta(minutes=90))
    add_mark(session, school, 0, NOW - timedelta(minutes=90))
    row = _start(session, school)
    marked = [one for one in list_people(session, row) if one.is_marked]
    assert [(one.name, one.since_at) for one in marked] == [
        ("陈晨", NOW - timedelta(minutes=90))
    ], "who is inside by a tap stands there alone"
    assert not marked[0].is_missing
    total = _total(session, row)
    assert (total.listed, total.missing, total.marked, total.unsure) == (4, 4, 1, 1)
    assert _mark(session, school, row, (6, True, 0)) == [6]
    total = _total(session, row)
    assert (total.listed, total.missing, total.marked, total.found) == (4, 4, 0, 1)
    assert total.added == 0


def test_a_tap_settles_where_a_marked_student_is(session: Session, school: SmallSchool) -> None:
    add_mark(session, school, 6, NOW - timedelta(minutes=90))
    add_mark(session, school, 7, NOW - timedelta(minutes=90))
    row = _start(session, school)
    assert _total(session, row).marked == 2
    add_presence(session, school, 6, LATER)
    add_presence(session, school, 7, LATER, is_inside=False)
    people = _people(session, row)
    assert (people["陈晨"].is_marked, people["陈晨"].is_missing) == (False, True)
    assert people["陈晨"].is_later
    [gone] = [one for one in people.values() if one.student_id == school.students[7]]
    assert (gone.left_at, gone.is_missing) == (LATER, False)
    total = _total(session, row)
    assert (total.marked, total.missing, total.left, total.later) == (0, 5, 1, 1)


def test_an_exit_before_the_teachers_word_says_nothing(
    session: Session, school: SmallSchool
) -> None:
    add_mark(session, school, 4, NOW - timedelta(minutes=30))
    row = _start(session, school)
    assert (_people(session, row)["欧阳娜"].is_marked, _total(session, row).left) == (True, 0)


def test_who_is_found_and_stood_on_no_list_is_added_and_may_be_taken_back(
    session: Session, school: SmallSchool
) -> None:
    row = _start(session, school)
    before = _total(session, row)
    others = list_others(session, row, school.homerooms[0])
    assert [one.student_id for one in others] == [school.students[4], school.students[6]]
    assert _mark(session, school, row, (6, False, 0)) == [], "there is nothing to take back"
    assert _mark(session, school, row, (6, True, 5)) == [6]
    person = _people(session, row)["陈晨"]
    assert (person.is_added, person.is_found, person.marked_by) == (True, True, "老师1")
    total = _total(session, row)
    assert (total.listed, total.found, total.added, total.later) == (4, 1, 1, 0)
    assert total.missing == before.missing
    assert len(list_others(session, row, school.homerooms[0])) == 1
    assert _mark(session, school, row, (6, False, 0)) == [6]
    assert _total(session, row) == before
    assert "陈晨" not in _people(session, row), "a mistake makes nobody missing"
    assert len(list_others(session, row, school.homerooms[0])) == 2
    assert _mark(session, school, row, (6, True, 0), now=LATER + timedelta(minutes=1)) == [6]
    add_presence(session, school, 6, LATER)
    assert _people(session, row)["陈晨"].is_later, "now a tap says that they are here"


def test_a_teacher_adds_nobody_of_another_homeroom(session: Session, school: SmallSchool) -> None:
    row = _start(session, school)
    session.flush()
    room = school.homerooms[0]
    narrow(session, school.id, [Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=room)])
    assert _mark(session, school, row, (6, True, 0), (7, True, 0)) == [6]
    assert list_others(session, row, school.homerooms[1]) == []


def test_the_record_keeps_marked_and_added_ones(session: Session, school: SmallSchool) -> None:
    add_mark(session, school, 6, NOW - timedelta(minutes=90))
    row = _start(session, school)
    _mark(session, school, row, (4, True, 0), (7, True, 10))
    _mark(session, school, row, (7, False, 0))
    before, people = read_progress(session, row), list_people(session, row)
    end(session, _warden(school, LATER + timedelta(minutes=1)), row.id)
    session.expire_all()
    for student in range(8):
        add_presence(session, school, student, LATER + timedelta(hours=1))
    row = find_evacuation(session, school.id, row.id)
    assert read_progress(session, row) == before
    assert list_people(session, row) == people
    assert list_others(session, row, school.homerooms[0]) == []


def test_the_record_stays_as_it_was_at_the_end(session: Session, school: SmallSchool) -> None:
    row = _start(session, school)
    add_presence(session, school, 0, LATER, is_inside=False, reader_id=school.readers[1])
    add_presence(session, school, 4, LATER)
    add_presence(session, school, 5, LATER)
    _mark(session, school, row, (1, True, 0))
    before, people = read_progress(session, row), list_people(session, row)
    ended = end(session, _warden(school, LATER + timedelta(minutes=1)), row.id)
    assert (ended.ended_by, ended.running_school_id) == ("老师1", None)
    session.expire_all()
    for student in range(8):
        add_presence(session, school, student, LATER + timedelta(hours=1), is_inside=False)
    row = find_evacuation(session, school.id, row.id)
    assert read_progress(session, row) == before
    assert list_people(session, row) == people


def test_after_the_end_only_what_was_ticked_before_it_counts(
    session: Session, school: SmallSchool
) -> None:
    row = _start(session, school)
    end(session, _warden(school, LATER), row.id)
    back = LATER + timedelta(minutes=10)
    assert _mark(session, school, row, (0, True, 660), (1, True, 30), now=back) == [0]
    [found] = [one for one in list_people(session, row) if one.is_found]
    assert (found.name, found.marked_at) == ("张三", LATER - timedelta(minutes=1))
    assert found.received_at == back
    with pytest.raises(AppError, match="has ended") as caught:
        _mark(session, school, row, (1, True, 30), now=back)
    assert caught.value.code is Code.CONFLICT


def test_whoever_began_it_and_the_school_end_it(session: Session, school: SmallSchool) -> None:
    row = _start(session, school)
    with pytest.raises(AppError) as caught:
        end(session, _warden(school, staff=2), row.id)
    assert caught.value.code is Code.NOT_ALLOWED
    end(session, _warden(school, staff=2, is_school=True), row.id)
    with pytest.raises(AppError, match="ended already"):
        end(session, _warden(school), row.id)


def test_a_teacher_begins_for_all_and_ticks_off_the_own(
    session: Session, school: SmallSchool
) -> None:
    session.flush()
    room = school.homerooms[0]
    narrow(session, school.id, [Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=room)])
    row = _start(session, school)
    assert _missing(session, row) == ["张三", "王小明"]
    assert _mark(session, school, row, (0, True, 0), (1, True, 0)) == [0]
    assert _total(session, row).listed == 2
    with open_sessions(session.get_bind())() as other:  # type: ignore[arg-type]
        session.commit()
        seen = find_evacuation(other, school.id, row.id)
        assert _missing(other, seen) == ["王小明", "李四", "赵雪"]


def test_each_step_is_noted(session: Session, school: SmallSchool) -> None:
    row = _start(session, school)
    _mark(session, school, row, (0, True, 0))
    _mark(session, school, row, (0, True, 0))
    end(session, _warden(school), row.id)
    session.flush()
    write_waiting(session)
    noted = session.execute(
        select(AuditEntry.action, AuditEntry.subject).where(AuditEntry.school_id == school.id)
    ).all()
    subject = f"evacuation:{row.id}"
    actions = ["evacuation.started", "evacuation.ticked", "evacuation.ended"]
    assert [tuple(one) for one in noted] == [(action, subject) for action in actions]

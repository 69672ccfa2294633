"""Timetables: for whom, from when on, and never two of which nobody could say which one counts."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.calendar.entries import read_settings as read_entry
from card_server.calendar.entries import say
from card_server.calendar.reading import plans_for
from card_server.calendar.sessions import (
    MOST,
    SessionHours,
    change_hours,
    fields_of,
    read_sessions,
    sessions_of,
)
from card_server.calendar.timetables import (
    TimetableSettings,
    add_timetable,
    change_timetable,
    end_timetable,
    find_timetable,
    list_timetables,
    read_settings,
    settings_of,
)
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.seen import fingerprint
from schema.tables.calendar import DayPart, ForWhom
from tests.card_server.calendar.conftest import (
    HOURS,
    NOW,
    TODAY,
    DatedSchool,
    date_school,
    version_of,
)
from tests.card_server.people.people_school import make_people_school

_TYPED = {"name": "夏季", "starts_on": "2026-05-06"}
_SUMMER = TimetableSettings("夏季", date(2026, 5, 6))


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ({"name": ""}, {"name"}),
        ({"starts_on": ""}, {"starts_on"}),
        ({"ends_on": "2026-05-05"}, {"ends_on"}),
        ({"grades": "0"}, {"grades"}),
        ({"grades": "7", "homerooms": "1"}, {"homerooms"}),
        ({"homerooms": " ".join(map(str, range(1, 50)))}, {"homerooms"}),
    ],
)
def test_what_cannot_be_is_said_field_by_field(typed: dict[str, str], fields: set[str]) -> None:
    assert read_settings(_TYPED) == _SUMMER
    with pytest.raises(FieldsError) as caught:
        read_settings(_TYPED | typed)
    assert set(caught.value.fields) == fields


def test_two_for_the_same_may_not_begin_on_one_day(opened: Session, dated: DatedSchool) -> None:
    start = date(2025, 9, 1)
    for wanted in (
        TimetableSettings("初一", start, grades=(7, 8)),
        TimetableSettings("一班", start, homerooms=(dated.homerooms[0],)),
        TimetableSettings("考试", start, is_special=True),
        TimetableSettings("夏季", date(2025, 5, 1)),
    ):
        add_timetable(opened, SYSTEM, dated.id, wanted, NOW)
    for wanted in (
        TimetableSettings("另一个", start),
        TimetableSettings("初二", start, grades=(8, 9)),
        TimetableSettings("还是一班", start, homerooms=(dated.homerooms[0],)),
    ):
        with pytest.raises(FieldsError) as caught:
            add_timetable(opened, SYSTEM, dated.id, wanted, NOW)
        assert set(caught.value.fields) == {"starts_on"}
    assert len(list_timetables(opened, dated.id)) == 5


def test_another_schools_homeroom_has_no_hours_here(opened: Session, dated: DatedSchool) -> None:
    other = date_school(opened, make_people_school(opened, "no2"))
    wanted = TimetableSettings("一班", TODAY, homerooms=(other.homerooms[0],))
    with pytest.raises(FieldsError):
        add_timetable(opened, SYSTEM, dated.id, wanted, NOW)
    with pytest.raises(AppError):
        find_timetable(opened, dated.id, other.timetable)


def test_a_timetable_is_changed_as_it_was_seen_and_ended(
    opened: Session, dated: DatedSchool
) -> None:
    row = find_timetable(opened, dated.id, dated.timetable)
    seen = fingerprint(vars(settings_of(row)))
    before = version_of(opened, dated.id)
    wanted = TimetableSettings("秋冬", date(2025, 9, 1), date(2026, 4, 30))
    change_timetable(opened, SYSTEM, dated.id, row.id, wanted, NOW, seen)
    assert settings_of(row) == wanted
    assert version_of(opened, dated.id) == before + 1
    with pytest.raises(AppError) as caught:
        change_timetable(opened, SYSTEM, dated.id, row.id, _SUMMER, NOW, seen)
    assert caught.value.code is Code.CONFLICT
    end_timetable(opened, SYSTEM, dated.id, row.id, NOW)
    assert list_timetables(opened, dated.id) == []
    plans = plans_for(opened, dated.id, TODAY, dated.homerooms)
    assert not any(one.sessions for one in plans.values())


def test_a_timetable_that_a_coming_day_names_does_not_end(
    opened: Session, dated: DatedSchool
) -> None:
    exam = add_timetable(
        opened, SYSTEM, dated.id, TimetableSettings("月考", TODAY, is_special=True), NOW
    )
    change_hours(opened, SYSTEM, dated.id, exam.id, [1], HOURS[:1], NOW)
    typed = {"day": "2025-09-25", "kind": "exam", "timetable_id": str(exam.id)}
    say(opened, SYSTEM, dated.id, read_entry(typed), NOW)
    with pytest.raises(AppError) as caught:
        end_timetable(opened, SYSTEM, dated.id, exam.id, NOW)
    assert caught.value.code is Code.CONFLICT
    end_timetable(opened, SYSTEM, dated.id, exam.id, NOW + timedelta(days=2))


def _typed(**changed: str) -> dict[str, str]:
    return fields_of(HOURS) | {name.replace("_1", "-1"): value for name, value in changed.items()}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name-1": ""}, "name-1"),
        ({"part-2": "night"}, "part-2"),
        ({"for_whom-2": "teachers"}, "for_whom-2"),
        ({"arrive_from-1": "6"}, "arrive_from-1"),
        ({"arrive_from-1": "08:00"}, "late_after-1"),
        ({"absent_after-1": "07:39"}, "absent_after-1"),
        ({"leave_from-1": "07:39"}, "leave_from-1"),
        ({"leave_from-1": "11:41"}, "ends-1"),
        ({"ends-2": "24:00"}, "ends-2"),
        ({"arrive_from-2": "11:39"}, "arrive_from-2"),
    ],
)
def test_sessions_that_cannot_lie_in_a_day_are_refused(changed: dict[str, str], field: str) -> None:
    assert read_sessions(fields_of(HOURS)) == list(HOURS)
    with pytest.raises(FieldsError) as caught:
        read_sessions(fields_of(HOURS) | changed)
    assert field in caught.value.fields


def test_a_session_that_is_emptied_is_gone() -> None:
    emptied = {f"{one}-1": "" for one in ("name", "arrive_from", "late_after", "absent_after")}
    emptied |= {"leave_from-1": "", "ends-1": ""}
    assert read_sessions(fields_of(HOURS) | emptied) == [HOURS[1]]


def test_mondays_hours_are_copied_to_other_days(opened: Session, dated: DatedSchool) -> None:
    seen = fingerprint(fields_of(sessions_of(opened, dated.timetable, 1)))
    morning = HOURS[:1]
    change_hours(opened, SYSTEM, dated.id, dated.timetable, [1, 5], morning, NOW, seen)
    counts = [len(sessions_of(opened, dated.timetable, one)) for one in range(1, 8)]
    assert counts == [1, 2, 2, 2, 1, 0, 0]
    with pytest.raises(AppError) as caught:
        change_hours(opened, SYSTEM, dated.id, dated.timetable, [1], HOURS, NOW, seen)
    assert caught.value.code is Code.CONFLICT
    assert change_hours(opened, SYSTEM, dated.id, dated.timetable, [1], morning, NOW) == []


@pytest.mark.parametrize("for_whom", ForWhom)
def test_a_session_says_for_whom_it_is(
    opened: Session, dated: DatedSchool, for_whom: ForWhom
) -> None:
    wanted = [HOURS[0], replace(HOURS[1], for_whom=for_whom)]
    assert read_sessions(fields_of(wanted)) == wanted
    change_hours(opened, SYSTEM, dated.id, dated.timetable, [3], wanted, NOW)
    assert sessions_of(opened, dated.timetable, 3) == wanted
    plans = plans_for(opened, dated.id, TODAY, dated.homerooms)
    assert {tuple(one.for_whom for one in plan.sessions) for plan in plans.values()} == {
        (ForWhom.EVERYBODY, for_whom)
    }


def test_programs_keep_the_same_rules(opened: Session, dated: DatedSchool) -> None:
    too_many = [SessionHours("节", DayPart.MORNING, n, n, n, n, n) for n in range(MOST + 1)]
    late = [SessionHours("节", DayPart.MORNING, 500, 480, 500, 600, 600)]
    for wanted in (too_many, late):
        with pytest.raises(FieldsError):
            change_hours(opened, SYSTEM, dated.id, dated.timetable, [1], wanted, NOW)
    for weekdays in ([], [8]):
        with pytest.raises(FieldsError):
            change_hours(opened, SYSTEM, dated.id, dated.timetable, weekdays, HOURS, NOW)

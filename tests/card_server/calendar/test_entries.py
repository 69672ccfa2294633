"""What is said of a day counts from then on, is kept when it ends, and must be decidable."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM, write_waiting
from card_server.calendar.entries import find_entry, read_settings, say, take_back
from card_server.calendar.reading import list_entries, plans_for
from card_server.calendar.timetables import TimetableSettings, add_timetable
from card_server.errors import AppError
from card_server.field_errors import FieldsError
from schema.tables.audit import AuditEntry
from schema.tables.calendar import CalendarEntry, DayKind, DayPart
from tests.card_server.calendar.conftest import NOW, TODAY, DatedSchool, date_school, version_of
from tests.card_server.people.people_school import make_people_school

_CLOSED = {"day": "2025-09-25", "kind": "closed", "note": "台风"}


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ({"day": "25/9"}, {"day"}),
        ({"kind": "holiday"}, {"kind"}),
        ({"until": "2025-09-24"}, {"until"}),
        ({"until": "2025-12-24"}, {"until"}),
        ({"grades": "7 13"}, {"grades"}),
        ({"grades": "七"}, {"grades"}),
        ({"kind": "lessons", "weekday": "8"}, {"weekday"}),
        ({"kind": "lessons", "parts": "night"}, {"parts"}),
        ({"kind": "exam", "timetable_id": "x"}, {"timetable_id"}),
        ({"note": "长" * 121}, {"note"}),
    ],
)
def test_what_cannot_be_is_said_field_by_field(typed: dict[str, str], fields: set[str]) -> None:
    with pytest.raises(FieldsError) as caught:
        read_settings(_CLOSED | typed)
    assert set(caught.value.fields) == fields


def test_a_closed_day_has_no_hours_of_any_kind() -> None:
    read = read_settings(_CLOSED | {"weekday": "1", "parts": "morning", "timetable_id": "3"})
    assert (read.weekday, read.parts, read.timetable_id) == (None, (), None)
    whole = read_settings(
        {"day": "2025-09-25", "kind": "lessons", "parts": "evening morning afternoon"}
    )
    assert whole.parts == ()
    half = read_settings({"day": "2025-09-25", "kind": "lessons", "parts": "evening morning"})
    assert half.parts == (DayPart.MORNING, DayPart.EVENING)


def test_what_was_said_before_ends_and_is_kept(opened: Session, dated: DatedSchool) -> None:
    before = version_of(opened, dated.id)
    first = say(opened, SYSTEM, dated.id, read_settings(_CLOSED), NOW).entries[0]
    typed = {"day": "2025-09-25", "kind": "lessons", "parts": "morning"}
    second = say(opened, SYSTEM, dated.id, read_settings(typed), NOW).entries[0]
    day = date(2025, 9, 25)
    assert [one.id for one in list_entries(opened, dated.id, day, day)] == [second.id]
    assert first.ended_at is not None
    assert opened.scalar(select(func.count()).select_from(CalendarEntry)) == 2
    plan = plans_for(opened, dated.id, day, dated.homerooms)[dated.homerooms[0]]
    assert [one.name for one in plan.sessions] == ["上午"]
    assert version_of(opened, dated.id) == before + 2
    take_back(opened, SYSTEM, dated.id, second.id, NOW)
    assert list_entries(opened, dated.id, day, day) == []
    assert version_of(opened, dated.id) == before + 3
    with pytest.raises(AppError):
        take_back(opened, SYSTEM, dated.id, second.id, NOW)
    write_waiting(opened)
    wanted = select(AuditEntry.action).where(AuditEntry.subject == f"calendar:{second.id}")
    assert list(opened.scalars(wanted)) == ["calendar.said", "calendar.taken_back"]


def test_several_days_are_said_at_once(opened: Session, dated: DatedSchool) -> None:
    typed = _CLOSED | {"until": "2025-09-27"}
    made = say(opened, SYSTEM, dated.id, read_settings(typed), NOW).entries
    assert [one.day.day for one in made] == [25, 26, 27]


def test_grades_that_meet_without_being_the_same_are_refused(
    opened: Session, dated: DatedSchool
) -> None:
    say(opened, SYSTEM, dated.id, read_settings(_CLOSED | {"grades": "7 8"}), NOW)
    with pytest.raises(FieldsError) as caught:
        say(opened, SYSTEM, dated.id, read_settings(_CLOSED | {"grades": "8 9"}), NOW)
    assert set(caught.value.fields) == {"grades"}
    say(opened, SYSTEM, dated.id, read_settings(_CLOSED | {"grades": "9"}), NOW)
    say(opened, SYSTEM, dated.id, read_settings(_CLOSED), NOW)
    day = date(2025, 9, 25)
    assert len(list_entries(opened, dated.id, day, day)) == 3


def test_a_weekends_lessons_need_a_weekday(opened: Session, dated: DatedSchool) -> None:
    typed = {"day": "2025-09-28", "kind": "lessons"}
    with pytest.raises(FieldsError) as caught:
        say(opened, SYSTEM, dated.id, read_settings(typed), NOW)
    assert set(caught.value.fields) == {"weekday"}
    assert say(opened, SYSTEM, dated.id, read_settings(typed | {"weekday": "2"}), NOW).entries


def test_a_days_own_timetable_must_be_the_schools_and_have_hours(
    opened: Session, dated: DatedSchool
) -> None:
    other = date_school(opened, make_people_school(opened, "no2"))
    wanted = TimetableSettings("月考", TODAY, is_special=True)
    empty = add_timetable(opened, SYSTEM, dated.id, wanted, NOW)
    for timetable in (other.timetable, empty.id):
        typed = {"day": "2025-09-25", "kind": "exam", "timetable_id": str(timetable)}
        with pytest.raises(FieldsError) as caught:
            say(opened, SYSTEM, dated.id, read_settings(typed), NOW)
        assert set(caught.value.fields) == {"timetable_id"}
    typed = {"day": "2025-09-25", "kind": "exam", "timetable_id": str(dated.timetable)}
    entry = say(opened, SYSTEM, dated.id, read_settings(typed), NOW).entries[0]
    assert (entry.kind, entry.timetable_id) == (DayKind.EXAM, dated.timetable)
    with pytest.raises(AppError):
        find_entry(opened, other.id, entry.id)
    assert entry.made_at <= datetime.now(UTC)

"""The state's days are a proposal: accepted, changed or declined, one by one or whole."""

from datetime import date

import pytest
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.calendar.proposals import (
    Choice,
    all_holidays,
    is_year_known,
    proposals_for,
    read_choices,
    settle,
)
from card_server.calendar.reading import plans_for
from card_server.errors import AppError
from card_server.field_errors import FieldsError
from schema.tables.calendar import DayKind, EntrySource
from tests.card_server.calendar.conftest import NOW, TODAY, DatedSchool

_SUNDAY, _HOLIDAY, _SATURDAY = date(2025, 9, 28), date(2025, 10, 1), date(2025, 10, 11)


def test_a_year_is_proposed_day_by_day(opened: Session, dated: DatedSchool) -> None:
    found = proposals_for(opened, dated.id, 2025)
    assert len(found) == 33
    assert not any(one.is_settled for one in found)
    assert proposals_for(opened, dated.id, 2090) == []
    assert is_year_known(2025)
    assert not is_year_known(2090)


def test_all_holidays_are_accepted_at_once_and_make_up_days_stay_open(
    opened: Session, dated: DatedSchool
) -> None:
    proposed = proposals_for(opened, dated.id, 2025)
    said = settle(opened, SYSTEM, dated.id, all_holidays(proposed), NOW)
    assert {one.source for one in said.entries} == {EntrySource.STATE}
    still = [one for one in proposals_for(opened, dated.id, 2025) if not one.is_settled]
    assert [one.state.day for one in still] == [
        date(2025, 1, 26),
        date(2025, 2, 8),
        date(2025, 4, 27),
        _SUNDAY,
        _SATURDAY,
    ]
    room = dated.homerooms[0]
    closed = plans_for(opened, dated.id, _HOLIDAY, [room])[room]
    assert (closed.kind, closed.note, closed.is_unsure) == (DayKind.CLOSED, "国庆节", False)
    unsettled = plans_for(opened, dated.id, _SATURDAY, [room])[room]
    assert (unsettled.kind, unsettled.is_unsure) == (DayKind.CLOSED, True)


def test_days_are_changed_and_declined_one_by_one(opened: Session, dated: DatedSchool) -> None:
    typed = {
        "on-2025-10-01": "decline",
        "on-2025-10-02": "accept",
        "on-2025-09-28": "3",
        "on-2025-10-11": "decline",
    }
    choices = read_choices(typed, proposals_for(opened, dated.id, 2025))
    entries = {one.day: one for one in settle(opened, SYSTEM, dated.id, choices, NOW).entries}
    kinds = {day: (one.kind, one.source, one.weekday) for day, one in entries.items()}
    assert kinds == {
        _HOLIDAY: (DayKind.LESSONS, EntrySource.STAFF, None),
        date(2025, 10, 2): (DayKind.CLOSED, EntrySource.STATE, None),
        _SUNDAY: (DayKind.LESSONS, EntrySource.STATE, 3),
        _SATURDAY: (DayKind.CLOSED, EntrySource.STAFF, None),
    }
    room = dated.homerooms[0]
    plan = plans_for(opened, dated.id, _SUNDAY, [room])[room]
    assert [one.position for one in plan.sessions] == [1, 2]


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"on-2025-10-01": "3"},
        {"on-2025-10-11": "accept"},
        {"on-2025-10-11": "8"},
        {"on-2025-10-14": "accept"},
    ],
)
def test_a_make_up_day_needs_a_weekday_and_a_holiday_none(
    opened: Session, dated: DatedSchool, typed: dict[str, str]
) -> None:
    with pytest.raises(FieldsError):
        read_choices(typed, proposals_for(opened, dated.id, 2025))


def test_programs_keep_the_same_rules(opened: Session, dated: DatedSchool) -> None:
    with pytest.raises(FieldsError):
        settle(opened, SYSTEM, dated.id, [Choice(_SATURDAY, is_accepted=True)], NOW)
    with pytest.raises(AppError):
        settle(opened, SYSTEM, dated.id, [Choice(TODAY, is_accepted=True)], NOW)

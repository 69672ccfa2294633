"""Settling a school's rules for attendance: read as typed, kept once, and with a history."""

from dataclasses import asdict, replace

import pytest
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.calendar.changing_rules import change_rules, read_rules
from card_server.calendar.rules import Rules, rules_for
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.seen import fingerprint
from tests.card_server.calendar.conftest import NOW, DatedSchool, version_of

_TYPED = {
    "closes": "21:30",
    "boarders_weekday": "7",
    "boarders_by": "18:30",
    "leave_days": "3",
    "late_points": "0.5",
    "early_points": "1",
    "absent_points": "2.0",
}


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"closes": "25:00"}, "closes"),
        ({"boarders_by": ""}, "boarders_by"),
        ({"boarders_weekday": "8"}, "boarders_weekday"),
        ({"leave_days": "0"}, "leave_days"),
        ({"late_points": "0.55"}, "late_points"),
        ({"early_points": "-1"}, "early_points"),
        ({"absent_points": "101"}, "absent_points"),
        ({"absent_points": "nan"}, "absent_points"),
    ],
)
def test_what_cannot_be_is_said_field_by_field(typed: dict[str, str], field: str) -> None:
    with pytest.raises(FieldsError) as caught:
        read_rules(_TYPED | typed)
    assert set(caught.value.fields) == {field}


def test_rules_are_read_as_people_write_them() -> None:
    assert read_rules(_TYPED) == Rules(closes=21 * 60 + 30, early_tenths=10)
    assert read_rules(_TYPED | {"holds_exits": "1", "late_points": "0"}) == Rules(
        closes=21 * 60 + 30, holds_exits=True, late_tenths=0, early_tenths=10
    )


def test_a_change_is_kept_unless_another_came_between(opened: Session, dated: DatedSchool) -> None:
    seen = fingerprint(asdict(Rules()))
    before = version_of(opened, dated.id)
    wanted = replace(Rules(), holds_exits=True)
    assert change_rules(opened, SYSTEM, dated.id, wanted, NOW, seen)
    assert not change_rules(opened, SYSTEM, dated.id, wanted, NOW)
    assert rules_for(opened, dated.id) == wanted
    assert version_of(opened, dated.id) == before + 1
    with pytest.raises(AppError) as caught:
        change_rules(opened, SYSTEM, dated.id, Rules(), NOW, seen)
    assert caught.value.code is Code.CONFLICT

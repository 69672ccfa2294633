"""A school's rules for attendance: defaults until it settles others."""

from dataclasses import asdict

from sqlalchemy.orm import Session

from card_server.calendar.rules import Rules, rules_for
from schema.tables.attendance import AttendanceRules
from tests.card_server.calendar.conftest import DatedSchool


def test_a_school_has_the_defaults_until_it_settles_others(
    opened: Session, dated: DatedSchool
) -> None:
    assert rules_for(opened, dated.id) == Rules()
    stored = AttendanceRules(school_id=dated.id)
    opened.add(stored)
    opened.flush()
    assert {name: getattr(stored, name) for name in asdict(Rules())} == asdict(Rules())

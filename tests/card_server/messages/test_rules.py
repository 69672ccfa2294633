"""A school's limits for messages: the defaults, what may be typed, and who changed what."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.errors import AppError
from card_server.field_errors import FieldsError
from card_server.messages.rules import (
    limits_of,
    read_limits,
    rules_of,
    save_rules,
    write_limits,
    write_money,
)
from schema.tables.audit import AuditEntry
from schema.tables.messages import MessageRules
from tests.card_server.web.small_school import SmallSchool

TYPED = {
    "per_number": "15",
    "per_number_and_kind": "8",
    "per_student": "20",
    "per_school": "5000",
    "money_per_day": "300.5",
    "price_per_segment": "0.038",
    "currency": "HKD",
    "quiet_from": "21:30",
    "quiet_until": "7:00",
}


def test_a_school_that_has_settled_nothing_has_the_tables_defaults(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        found = limits_of(rules_of(session, school.id))
    with sessions.begin() as session:
        assert session.scalars(select(MessageRules)).all() == []
        session.add(MessageRules(school_id=school.id))
        session.flush()
        session.expire_all()
        assert limits_of(rules_of(session, school.id)) == found
    assert (found.per_number, found.price_per_segment, found.quiet_from) == (20, 45, 1320)
    assert read_limits(write_limits(found)) == found


def test_what_was_typed_is_what_is_shown_again() -> None:
    limits = read_limits(TYPED)
    assert (limits.money_per_day, limits.price_per_segment) == (300_500, 38)
    assert (limits.quiet_from, limits.quiet_until) == (21 * 60 + 30, 7 * 60)
    again = TYPED | {"money_per_day": "300.50", "quiet_until": "07:00"}
    assert write_limits(limits) == again


@pytest.mark.parametrize(
    ("thousandths", "shown"),
    [(0, "0"), (45, "0.045"), (90, "0.09"), (500, "0.50"), (1000, "1"), (1_000_001, "1000.001")],
)
def test_money_has_no_more_decimals_than_it_takes(thousandths: int, shown: str) -> None:
    assert write_money(thousandths) == shown


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("per_number", "0"),
        ("per_number", "201"),
        ("per_number_and_kind", ""),
        ("per_student", "1.5"),
        ("per_school", "1000001"),
        ("money_per_day", "-1"),
        ("money_per_day", "NaN"),
        ("money_per_day", "Infinity"),
        ("money_per_day", "1e99"),
        ("money_per_day", "1.2345"),
        ("price_per_segment", "100.001"),
        ("price_per_segment", ""),
        ("currency", "AAA"),
        ("quiet_from", "24:00"),
        ("quiet_until", ""),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(field: str, typed: str) -> None:
    with pytest.raises(FieldsError) as caught:
        read_limits(TYPED | {field: typed})
    assert [*caught.value.fields] == [field]


def test_rules_are_kept_and_noted_unless_somebody_was_faster(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    wanted = read_limits(TYPED)
    with sessions.begin() as session:
        assert save_rules(session, SYSTEM, school.id, wanted)
        assert not save_rules(session, SYSTEM, school.id, wanted)
    with sessions.begin() as session, pytest.raises(AppError, match="Somebody else"):
        save_rules(session, SYSTEM, school.id, wanted, "seen before")
    with sessions() as session:
        assert limits_of(rules_of(session, school.id)) == wanted
        noted = session.scalars(select(AuditEntry)).all()
    assert [(one.action, one.subject) for one in noted] == [
        ("message_rules.changed", f"messages:{school.id}")
    ]

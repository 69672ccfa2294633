"""A list into stock and into hands: whole or not at all, each fault by its line."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.cards.cards import Doing, take_back
from card_server.cards.notations import Notation
from card_server.cards.numbers import KNOWN, NO_NUMBER, RANDOM, REPEATED, TWIN
from card_server.errors import AppError
from card_server.imports.card_list import read_pasted
from card_server.imports.card_stock import plan_list, take_list
from schema.messages import CardState
from schema.tables.cards import Card, CardBinding, CardChange, CardKind
from schema.tables.school import School
from tests.harness.campus import make_campus, uid_of

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
DOING = Doing(SYSTEM, 1, NOW)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as opened:
        make_campus(opened)
        opened.commit()
        yield opened


def test_a_list_is_stocked_and_given_as_the_next_versions_of_the_list(session: Session) -> None:
    take_back(session, DOING, 1)
    lines = read_pasted(f"04A1B2C3\t\tA1\n04A1B2C4\n{uid_of(1)}\tS000001\n")
    planned = plan_list(session, 1, lines, Notation.HEX)
    assert take_list(session, DOING, planned, CardKind.TEMPORARY) == (2, 1)
    session.commit()
    new = session.scalars(select(Card).where(Card.uid.startswith("04A1"))).all()
    assert [(card.label, card.kind, card.state) for card in new] == [
        ("A1", CardKind.TEMPORARY, CardState.RETURNED),
        ("", CardKind.TEMPORARY, CardState.RETURNED),
    ]
    holder = select(CardBinding.student_id).where(
        CardBinding.card_id == 1, CardBinding.unbound_at.is_(None)
    )
    assert session.scalar(holder) == 1
    versions = session.scalars(select(CardChange.version).order_by(CardChange.version)).all()
    assert list(versions) == list(range(1, session.get_one(School, 1).cards_version + 1))


@pytest.mark.parametrize(
    ("list_", "fault"),
    [
        (uid_of(1), KNOWN),
        (bytes.fromhex(uid_of(1))[::-1].hex(), TWIN),
        ("08AABBCC", RANDOM),
        ("04A1B2C3\n04 a1 b2 c3", REPEATED),
        ("04A1B2C3\nC3B2A104", TWIN),
        ("04A1B2C3\tS999999", "The school has no student with this number."),
        ("04A1B2C3\tS000001\n04A1B2C4\tS000001", "This student stands in the list twice."),
        ("04A1B2", "the card number is not 8, 14 or 20 hex digits"),
    ],
)
def test_one_line_with_a_fault_stops_the_whole_list(
    session: Session, list_: str, fault: str
) -> None:
    before = session.scalar(select(func.count()).select_from(Card))
    planned = plan_list(session, 1, read_pasted(list_), Notation.HEX)
    assert planned[-1].fault == fault
    with pytest.raises(AppError, match="Nothing was done"):
        take_list(session, DOING, planned, CardKind.PERMANENT)
    assert session.scalar(select(func.count()).select_from(Card)) == before
    assert fault != NO_NUMBER


def test_a_number_without_its_last_byte_finds_the_one_card_that_begins_so(
    session: Session,
) -> None:
    lines = read_pasted("04A1B2C3\n")
    take_list(session, DOING, plan_list(session, 1, lines, Notation.HEX), CardKind.PERMANENT)
    eight = f"{0x04:03d}{0xA1B2:05d}"
    take_back(session, DOING, 2)
    [planned] = plan_list(session, 1, read_pasted(f"{eight}\tS000002"), Notation.DECIMAL_8)
    assert (planned.uid, planned.fault, planned.student_id) == ("04A1B2C3", None, 2)
    [unknown] = plan_list(session, 1, read_pasted("00100002"), Notation.DECIMAL_8)
    assert unknown.fault
    assert unknown.fault.startswith("This notation leaves")


def test_a_student_who_cannot_get_the_card_undoes_the_whole_list(session: Session) -> None:
    planned = plan_list(session, 1, read_pasted("04A1B2C3\tS000001"), Notation.HEX)
    with pytest.raises(AppError, match="has a card already"):
        take_list(session, DOING, planned, CardKind.PERMANENT)
    session.rollback()
    assert session.scalar(select(Card.id).where(Card.uid == "04A1B2C3")) is None

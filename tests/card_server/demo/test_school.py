"""The demo's school: as many people, cards and gates as it says, the same each time."""

import re
from datetime import UTC, datetime, timedelta

import phonenumbers
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from card_server.demo.school import READERS, create_school, find_school
from card_server.messages.consent_wordings import list_wordings, newest_wording
from card_server.register.terms import term_of
from card_server.storage.database import open_engine
from card_server.storage.sealing import Seal
from schema.messages import CardState
from schema.tables.cards import Card, CardBinding, CardChange, CardHistory
from schema.tables.people import (
    Boarding,
    Guardian,
    Guardianship,
    HomeroomStay,
    Language,
    Student,
    StudentNote,
)
from schema.tables.readers import Direction, Purpose, Reader
from schema.tables.school import Homeroom, Term

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
SEAL = Seal(b"k" * 32)


@pytest.fixture
def session(sqlite_url: str) -> Session:
    session = Session(open_engine(sqlite_url))
    create_school(session, SEAL, NOW)
    session.commit()
    return session


def test_every_student_has_a_name_a_homeroom_and_one_card_in_use(session: Session) -> None:
    students = session.scalars(select(Student)).all()
    assert len(students) == 600
    assert len({student.number for student in students}) == 600
    assert all(re.fullmatch(r"[\u4e00-\u9fff]{2,4}", student.name) for student in students)
    assert all(re.fullmatch(r"[a-z ]+", student.pinyin) for student in students)
    names = session.scalars(select(Homeroom.name).order_by(Homeroom.id)).all()
    assert (len(names), names[0], names[-1]) == (15, "初一(1)班", "初三(5)班")
    in_use = select(CardBinding.student_id).join(Card).where(Card.state == CardState.ACTIVE)
    assert sorted(session.scalars(in_use)) == sorted(student.id for student in students)


def test_everybody_is_of_a_homeroom_since_the_year_began_and_some_board(session: Session) -> None:
    terms = session.scalars(select(Term).order_by(Term.starts_on)).all()
    assert [one.name for one in terms] == ["第一学期", "第二学期"]
    assert term_of(terms, NOW.date()) is terms[0]
    stays = session.scalars(select(HomeroomStay)).all()
    assert {(one.student_id, one.homeroom_id) for one in stays} == {
        (one.id, one.homeroom_id) for one in session.scalars(select(Student))
    }
    assert {one.from_on for one in stays} == {terms[0].starts_on}
    boarders = session.scalar(select(func.count()).select_from(Boarding)) or 0
    assert 60 < boarders < 180
    assert session.scalar(select(func.count()).select_from(StudentNote)) == 5


def test_cards_have_seven_byte_numbers_and_one_is_lost(session: Session) -> None:
    cards = session.scalars(select(Card)).all()
    assert all(re.fullmatch(r"04[0-9A-F]{12}", card.uid) for card in cards)
    states = [card.state for card in cards]
    assert states.count(CardState.LOST) == 1
    assert states.count(CardState.RETURNED) == 12


def test_each_card_has_the_history_that_led_to_its_state(session: Session) -> None:
    newest: dict[int, CardState] = {}
    for step in session.scalars(select(CardHistory).order_by(CardHistory.at, CardHistory.id)):
        newest[step.card_id] = step.state
    assert newest == {card.id: card.state for card in session.scalars(select(Card))}


def test_the_readers_list_counts_every_card_without_gaps(session: Session) -> None:
    school = find_school(session)
    assert school
    versions = session.scalars(select(CardChange.version).order_by(CardChange.version)).all()
    assert versions == list(range(1, school.cards_version + 1))
    assert len(versions) == session.scalar(select(func.count()).select_from(Card))


def test_every_student_has_one_or_two_guardians_with_sealed_mobile_numbers(
    session: Session,
) -> None:
    counts = session.execute(
        select(func.count()).select_from(Guardianship).group_by(Guardianship.student_id)
    )
    assert len(per_student := [count for (count,) in counts]) == 600
    assert set(per_student) == {1, 2}
    guardians = session.scalars(select(Guardian)).all()
    phones = [SEAL.open(guardian.phone_sealed) for guardian in guardians]
    assert len(set(phones)) == len(phones)
    for guardian, phone in zip(guardians, phones, strict=True):
        assert phonenumbers.is_valid_number(phonenumbers.parse(phone))
        assert guardian.phone_tail == phone[-4:]
        assert guardian.phone_hash == SEAL.hash(phone)


def test_the_consent_is_worded_in_each_language_and_was_given_in_chinese(session: Session) -> None:
    school = find_school(session)
    assert school
    wordings = [newest_wording(session, school.id, language) for language in Language]
    assert all(one and one.body for one in wordings)
    assert len({one.body for one in wordings if one}) == len(Language)
    [given] = session.scalars(select(Guardianship.consent_wording_id).distinct())
    offered_first = list_wordings(session, school.id)[0]
    assert (offered_first.id, offered_first.language) == (given, Language.CHINESE)


def test_six_lanes_lead_in_and_out_and_a_desk_gives_cards_out(session: Session) -> None:
    readers = session.scalars(select(Reader)).all()
    assert {reader.code for reader in readers} == {one.code for one in READERS}
    assert [one.code for one in readers if one.purpose is Purpose.DESK] == ["desk"]
    directions = [reader.direction for reader in readers]
    assert (directions.count(Direction.IN), directions.count(Direction.OUT)) == (3, 3)


def test_the_school_is_the_same_each_time(session: Session, sqlite_url: str) -> None:
    with Session(open_engine("sqlite://")) as again:
        from schema.tables.metadata import Table

        Table.metadata.create_all(again.connection())
        create_school(again, SEAL, NOW + timedelta(days=1))
        for column in (Student.name, Student.number, Card.uid, Guardian.phone_hash):
            assert again.scalars(select(column)).all() == session.scalars(select(column)).all()

"""Every change that a directory keeps raises its school's register version, no other does."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from schema.messages import CardState
from schema.tables.cards import Card, CardBinding
from schema.tables.people import Boarding, Guardian, Guardianship, Language, Student
from schema.tables.readers import Reader
from schema.tables.school import Homeroom, School, Term
from tests.card_server.tapping import MORNING
from tests.harness.campus import make_campus
from tests.harness.cards import add_card, bind_card, set_card_state

Change = Callable[[Session], object]


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as opened:
        make_campus(opened)
        make_campus(opened, "no2", first_id=50)
        opened.commit()
        yield opened


def versions(session: Session) -> tuple[int, int]:
    rows = session.scalars(select(School.register_version).order_by(School.id))
    one, two = rows.all()
    return one, two


def _new_guardian(session: Session) -> None:
    session.add(
        Guardian(school_id=1, name="g", phone_sealed=b"", phone_hash=b"h" * 32, phone_tail="")
    )


def _new_student(session: Session) -> None:
    session.add(Student(school_id=1, number="n", name="新", homeroom_id=1))


def _bind(session: Session) -> None:
    session.get_one(CardBinding, 1).unbound_at = MORNING
    session.flush()
    bind_card(session, session.get_one(Card, 1), 2, MORNING)


CHANGES: dict[str, Change] = {
    "a card is added": lambda s: add_card(s, 1, "DEADBEEF", MORNING),
    "a card is lost": lambda s: set_card_state(s, s.get_one(Card, 1), CardState.LOST, MORNING),
    "a card changes hands": _bind,
    "a student comes": _new_student,
    "a name is corrected": lambda s: setattr(s.get_one(Student, 1), "name", "学壹"),
    "a student changes the homeroom": lambda s: setattr(s.get_one(Student, 1), "homeroom_id", 2),
    "a student boards": lambda s: s.add(
        Boarding(school_id=1, student_id=1, from_on=date(2026, 9, 1))
    ),
    "a guardian comes": _new_guardian,
    "a guardian reads English": lambda s: setattr(
        s.get_one(Guardian, 1), "language", Language.ENGLISH
    ),
    "a guardian is told no more": lambda s: setattr(
        s.get_one(Guardianship, (1, 1)), "is_told", False
    ),
    "a guardian leaves": lambda s: s.delete(s.get_one(Guardianship, (1, 1))),
    "a homeroom is made": lambda s: s.add(Homeroom(school_id=1, grade=8, name="八(9)班")),
    "a homeroom changes the grade": lambda s: setattr(s.get_one(Homeroom, 1), "grade", 12),
    "a term begins": lambda s: s.add(
        Term(
            school_id=1,
            school_year=2026,
            name="第一学期",
            starts_on=date(2026, 9, 1),
            ends_on=date(2027, 1, 20),
        )
    ),
    "a reader is turned": lambda s: setattr(s.get_one(Reader, 1), "direction", None),
    "the signature": lambda s: setattr(s.get_one(School, 1), "signature", "新"),
    "the late time": lambda s: setattr(s.get_one(School, 1), "late_after", "08:30"),
    "the zone": lambda s: setattr(s.get_one(School, 1), "zone", "Asia/Urumqi"),
    "the double tap": lambda s: setattr(s.get_one(School, 1), "double_tap_s", 5),
    "when a message is stale": lambda s: setattr(s.get_one(School, 1), "stale_minutes", 5),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_raises_its_schools_version(session: Session, change: Change) -> None:
    one, two = versions(session)
    change(session)
    session.commit()
    after_one, after_two = versions(session)
    assert after_one > one
    assert after_two == two


UNWATCHED: dict[str, Change] = {
    "the school's name": lambda s: setattr(s.get_one(School, 1), "name", "新"),
    "the same value": lambda s: setattr(s.get_one(Student, 1), "name", "学一"),
}


@pytest.mark.parametrize("change", UNWATCHED.values(), ids=UNWATCHED.keys())
def test_what_no_directory_keeps_raises_nothing(session: Session, change: Change) -> None:
    before = versions(session)
    change(session)
    session.commit()
    assert versions(session) == before


def test_what_is_rolled_back_raises_nothing(session: Session) -> None:
    before = versions(session)
    session.get_one(Student, 1).name = "x"
    session.flush()
    session.rollback()
    assert versions(session) == before

"""The cards that lie in a demo's card tray: students' cards to pick from, and two stray ones."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from card_server.people.student_search import matches
from card_server.register.homerooms import of_today
from schema.messages import CardState
from schema.tables.attendance import Attendance, Presence
from schema.tables.cards import Card, CardBinding
from schema.tables.people import Student
from schema.tables.readers import Reader
from schema.tables.school import Homeroom, School

MAX_CARDS = 24
_MAX_BLANK = 3
UNKNOWN_UID = "04C0FFEE000001"
"""A card that no school gave out."""


@dataclass(frozen=True)
class TrayCard:
    """One card with what is printed on it; a stray card has nothing on it."""

    uid: str
    name: str = ""
    homeroom: str = ""
    number: str = ""


@dataclass(frozen=True)
class Tray:
    """What lies in the tray."""

    cards: list[TrayCard]
    lost: TrayCard | None
    blank: list[TrayCard]
    """From the drawer: nobody's, to be given out at the desk."""
    unknown: TrayCard


def read_tray(session: Session, school_id: int, words: str, homeroom_id: int | None) -> Tray:
    """At most MAX_CARDS cards that match, in four queries."""
    wanted = _select_cards(school_id, CardState.ACTIVE).limit(MAX_CARDS)
    if words := " ".join(words.split()):
        wanted = wanted.where(matches(words))
    if homeroom_id is not None:
        wanted = wanted.where(Student.homeroom_id == homeroom_id)
    lost = session.execute(_select_cards(school_id, CardState.LOST).limit(1)).first()
    return Tray(
        [TrayCard(*row) for row in session.execute(wanted)],
        TrayCard(*lost) if lost else None,
        _blank_cards(session, school_id),
        TrayCard(UNKNOWN_UID),
    )


def _blank_cards(session: Session, school_id: int) -> list[TrayCard]:
    found = session.execute(
        select(Card.uid, Card.label)
        .where(Card.school_id == school_id, Card.state == CardState.RETURNED)
        .order_by(Card.kind, Card.id)
        .limit(_MAX_BLANK)
    )
    return [TrayCard(uid, label) for uid, label in found]


def find_tray_school(session: Session) -> School | None:
    """The school of a demo: its only one."""
    return session.scalar(select(School).order_by(School.id).limit(1))


def read_tray_homerooms(session: Session, school_id: int) -> list[tuple[int, str]]:
    """Id and name of each homeroom, to filter by."""
    found = session.execute(
        select(Homeroom.id, Homeroom.name)
        .where(of_today(school_id))
        .order_by(Homeroom.grade, Homeroom.id)
    )
    return [(key, name) for key, name in found]


def read_tray_readers(session: Session, school_id: int) -> list[Reader]:
    """The readers that a card can be held to."""
    found = session.scalars(select(Reader).where(Reader.school_id == school_id).order_by(Reader.id))
    return list(found)


def read_uids_to_come(session: Session, school_id: int, day: date) -> list[str]:
    """The cards of those who have not arrived on a day, and are not inside since before it."""
    arrived = select(Attendance.student_id).where(
        Attendance.school_id == school_id,
        Attendance.day == day,
        Attendance.arrived_at.is_not(None),
    )
    inside = select(Presence.student_id).where(
        Presence.school_id == school_id, Presence.is_inside.is_(True)
    )
    found = session.scalars(
        select(Card.uid)
        .join(CardBinding, and_(CardBinding.card_id == Card.id, CardBinding.unbound_at.is_(None)))
        .where(
            Card.school_id == school_id,
            Card.state == CardState.ACTIVE,
            CardBinding.student_id.not_in(arrived),
            CardBinding.student_id.not_in(inside),
        )
        .order_by(Card.id)
    )
    return list(found)


def _select_cards(school_id: int, state: CardState) -> Select[str, str, str, str]:
    return (
        select(Card.uid, Student.name, Homeroom.name, Student.number)
        .join(CardBinding, and_(CardBinding.card_id == Card.id, CardBinding.unbound_at.is_(None)))
        .join(Student, Student.id == CardBinding.student_id)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(Card.school_id == school_id, Card.state == state)
        .order_by(Homeroom.grade, Homeroom.id, Student.number)
    )

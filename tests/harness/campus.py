"""Schools for tests: students, guardians, cards and readers, as many as wanted."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from card_server.storage.sealing import Seal
from schema.messages import CardState
from schema.tables.cards import Card, CardBinding, CardChange
from schema.tables.people import Guardian, Guardianship, Language, Student
from schema.tables.readers import Direction, Purpose, Reader
from schema.tables.school import Homeroom, School

DATA_KEY = b"k" * 32
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
_PER_HOMEROOM = 50


@dataclass(frozen=True)
class Campus:
    """A school as a test made it; lists run in the order of student numbers."""

    school_id: int
    code: str
    student_ids: list[int]
    uids: list[str]
    readers: dict[str, int]


def make_campus(
    session: Session,
    code: str = "no1",
    *,
    students: int = 3,
    readers: dict[str, Direction | None] | None = None,
    first_id: int = 1,
) -> Campus:
    """A school with one guardian and one active card a student; ids run from `first_id`.

    The guardians have shown whose their numbers are, and consented to messages.
    """
    readers = readers or {"gate-in": Direction.IN, "gate-out": Direction.OUT}
    school = School(
        code=code, name=f"{code}中学", signature="一中", cards_version=students, register_version=1
    )
    session.add(school)
    session.flush()
    ids = list(range(first_id, first_id + students))
    uids = [uid_of(number) for number in ids]
    rooms = _add_homerooms(session, school.id, students)
    _add_students(session, school.id, ids, rooms)
    _add_cards(session, school.id, ids, uids)
    _move_sequences(session)
    by_code = {}
    for reader, direction in readers.items():
        row = Reader(
            school_id=school.id,
            code=reader,
            name=reader,
            place="校门",
            purpose=Purpose.GATE,
            direction=direction,
        )
        session.add(row)
        session.flush()
        by_code[reader] = row.id
    return Campus(school.id, code, ids, uids, by_code)


def _move_sequences(session: Session) -> None:
    """PostgreSQL does not notice ids that were given by hand."""
    if session.connection().dialect.name != "postgresql":
        return
    for table in ("student", "guardian", "card"):
        move = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
        session.execute(text(move))


def uid_of(number: int) -> str:
    """The card number that make_campus gives to a student."""
    return f"04{number:010X}80"


def phone_of(number: int) -> str:
    """The phone number that make_campus gives to a student's guardian."""
    return f"+86138{number:08d}"


def _add_homerooms(session: Session, school_id: int, students: int) -> list[int]:
    rooms = []
    for number in range(1, -(-students // _PER_HOMEROOM) + 1):
        room = Homeroom(school_id=school_id, grade=7, name=f"七({number})班")
        session.add(room)
        session.flush()
        rooms.append(room.id)
    return rooms


def _add_students(session: Session, school_id: int, ids: list[int], rooms: list[int]) -> None:
    seal = Seal(DATA_KEY)
    students, guardians, links = [], [], []
    for place, number in enumerate(ids):
        students.append(
            {
                "id": number,
                "school_id": school_id,
                "number": f"S{number:06d}",
                "name": f"学{_numeral(number)}",
                "pinyin": "",
                "homeroom_id": rooms[place // _PER_HOMEROOM],
            }
        )
        phone = phone_of(number)
        guardians.append(
            {
                "id": number,
                "school_id": school_id,
                "name": f"家长{number}",
                "phone_sealed": seal.close(phone),
                "phone_hash": seal.hash(phone),
                "phone_tail": phone[-4:],
                "language": Language.CHINESE,
                "verified_at": LONG_AGO,
            }
        )
        links.append(
            {
                "student_id": number,
                "guardian_id": number,
                "relation": "母亲",
                "is_told": True,
                "consented_at": LONG_AGO,
            }
        )
    for table, rows in ((Student, students), (Guardian, guardians), (Guardianship, links)):
        session.execute(insert(table), rows)


def _numeral(number: int) -> str:
    """The number in Han numerals, so that names look like names."""
    return "".join("〇一二三四五六七八九"[int(digit)] for digit in str(number))


def _add_cards(session: Session, school_id: int, ids: list[int], uids: list[str]) -> None:
    cards, bindings, changes = [], [], []
    for version, (number, uid) in enumerate(zip(ids, uids, strict=True), start=1):
        state = {"school_id": school_id, "uid": uid, "state": CardState.ACTIVE}
        cards.append({**state, "id": number, "state_since": LONG_AGO})
        changes.append({**state, "version": version, "changed_at": LONG_AGO})
        bindings.append(
            {
                "school_id": school_id,
                "card_id": number,
                "student_id": number,
                "bound_at": LONG_AGO + timedelta(days=1),
            }
        )
    for table, rows in ((Card, cards), (CardBinding, bindings), (CardChange, changes)):
        session.execute(insert(table), rows)

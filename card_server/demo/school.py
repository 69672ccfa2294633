"""The demo's school: 600 made-up students with their guardians, cards, homerooms and six gates."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from random import Random

from faker import Faker
from pypinyin import Style, lazy_pinyin
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.storage.sealing import Seal
from schema.messages import CardState
from schema.tables.cards import Card, CardBinding, CardChange
from schema.tables.people import Guardian, Guardianship, Student
from schema.tables.readers import Direction, Purpose, Reader
from schema.tables.school import Homeroom, School

CODE = "demo"
STUDENTS_PER_HOMEROOM = 40
HOMEROOMS_PER_GRADE = 5
GRADES = {7: "初一", 8: "初二", 9: "初三"}
_SEED = 20260901
_CARDS_ARE_OLD = timedelta(days=60)
_MOBILE_PREFIXES = (
    *range(130, 140),
    *(150, 151, 152, 153, 155, 156, 157, 158, 159),
    *(176, 177, 178),
    *range(180, 190),
    *(198, 199),
)


@dataclass(frozen=True)
class Gate:
    """One lane of a gate."""

    code: str
    name: str
    place: str
    direction: Direction


GATES = (
    Gate("gate-east-in", "东门 进", "东门", Direction.IN),
    Gate("gate-east-out", "东门 出", "东门", Direction.OUT),
    Gate("gate-west-in", "西门 进", "西门", Direction.IN),
    Gate("gate-west-out", "西门 出", "西门", Direction.OUT),
    Gate("gate-south-in", "南门 进", "南门", Direction.IN),
    Gate("gate-south-out", "南门 出", "南门", Direction.OUT),
)


def find_school(session: Session) -> School | None:
    """The demo's school, if it was made before."""
    return session.scalars(select(School).where(School.code == CODE)).one_or_none()


def create_school(session: Session, seal: Seal, now: datetime) -> School:
    """The whole school; the same people, numbers and cards each time."""
    school = School(code=CODE, name="实验中学", signature="实验中学")
    session.add(school)
    session.flush()
    session.add_all(
        Reader(
            school_id=school.id,
            code=gate.code,
            name=gate.name,
            place=gate.place,
            purpose=Purpose.GATE,
            direction=gate.direction,
        )
        for gate in GATES
    )
    random = Random(_SEED)  # noqa: S311  the same school each time is what is wanted
    faker = Faker("zh_CN")
    faker.seed_instance(_SEED)
    students = _add_students(session, school, faker, now.year)
    _add_guardians(session, students, seal, faker, random)
    _add_cards(session, school, students, random, now)
    session.flush()
    return school


def _add_students(session: Session, school: School, faker: Faker, year: int) -> list[Student]:
    homerooms = [
        Homeroom(school_id=school.id, grade=grade, name=f"{GRADES[grade]}({number})班")
        for grade, number in product(GRADES, range(1, HOMEROOMS_PER_GRADE + 1))
    ]
    session.add_all(homerooms)
    session.flush()
    students = []
    for index, homeroom in enumerate(homerooms):
        entered = year - (homeroom.grade - min(GRADES))
        for seat in range(1, STUDENTS_PER_HOMEROOM + 1):
            name = faker.name()
            students.append(
                Student(
                    school_id=school.id,
                    number=f"{entered}{index % HOMEROOMS_PER_GRADE + 1:02}{seat:02}",
                    name=name,
                    pinyin=_pinyin(name),
                    homeroom_id=homeroom.id,
                )
            )
    session.add_all(students)
    session.flush()
    return students


def _pinyin(name: str) -> str:
    initials = "".join(lazy_pinyin(name, style=Style.FIRST_LETTER))
    return " ".join([*lazy_pinyin(name), initials])


def _add_guardians(
    session: Session, students: list[Student], seal: Seal, faker: Faker, random: Random
) -> None:
    phones = _phones(random)
    pairs = []
    for student in students:
        # A mother keeps her own family name; a father's is the child's.
        parents = [
            ("父亲", student.name[0] + faker.first_name_male()),
            ("母亲", faker.name_female()),
        ]
        for relation, name in random.sample(parents, random.choice((1, 2))):
            phone = next(phones)
            guardian = Guardian(
                school_id=student.school_id,
                name=name,
                phone_sealed=seal.close(phone),
                phone_hash=seal.hash(phone),
                phone_tail=phone[-4:],
            )
            pairs.append((student, guardian, relation))
    session.add_all(guardian for _, guardian, _ in pairs)
    session.flush()
    session.add_all(
        Guardianship(student_id=student.id, guardian_id=guardian.id, relation=relation)
        for student, guardian, relation in pairs
    )


def _phones(random: Random) -> Iterator[str]:
    """Chinese mobile numbers in E.164, each once."""
    given: set[str] = set()
    while True:
        phone = f"+86{random.choice(_MOBILE_PREFIXES)}{random.randrange(10**8):08}"
        if phone not in given:
            given.add(phone)
            yield phone


def _add_cards(
    session: Session, school: School, students: list[Student], random: Random, now: datetime
) -> None:
    """One card to each student; the first one lost a card before and got this one for it."""
    bound_at = now - _CARDS_ARE_OLD
    uids = _uids(random)
    lost = Card(
        school_id=school.id, uid=next(uids), state=CardState.LOST, state_since=now - timedelta(1)
    )
    cards = [
        Card(school_id=school.id, uid=next(uids), state_since=bound_at, state=CardState.ACTIVE)
        for _ in students
    ]
    session.add_all([lost, *cards])
    session.flush()
    session.add_all(
        CardBinding(school_id=school.id, card_id=card.id, student_id=student.id, bound_at=bound_at)
        for card, student in zip([lost, *cards], [students[0], *students], strict=True)
    )
    session.add_all(
        CardChange(
            school_id=school.id, version=version, uid=card.uid, state=card.state, changed_at=now
        )
        for version, card in enumerate([lost, *cards], 1)
    )
    school.cards_version = len(cards) + 1


def _uids(random: Random) -> Iterator[str]:
    """Seven-byte card numbers of a maker with the code 04 (ISO/IEC 7816-6), each once."""
    given: set[str] = set()
    while True:
        uid = f"04{random.randrange(256**6):012X}"
        if uid not in given:
            given.add(uid)
            yield uid

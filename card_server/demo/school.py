"""The demo's school: 600 made-up students with their guardians, cards, homerooms and six gates."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

from faker import Faker
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.demo.calendar import add_calendar
from card_server.demo.cards import add_cards
from card_server.demo.people import add_students, add_terms
from card_server.school_time import day_of
from card_server.storage.sealing import Seal
from schema.tables.people import ConsentWording, Guardian, Guardianship, Language, Student
from schema.tables.readers import Direction, Purpose, Reader
from schema.tables.school import School

CODE = "demo"
_SEED = 20260901
_WORDINGS = {
    Language.ENGLISH: "I agree that the school sends messages to my phone to tell me of my child's"
    " arrivals, departures, attendance and leave. I can stop them at any time.",
    Language.CHINESE: "本人同意学校为告知孩子到校、离校、考勤和请假情况，"
    "向本人手机发送消息；可随时退订。",
}
"""What guardians consent to, in the language that they read; staff are offered the last first."""
_MOBILE_PREFIXES = (
    *range(130, 140),
    *(150, 151, 152, 153, 155, 156, 157, 158, 159),
    *(176, 177, 178),
    *range(180, 190),
    *(198, 199),
)


@dataclass(frozen=True)
class Gate:
    """One lane of a gate, or the desk."""

    code: str
    name: str
    place: str
    direction: Direction | None
    purpose: Purpose = Purpose.GATE


GATES = (
    Gate("gate-east-in", "东门 进", "东门", Direction.IN),
    Gate("gate-east-out", "东门 出", "东门", Direction.OUT),
    Gate("gate-west-in", "西门 进", "西门", Direction.IN),
    Gate("gate-west-out", "西门 出", "西门", Direction.OUT),
    Gate("gate-south-in", "南门 进", "南门", Direction.IN),
    Gate("gate-south-out", "南门 出", "南门", Direction.OUT),
)
READERS = (
    *GATES,
    Gate("desk", "发卡台", "教务处", None, Purpose.DESK),
    Gate("enrolment", "报到处", "礼堂", None, Purpose.ENROLMENT),
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
            code=one.code,
            name=one.name,
            place=one.place,
            purpose=one.purpose,
            direction=one.direction,
        )
        for one in READERS
    )
    random = Random(_SEED)  # noqa: S311  the same school each time is what is wanted
    faker = Faker("zh_CN")
    faker.seed_instance(_SEED)
    year = add_terms(session, school, now)
    students = add_students(session, school, faker, random, year, now)
    wording = _add_wordings(session, school, now)[Language.CHINESE]
    _add_guardians(session, students, wording, seal, faker, random)
    add_cards(session, school, students, random, now)
    add_calendar(session, school, year, day_of(now, ZoneInfo(school.zone)))
    session.flush()
    return school


def _add_wordings(
    session: Session, school: School, now: datetime
) -> dict[Language, ConsentWording]:
    """What guardians are asked to consent to; all of the demo did so on paper, in Chinese."""
    wordings = {
        language: ConsentWording(
            school_id=school.id, language=language, body=body, made_by="教务处", made_at=now
        )
        for language, body in _WORDINGS.items()
    }
    session.add_all(wordings.values())
    session.flush()
    return wordings


def _add_guardians(
    session: Session,
    students: list[Student],
    wording: ConsentWording,
    seal: Seal,
    faker: Faker,
    random: Random,
) -> None:
    """One or two a student; their numbers are known to be theirs, and they consented."""
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
                verified_at=wording.made_at,
                verified_by=wording.made_by,
            )
            pairs.append((student, guardian, relation))
    session.add_all(guardian for _, guardian, _ in pairs)
    session.flush()
    session.add_all(
        Guardianship(
            student_id=student.id,
            guardian_id=guardian.id,
            relation=relation,
            consented_at=wording.made_at,
            consent_wording_id=wording.id,
            consent_by=wording.made_by,
        )
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

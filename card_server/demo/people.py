"""The demo's people: homerooms of the running school year, their students, terms and notes."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import product
from random import Random
from zoneinfo import ZoneInfo

from faker import Faker
from sqlalchemy.orm import Session

from card_server.people.names import write_pinyin
from card_server.register.terms import school_year_of
from card_server.school_time import day_of
from schema.tables.people import Boarding, HomeroomStay, Sex, Student, StudentNote
from schema.tables.school import Homeroom, School, Term

STUDENTS_PER_HOMEROOM = 40
HOMEROOMS_PER_GRADE = 5
GRADES = {7: "初一", 8: "初二", 9: "初三"}
_BOARDERS = {7: 0.1, 8: 0.15, 9: 0.3}
"""The share of boarders by grade: the examination year has most."""
_NOTES = (
    (3, "对花生过敏，午餐请注意。"),
    (58, "周三放学由奶奶接，妈妈上晚班。"),
    (127, "近视，座位请安排在前三排。"),
    (301, "校田径队，周二、周四训练到 18:00。"),
    (455, "家长长期在外地，急事请先联系姑姑。"),
)
"""By the student's place in the school, so that each visit finds them again."""


def add_terms(session: Session, school: School, now: datetime) -> int:
    """The two terms of the running school year, which is returned."""
    year = school_year_of([], day_of(now, ZoneInfo(school.zone)))
    session.add_all(
        Term(
            school_id=school.id,
            school_year=year,
            name=name,
            starts_on=starts_on,
            ends_on=ends_on,
        )
        for name, starts_on, ends_on in (
            ("第一学期", date(year, 9, 1), date(year + 1, 1, 22)),
            ("第二学期", date(year + 1, 2, 22), date(year + 1, 7, 9)),
        )
    )
    session.flush()
    return year


def add_students(
    session: Session, school: School, faker: Faker, random: Random, year: int, now: datetime
) -> list[Student]:
    """All homerooms and students, with their stays; some board, of some there is a note."""
    homerooms = [
        Homeroom(
            school_id=school.id, school_year=year, grade=grade, name=f"{GRADES[grade]}({number})班"
        )
        for grade, number in product(GRADES, range(1, HOMEROOMS_PER_GRADE + 1))
    ]
    session.add_all(homerooms)
    session.flush()
    began = min(date(year, 9, 1), day_of(now, ZoneInfo(school.zone)))
    students = list(_make_students(school, homerooms, faker, random, year, began))
    session.add_all(students)
    session.flush()
    session.add_all(
        HomeroomStay(
            student_id=one.id, from_on=began, school_id=school.id, homeroom_id=one.homeroom_id
        )
        for one in students
    )
    grades = {room.id: room.grade for room in homerooms}
    session.add_all(
        Boarding(student_id=one.id, from_on=began, school_id=school.id)
        for one in students
        if random.random() < _BOARDERS[grades[one.homeroom_id]]
    )
    session.add_all(
        StudentNote(
            school_id=school.id,
            student_id=students[place].id,
            body=body,
            written_by="班主任",
            written_at=now - timedelta(days=20),
        )
        for place, body in _NOTES
    )
    session.flush()
    return students


def _make_students(
    school: School,
    homerooms: list[Homeroom],
    faker: Faker,
    random: Random,
    year: int,
    began: date,
) -> Iterator[Student]:
    for index, homeroom in enumerate(homerooms):
        entered = year - (homeroom.grade - min(GRADES))
        for seat in range(1, STUDENTS_PER_HOMEROOM + 1):
            sex = Sex.MALE if random.random() < 0.52 else Sex.FEMALE
            name = faker.name_male() if sex is Sex.MALE else faker.name_female()
            # Twelve by the end of August: who enters grade 7 has begun school at six.
            born_on = date(entered - 13, 9, 1) + timedelta(days=random.randrange(365))
            yield Student(
                school_id=school.id,
                number=f"{entered}{index % HOMEROOMS_PER_GRADE + 1:02}{seat:02}",
                name=name,
                pinyin=write_pinyin(name),
                homeroom_id=homeroom.id,
                sex=sex,
                born_on=born_on,
                status_since=began,
            )

"""A school with two homerooms and its clock, for the tests of people."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.people.students import add_student, read_settings
from card_server.storage.sealing import Seal
from schema.tables.people import Student
from schema.tables.school import Homeroom, School

SEAL = Seal(bytes(32))
ZONE = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
BEGUN = date(2026, 9, 1)


@dataclass
class PeopleSchool:
    """The ids of a school and its homerooms."""

    id: int
    homerooms: list[int]


def make_people_school(session: Session, code: str = "no1") -> PeopleSchool:
    """初一(1)班, 初一(2)班 and 初三(1)班 of 2026."""
    school = School(code=code, name="校", signature="校")
    session.add(school)
    session.flush()
    rooms = [
        Homeroom(school_id=school.id, grade=grade, name=name, school_year=2026)
        for grade, name in ((7, "初一(1)班"), (7, "初一(2)班"), (9, "初三(1)班"))
    ]
    session.add_all(rooms)
    session.flush()
    return PeopleSchool(school.id, [one.id for one in rooms])


def enrol(
    session: Session,
    school: PeopleSchool,
    number: str = "20260101",
    room: int = 0,
    on: date = BEGUN,
    **more: str,
) -> Student:
    """A student of one of the homerooms."""
    typed = {"number": number, "name": "张三", **more}
    return add_student(
        session,
        SYSTEM,
        school.id,
        read_settings(typed),
        school.homerooms[room],
        on,
        TODAY + timedelta(days=1000),
        SEAL,
    )

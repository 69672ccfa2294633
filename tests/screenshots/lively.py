"""A school in mid-morning, as pictures show it: most are here, some late, some messages lost."""

from datetime import UTC, datetime, timedelta
from random import Random

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from card_server.demo.school import create_school
from card_server.staff.accounts import create_staff
from card_server.staff.scope import WHOLE_SCHOOL, Grant
from card_server.storage.sealing import Seal
from schema.messages import Refusal
from schema.tables.cards import Card, CardBinding
from schema.tables.messages import MessageState
from schema.tables.people import Guardianship, Student
from schema.tables.readers import Aside, Reader
from schema.tables.school import Homeroom, School
from schema.tables.staff import Role, Scope, Staff
from tests.card_server.web.small_school import (
    SmallSchool,
    add_health,
    add_message,
    add_tap,
    make_school,
)

LOGIN, DISTRICT_LOGIN = "wang", "qian"
_STATES = (
    MessageState.ACCEPTED,
    MessageState.ACCEPTED,
    MessageState.QUEUED,
    MessageState.FAILED,
    MessageState.UNKNOWN,
    MessageState.SUPPRESSED,
)


def make_lively_school(session: Session) -> SmallSchool:
    """The demo's 600 students, of whom most have arrived within the last hour and a half."""
    now, random = datetime.now(UTC), Random(7)
    row = create_school(session, Seal(bytes(32)), now)
    password = create_staff(session, row.id, LOGIN, "王老师", WHOLE_SCHOOL)
    session.execute(update(Staff).values(password_is_one_time=False))
    school = _describe(session, row.id, password)
    for number in range(len(school.students)):
        if random.random() < 0.07:
            continue
        minutes = min(95.0, max(2.0, random.gauss(52, 12)))
        late = max(0, 30 - int(minutes))
        add_tap(session, school, number, at=now - timedelta(minutes=minutes), late_minutes=late)
    names = list(session.scalars(select(Student.name).order_by(Student.id)))
    for number in range(24):
        add_message(session, school, number, _STATES[number % len(_STATES)], _body(names, number))
    add_tap(session, school, 3, reason=Refusal.LOST)
    add_tap(session, school, None, uid="04C0FFEE000001", reason=Refusal.UNKNOWN)
    for reader in range(len(school.readers) - 1):
        add_health(session, school, reader, now - timedelta(seconds=90 * (reader == 2)))
    session.add(
        Aside(
            school_id=school.id,
            topic="campus/v1/demo/gate-east-in/tap",
            reason="malformed",
            body=b'{"uid": 7}',
            digest=bytes(32),
            times=3,
            received_at=now,
        )
    )
    session.flush()
    return school


def _body(names: list[str], number: int) -> str:
    return f"【实验中学】家长您好，{names[number]}已于07:{30 + number}进入学校。"


def make_district(session: Session) -> str:
    """Schools beside the lively one, and the password of somebody who administers all."""
    for number, name in enumerate(("第二中学", "第三中学", "外国语学校"), start=2):
        make_school(session, f"no{number}", students=24)
        session.execute(update(School).where(School.code == f"no{number}").values(name=name))
    grant = Grant(Role.DISTRICT_ADMIN, Scope.DISTRICT)
    password = create_staff(session, None, DISTRICT_LOGIN, "钱科长", grant)
    session.execute(update(Staff).values(password_is_one_time=False))
    return password


def _describe(session: Session, school_id: int, password: str) -> SmallSchool:
    cards = session.execute(
        select(CardBinding.student_id, Card.uid)
        .join(Card, Card.id == CardBinding.card_id)
        .order_by(CardBinding.student_id)
    )
    students = dict(cards.all())
    guardians: dict[int, int] = {}
    for student_id, guardian_id in session.execute(
        select(Guardianship.student_id, Guardianship.guardian_id)
    ):
        guardians.setdefault(student_id, guardian_id)
    return SmallSchool(
        id=school_id,
        login=LOGIN,
        password=password,
        homerooms=list(session.scalars(select(Homeroom.id).order_by(Homeroom.id))),
        students=list(students),
        uids=list(students.values()),
        guardians=[guardians[student] for student in students],
        readers=list(session.scalars(select(Reader.id).order_by(Reader.id))),
        cards=list(session.scalars(select(Card.id).order_by(Card.id))),
    )

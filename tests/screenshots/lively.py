"""A school in mid-morning, as pictures show it: most are here, some late, some messages lost."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.demo.school import create_school
from card_server.staff.accounts import create_staff
from card_server.staff.scope import WHOLE_SCHOOL, Grant
from card_server.storage.sealing import Seal
from schema.tables.cards import Card, CardBinding
from schema.tables.messages import Message, MessageState
from schema.tables.people import Guardianship
from schema.tables.readers import Aside, Reader
from schema.tables.school import Homeroom, School
from schema.tables.staff import Role, Scope, Staff
from tests.card_server.web.campus_things import add_evacuation
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.small_school import (
    SmallSchool,
    add_health,
    make_school,
)
from tests.harness.zones import zone_where_it_is
from tests.screenshots.week import Week

LOGIN, DISTRICT_LOGIN = "wang", "qian"
_HOUR = 9
_UNSURE = 24
_STATES = (
    MessageState.ACCEPTED,
    MessageState.ACCEPTED,
    MessageState.QUEUED,
    MessageState.FAILED,
    MessageState.UNKNOWN,
    MessageState.SUPPRESSED,
)


def make_lively_school(sessions: sessionmaker[Session]) -> SmallSchool:
    """The demo's 600 students after a school week, at nine in the morning of their zone."""
    now = datetime.now(UTC)
    with sessions.begin() as session:
        row = create_school(session, Seal(bytes(32)), now)
        row.zone = zone_where_it_is(_HOUR).key
        password = create_staff(session, row.id, LOGIN, "王老师", WHOLE_SCHOOL)
        session.execute(update(Staff).values(password_is_one_time=False))
        school = _describe(session, row.id, password)
        for reader in range(len(school.readers) - 1):
            add_health(session, school, reader, now - timedelta(seconds=90 * (reader == 2)))
    Week(sessions, school).until(now)
    with sessions.begin() as session:
        _send(session)
        add_evacuation(session, school, range(12), is_running=False, found=range(11))
        session.add_all(make_slip(school, one, now + timedelta(days=one)) for one in (1, 2))
        session.add(_broken_message(school, now))
    return school


def _send(session: Session) -> None:
    """Most messages were taken by their carrier; of the newest ones some were not."""
    waiting = select(Message).where(Message.state == MessageState.QUEUED)
    messages = session.scalars(waiting.order_by(Message.created_at.desc())).all()
    for place, message in enumerate(messages):
        message.state = _STATES[place % len(_STATES)] if place < _UNSURE else MessageState.ACCEPTED
        message.changed_at = message.created_at
        if message.state is MessageState.ACCEPTED:
            message.provider, message.attempts = "console", 1
        if message.state is MessageState.FAILED:
            message.error = "30006: landline or unreachable"


def _broken_message(school: SmallSchool, now: datetime) -> Aside:
    return Aside(
        school_id=school.id,
        topic="campus/v1/demo/gate-east-in/tap",
        reason="malformed",
        body=b'{"uid": 7}',
        digest=bytes(32),
        times=3,
        received_at=now,
    )


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

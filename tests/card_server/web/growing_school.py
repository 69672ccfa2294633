"""A school with one of everything, and the same school with many of everything."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import uuid_utils
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM, note
from card_server.school_time import DISTRICT_ZONE, day_of
from card_server.staff.accounts import add_grant
from card_server.staff.scope import WHOLE_SCHOOL, Grant
from schema.messages import CardState, Refusal
from schema.tables.cards import Card
from schema.tables.jobs import JobState
from schema.tables.people import Guardian, Guardianship
from schema.tables.readers import Direction, Purpose, Reader
from schema.tables.school import Campus, Homeroom, School, Term
from schema.tables.staff import Role, Scope, Staff
from schema.tables.tokens import ApiToken
from schema.tables.webhooks import DeliveryState, EventKind, Webhook, WebhookDelivery
from tests.card_server.web.campus_things import (
    add_evacuation,
    add_to_evacuation,
    add_waiting,
)
from tests.card_server.web.leave_things import add_leave_things, make_slip
from tests.card_server.web.odd_things import add_odd_things, begin_day
from tests.card_server.web.small_school import (
    SmallSchool,
    add_health,
    add_job,
    add_message,
    add_students,
    add_tap,
)

MANY = 60
"""More than a page of a table has."""


def add_first(session: Session, school: SmallSchool) -> None:
    """One of everything that a page may be about, beside what a small school has."""
    add_things(session, school, range(1))
    fill(session, school, range(len(school.students)))
    add_leave_things(session, school, 0)
    add_evacuation(session, school, ())
    add_to_evacuation(session, school, range(len(school.students)))
    add_waiting(session, school, 0)
    add_odd_things(session, school, 0)


def grow(session: Session, school: SmallSchool) -> None:
    """Many of everything, most of them under the first student, homeroom and webhook."""
    before = len(school.students)
    add_students(session, school, range(before, before + MANY))
    fill(session, school, range(before, before + MANY))
    for number in range(1, MANY):
        add_leave_things(session, school, number)
        add_odd_things(session, school, number)
        session.add(make_slip(school, 0, datetime.now(UTC) + timedelta(days=7 + number)))
    for number in range(MANY):
        add_tap(session, school, 0, reason=Refusal.LOST)
        add_message(session, school, 0)
        _add_guardian(session, school, number)
    add_things(session, school, range(1, MANY))
    add_to_evacuation(session, school, range(before, before + MANY))
    for days_ago in range(1, 20):
        add_waiting(session, school, days_ago)
    begin_day(session, school, day_of(datetime.now(UTC), DISTRICT_ZONE))


def fill(session: Session, school: SmallSchool, numbers: Iterable[int]) -> None:
    """A tap and a message of each of these students."""
    for number in numbers:
        add_tap(session, school, number, late_minutes=number % 3)
        add_tap(session, school, number, reason=Refusal.HELD)
        add_message(session, school, number)


def add_things(session: Session, school: SmallSchool, numbers: Iterable[int]) -> None:
    """For each number a homeroom, a reader, an account, and whatever else settings show."""
    made_by = session.scalars(select(Staff.id).where(Staff.login == school.login)).one()
    now = datetime.now(UTC)
    for number in numbers:
        session.add(Homeroom(school_id=school.id, grade=2, name=f"高二({number})班"))
        _add_reader(session, school, number)
        _add_account(session, school.id, f"t{number}-{school.id}", WHOLE_SCHOOL)
        _add_account(session, None, f"d{number}-{school.id}", Grant(Role.AUDITOR, Scope.DISTRICT))
        _add_webhook(session, school, number, now)
        session.add(_token(school, number, made_by, now))
        add_job(session, school, state=JobState.DONE)
        session.add(
            Term(
                school_id=school.id,
                school_year=1950 + number,
                name=f"{1950 + number}秋",
                starts_on=date(1950 + number, 9, 1),
                ends_on=date(1950 + number, 12, 31),
            )
        )
        session.add(Campus(school_id=school.id, name=f"校区{number}"))
        session.add(
            Card(
                school_id=school.id,
                uid=f"04FF{school.id:04X}{number:06X}",
                state=CardState.ACTIVE,
                state_since=now,
            )
        )
        _note_changes(session, school, number)
    session.flush()


def _add_account(session: Session, school_id: int | None, login: str, grant: Grant) -> None:
    """An account that nobody can log in with: no password has this hash, which costs no time."""
    staff = Staff(school_id=school_id, login=login, name=f"职员{login}", password_hash="-")
    session.add(staff)
    session.flush()
    add_grant(session, staff, grant)


def _add_guardian(session: Session, school: SmallSchool, number: int) -> None:
    """One more guardian of the first student."""
    now = datetime.now(UTC)
    guardian = Guardian(
        school_id=school.id,
        name=f"家长{number}",
        phone_sealed=b"\x01",
        phone_hash=bytes(32),
        phone_tail=f"{number:04}",
        verified_at=now,
    )
    session.add(guardian)
    session.flush()
    session.add(
        Guardianship(
            student_id=school.students[0],
            guardian_id=guardian.id,
            relation="父亲",
            consented_at=now,
        )
    )


def _add_reader(session: Session, school: SmallSchool, number: int) -> None:
    reader = Reader(
        school_id=school.id,
        code=f"more-{number}",
        name=f"通道{number}",
        place=f"通道{number}",
        purpose=Purpose.GATE,
        direction=Direction.IN,
    )
    session.add(reader)
    session.flush()
    school.readers.append(reader.id)
    add_health(session, school, len(school.readers) - 1, datetime.now(UTC))


def _add_webhook(session: Session, school: SmallSchool, number: int, now: datetime) -> None:
    webhook = Webhook(
        school_id=school.id,
        name=f"家长应用{number}",
        url="https://hooks.example/",
        kinds="tap",
        secret_sealed=b"\0",
        created_at=now,
        resume_at=now,
    )
    session.add(webhook)
    session.flush()
    first = session.scalars(
        select(Webhook.id).where(Webhook.school_id == school.id).order_by(Webhook.id).limit(1)
    ).one()
    session.add(
        WebhookDelivery(
            school_id=school.id,
            id=UUID(str(uuid_utils.uuid7())),
            webhook_id=first,
            kind=EventKind.TAP,
            body="{}",
            state=DeliveryState.DELIVERED,
            created_at=now,
            due_at=now,
            give_up_at=now + timedelta(days=1),
        )
    )


def _token(school: SmallSchool, number: int, made_by: int, now: datetime) -> ApiToken:
    return ApiToken(
        school_id=school.id,
        made_by=made_by,
        name=f"教务系统{number}",
        token_hash=(school.id * 1000 + number).to_bytes(32),
        role=Role.SCHOOL_ADMIN,
        scope=Scope.SCHOOL,
        made_at=now,
        expires_at=now + timedelta(days=1),
    )


def _note_changes(session: Session, school: SmallSchool, number: int) -> None:
    """Something in the history of each thing that the first pages are about."""
    for kind, id_ in (("homeroom", school.homerooms[0]), ("reader", school.readers[0])):
        details = {"name": ["旧", f"新{number}"]}
        note(session, school.id, SYSTEM, f"{kind}.changed", f"{kind}:{id_}", details=details)
    first = session.scalars(
        select(Webhook.id).where(Webhook.school_id == school.id).order_by(Webhook.id).limit(1)
    ).one()
    note(session, school.id, SYSTEM, "webhook.changed", f"webhook:{first}")
    note(session, school.id, SYSTEM, "school.changed", f"school:{school.id}")


def add_schools(session: Session, numbers: Iterable[int]) -> None:
    """Schools of the district, empty."""
    for number in numbers:
        session.add(School(code=f"s{number}", name=f"第{number}中学", signature="中学"))
    session.flush()

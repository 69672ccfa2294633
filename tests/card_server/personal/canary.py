"""A student of whom everything is kept that can be, and a search through a whole database."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

from PIL import Image
from sqlalchemy import Engine, MetaData, inspect, select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor
from card_server.cards import cards
from card_server.errors import AppError
from card_server.jobs.pieces import keep_piece
from card_server.people import registrations
from card_server.people.boarding import set_boarding
from card_server.people.guardians import (
    Tie,
    add_guardian,
    change_guardian,
    read_guardian,
)
from card_server.people.notes import add_note
from card_server.people.photos import keep_photo, read_photo
from card_server.people.student_status import StatusChange, change_status
from card_server.people.students import change_student, read_settings
from card_server.school_time import day_of
from schema.tables.attendance import Correction, DayNote, Exemption, HandPassage
from schema.tables.jobs import Job, JobPart, JobState
from schema.tables.messages import MessageState
from schema.tables.metadata import Table
from schema.tables.people import Guardian, Student, StudentStatus
from schema.tables.webhooks import DeliveryState, EventKind, WebhookDelivery
from tests.card_server.people.people_school import SEAL, ZONE
from tests.card_server.web.leave_things import add_leave_things, make_slip
from tests.card_server.web.small_school import (
    SmallSchool,
    add_job,
    add_message,
    add_tap,
    make_school,
)

NAME, NUMBER = "司马金丝雀", "CANARY2026"
PINYIN = "simajinsique"
PHONE, FURTHER, SHARED = "13912340001", "13912340002", "13912340003"
MOTHER, FATHER = "欧阳金丝雀", "司马共有"
PAPER, REGISTRY, SOURCED = "11010519491231002X", "G11010519491231002X", "oneroster-canary-7"
NOTE = "金丝雀对花生过敏"
SECRETS = (
    NAME,
    "金丝雀",
    PINYIN,
    NUMBER,
    PHONE,
    FURTHER,
    MOTHER,
    PAPER,
    REGISTRY,
    SOURCED,
    "花生",
)
"""What must be found nowhere; the father has another child, so his name and phone stay."""
ADMIN = Actor("staff", 1, "王老师", "10.0.0.7")
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def make_photo() -> bytes:
    """A small JPEG."""
    out = BytesIO()
    Image.new("RGB", (30, 40), "navy").save(out, "JPEG")
    return out.getvalue()


def add_canary(session: Session) -> SmallSchool:
    """A school whose first student has everything; the second one has the same father."""
    school = make_school(session)
    student_id, sibling_id = school.students[0], school.students[2]
    typed = {
        "number": NUMBER,
        "name": NAME,
        "sex": "",
        "identity": PAPER,
        "registry": REGISTRY,
    }
    change_student(session, ADMIN, school.id, student_id, read_settings(typed), SEAL)
    row = session.get_one(Student, student_id)
    row.sourced_id = SOURCED
    mother = read_guardian(
        {"name": MOTHER, "phone": PHONE, "further": FURTHER, "language": "zh"}, ["CN"]
    )
    father = read_guardian({"name": FATHER, "phone": SHARED, "language": "zh"}, ["CN"])
    add_guardian(session, ADMIN, school.id, student_id, mother, Tie("母亲", True, 1), SEAL)
    for child in (student_id, sibling_id):
        add_guardian(session, ADMIN, school.id, child, father, Tie("父亲", True, 2), SEAL)
    add_note(session, ADMIN, school.id, student_id, NOTE, NOW)
    set_boarding(session, ADMIN, school.id, student_id, True, date(2026, 9, 1), NOW, ZONE)
    photo = read_photo(make_photo())
    keep_photo(session, ADMIN, school.id, student_id, photo, SEAL, NOW)
    registrations.register_by_hand(
        session, ADMIN, school.id, school.terms[0], student_id, f"{NAME}忘带卡", NOW
    )
    _add_leave(session, school)
    add_tap(session, school, 0)
    add_message(session, school, 0, body=f"【第一中学】家长您好，{NAME}已于07:32进入学校。")
    add_message(session, school, 0, MessageState.QUEUED, f"【第一中学】{NAME}")
    later = datetime.now(UTC) + timedelta(seconds=1)
    doing = cards.Doing(ADMIN, school.id, later, f"{NAME}丢了")
    cards.report_lost(session, doing, school.cards[0])
    _add_files(session, school)
    return school


def _add_leave(session: Session, school: SmallSchool) -> None:
    """What staff wrote about the student's days, each with the name in it."""
    slip = make_slip(school, 0, NOW)
    slip.reason_sealed, slip.decision_reason = SEAL.close(f"{NAME}花生过敏"), f"{NAME}好了"
    add_leave_things(session, school, 0)
    session.add(slip)
    session.flush()
    tables: tuple[Any, ...] = (Correction, Exemption, HandPassage)
    for table in tables:
        row = session.scalars(select(table).where(table.school_id == school.id)).one()
        row.reason = f"{NAME}忘带卡"
    noted = session.scalars(select(DayNote).where(DayNote.school_id == school.id)).one()
    noted.body = f"{NAME}的母亲来电"


def _add_files(session: Session, school: SmallSchool) -> None:
    job_id = add_job(session, school, state=JobState.DONE)
    session.get_one(Job, job_id).made_by_name = "王老师"
    keep_piece(session, SEAL, job_id, JobPart.RESULT, 0, f"{NUMBER},{NAME}".encode())
    event = f'{{"data":{{"student":{{"id":{school.students[0]},"number":"{NUMBER}"}}}}}}'
    session.add(
        WebhookDelivery(
            school_id=school.id,
            id=uuid4(),
            webhook_id=1,
            kind=EventKind.TAP,
            body=event,
            state=DeliveryState.DELIVERED,
            created_at=NOW,
            due_at=NOW,
            give_up_at=NOW,
        )
    )


def leave(session: Session, school: SmallSchool) -> None:
    """The first student goes to another school."""
    now = datetime.now(UTC) + timedelta(minutes=1)
    wanted = StatusChange(StudentStatus.TRANSFERRED, day_of(now, ZONE), f"{NAME}随父母迁居")
    change_status(session, ADMIN, school.id, school.students[0], wanted, now, ZONE)


def rename_father(session: Session, school: SmallSchool) -> None:
    """An entry of the log about the father alone."""
    father = session.scalars(select(Guardian).where(Guardian.name == FATHER)).one()
    wanted = read_guardian({"name": FATHER, "language": "en"}, ["CN"])
    tie, sibling_id = Tie("父亲", True, 2), school.students[2]
    change_guardian(session, ADMIN, school.id, sibling_id, father.id, wanted, tie, SEAL)


def find_secrets(engine: Engine, secrets: tuple[str, ...] = SECRETS) -> set[tuple[str, str, str]]:
    """Which secret stands in which column of which table, sealed ones opened; all are searched."""
    stored = MetaData()
    stored.reflect(engine)
    found = set()
    with engine.connect() as connection:
        for table in stored.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                for column, value in row.items():
                    for text in _readable(value):
                        hits = (secret for secret in secrets if secret in text)
                        found |= {(table.name, str(column), secret) for secret in hits}
    assert {"student", "audit_detail"} <= {*inspect(engine).get_table_names()}
    assert len(stored.tables) > len(Table.metadata.tables) - 1
    return found


def _readable(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, bytes):
        return []
    texts = [value.decode("utf-8", "ignore")]
    with suppress(AppError):
        texts.append(SEAL.open_bytes(value).decode("utf-8", "ignore"))
    return texts

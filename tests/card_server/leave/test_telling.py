"""A decided leave slip is told: to the guardian who asked, or to all when staff asked."""

from collections.abc import Mapping
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor
from card_server.leave import slips
from schema.tables.messages import Message, MessageKind, MessageState
from schema.tables.people import Guardian, Guardianship, Language, Student
from tests.card_server.leave.leave_school import NOW, ask, by_school, by_teacher
from tests.card_server.people.conftest import campus, people, people_engine
from tests.card_server.people.people_school import SEAL, ZONE, PeopleSchool, enrol

__all__ = ["campus", "people", "people_engine"]


@pytest.fixture
def pupil(people: Session, campus: PeopleSchool) -> Student:
    """With a mother who reads Chinese, a father who reads English and an uncle who wants none."""
    student = enrol(people, campus)
    for name, language, wanted in (
        ("母", Language.CHINESE, "leave"),
        ("父", Language.ENGLISH, "arrival leave"),
        ("叔", Language.CHINESE, "arrival"),
    ):
        guardian = Guardian(
            school_id=campus.id,
            name=name,
            phone_sealed=SEAL.close("+8613800138000"),
            phone_hash=SEAL.hash("+8613800138000"),
            phone_tail="8000",
            language=language,
        )
        people.add(guardian)
        people.flush()
        people.add(
            Guardianship(
                student_id=student.id, guardian_id=guardian.id, relation=name, wanted=wanted
            )
        )
    people.flush()
    return student


def _told(people: Session) -> dict[str, Mapping[str, str]]:
    """What each guardian is told, by name."""
    found = people.execute(
        select(Guardian.name, Message.slots)
        .join(Guardian, Guardian.id == Message.guardian_id)
        .where(Message.kind == MessageKind.LEAVE, Message.state == MessageState.QUEUED)
        .order_by(Message.created_at, Message.id)
    )
    return {name: dict(msgspec.json.decode(slots)) for name, slots in found}


def _guardian(people: Session, name: str) -> int:
    return people.scalars(select(Guardian.id).where(Guardian.name == name)).one()


def test_what_staff_asked_for_is_told_to_all_who_want_it(people: Session, pupil: Student) -> None:
    slip = ask(people, pupil.school_id, pupil.id)
    assert _told(people) == {}
    slips.approve(people, by_teacher(pupil.school_id), slip.id)
    assert _told(people) == {
        "母": {
            "student": "张三",
            "from": "11月23日",
            "until": "当日",
            "decision": "已获批准",
        },
        "父": {
            "student": "张三",
            "from": "23 Nov",
            "until": "the end of that day",
            "decision": "approved",
        },
    }


def test_a_guardian_who_asked_is_told_alone(people: Session, pupil: Student) -> None:
    slip = ask(people, pupil.school_id, pupil.id)
    slip.guardian_id = _guardian(people, "父")
    slips.refuse(people, by_school(pupil.school_id), slip.id, "考试")
    assert {name: told["decision"] for name, told in _told(people).items()} == {
        "父": "not approved"
    }


def test_the_first_of_two_approvals_is_no_decision(people: Session, pupil: Student) -> None:
    slip = ask(people, pupil.school_id, pupil.id)
    slip.needs_school = True
    slips.approve(people, by_teacher(pupil.school_id), slip.id)
    assert _told(people) == {}
    slips.approve(people, by_school(pupil.school_id), slip.id)
    assert set(_told(people)) == {"母", "父"}


def test_leave_that_ends_early_is_told_with_its_end(people: Session, pupil: Student) -> None:
    slip = ask(people, pupil.school_id, pupil.id)
    slips.approve(people, by_teacher(pupil.school_id), slip.id)
    later = by_teacher(pupil.school_id, NOW + timedelta(hours=4))
    slips.shorten(people, later, slip.id, NOW + timedelta(hours=3), "退烧了")
    told = _told(people)["母"]
    assert (told["until"], told["decision"]) == ("11月23日13:00", "已提前结束")


@pytest.mark.parametrize(("kind", "told"), [("staff", {"母", "父"}), ("guardian", set[str]())])
def test_who_takes_a_slip_back_knows_it(
    people: Session, pupil: Student, kind: str, told: set[str]
) -> None:
    slip = ask(people, pupil.school_id, pupil.id)
    doing = slips.Doing(Actor(kind, 9, "某", ""), pupil.school_id, ZONE, NOW)
    slips.withdraw(people, doing, slip.id, "不去了")
    assert set(_told(people)) == told

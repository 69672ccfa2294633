"""Rosters in the database, on both kinds: everything of them or nothing, and nobody is deleted."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.cards.cards import Doing, issue_card
from card_server.errors import AppError, Code
from card_server.imports.roster.apply import Importing
from card_server.imports.roster.importing import Consent, digest_of, import_roster, preview
from card_server.imports.roster.plan import Counts
from card_server.messages.wishes import change_wishes, vouch_for_number, wishes_of
from card_server.people.boarding import set_boarding
from card_server.people.stays import homeroom_on
from card_server.school_time import day_of
from integrations.roster.protocol import GuardianEntry, HomeroomEntry, Roster, Status, StudentEntry
from schema.messages import CardState
from schema.tables.audit import AuditEntry
from schema.tables.cards import Card
from schema.tables.people import (
    Boarding,
    Guardian,
    GuardianPhone,
    Guardianship,
    HomeroomStay,
    Language,
    Student,
    StudentStatus,
)
from schema.tables.school import Campus, Homeroom, School
from tests.card_server.imports.roster.rosters import entry as make_entry
from tests.card_server.imports.roster.rosters import mother
from tests.card_server.people.people_school import NOW, SEAL, ZONE, PeopleSchool

ROOM, OTHER = "初一(1)班", "初一(2)班"
TODAY = day_of(NOW, ZONE)
SURE = Consent(has_said_yes=True)


def entry(number: str = "1", name: str = "张三", **more: Any) -> StudentEntry:
    return make_entry(number, name, **{"homeroom": ROOM, **more})


def roster(*students: StudentEntry, **more: Any) -> Roster:
    values: dict[str, Any] = {
        "source": "sheet",
        "homerooms": (HomeroomEntry(ROOM, 7), HomeroomEntry(OTHER, 7)),
        "students": students,
        "findings": (),
    }
    return Roster(**values | more)


class Desk:
    """Imports into one school, day by day."""

    def __init__(self, sessions: sessionmaker[Session], campus: PeopleSchool) -> None:
        self.sessions = sessions
        self.campus = campus

    def doing(self, days: int = 0) -> Importing:
        return Importing(self.campus.id, ZONE, SYSTEM, NOW + timedelta(days=days), SEAL)

    def take(self, *students: StudentEntry, days: int = 0, **more: Any) -> Counts:
        consent = more.pop("consent", SURE)
        with self.sessions.begin() as session:
            given = roster(*students, **more)
            return import_roster(session, self.doing(days), given, consent, {"file": "a"})

    def student(self, number: str = "1") -> Student:
        with self.sessions() as session:
            return session.scalars(select(Student).where(Student.number == number)).one()

    def count(self, table: Any, *conditions: Any) -> int:
        with self.sessions() as session:
            return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


@pytest.fixture
def desk(sessions: sessionmaker[Session], campus: PeopleSchool) -> Desk:
    return Desk(sessions, campus)


def test_a_new_student_is_kept_as_the_roster_says(desk: Desk) -> None:
    given = entry(
        born_on=date(2014, 1, 1),
        identity="11010120140101002X",
        registry="G11010120140101002X",
        is_boarding=True,
        sourced_id="s1",
        guardians=(GuardianEntry("王芳", "母亲", ("+8613800138000", "+861065551234")),),
    )
    assert desk.take(given).new == 1
    student = desk.student()
    assert (student.name, student.pinyin[:9], student.sourced_id) == ("张三", "zhang san", "s1")
    assert SEAL.open(student.identity_sealed or b"") == "11010120140101002X"
    assert student.identity_hash == SEAL.hash("11010120140101002X")
    assert SEAL.open(student.registry_sealed or b"") == "G11010120140101002X"
    assert student.homeroom_id == desk.campus.homerooms[0]
    with desk.sessions() as session:
        assert homeroom_on(session, desk.campus.id, student.id, TODAY) == student.homeroom_id
        mum = session.scalars(select(Guardian)).one()
        assert SEAL.open(mum.phone_sealed) == "+8613800138000"
        assert session.scalars(select(GuardianPhone.phone_tail)).all() == ["1234"]
        link = session.scalars(select(Guardianship)).one()
        assert (link.relation, link.is_told, link.priority) == ("母亲", True, 1)
    assert desk.count(Boarding, Boarding.until_on.is_(None)) == 1


def test_the_same_roster_again_changes_nothing_at_all(desk: Desk) -> None:
    rows = (entry(guardians=(mother(),), is_boarding=True), entry("2", "李四", homeroom=OTHER))
    desk.take(*rows)
    with desk.sessions() as session:
        version = session.get_one(School, desk.campus.id).register_version
    counts = desk.take(*rows, days=1)
    assert counts.is_nothing
    assert counts.unchanged == 2
    with desk.sessions() as session:
        assert session.get_one(School, desk.campus.id).register_version == version
    assert desk.count(AuditEntry, AuditEntry.action == "roster.imported") == 1


def test_one_import_raises_the_version_once(desk: Desk) -> None:
    with desk.sessions() as session:
        before = session.get_one(School, desk.campus.id).register_version
    desk.take(*(entry(str(number), f"张{number}", guardians=(mother(),)) for number in range(1, 9)))
    with desk.sessions() as session:
        assert session.get_one(School, desk.campus.id).register_version == before + 1


def test_a_student_who_moves_keeps_the_history(desk: Desk) -> None:
    desk.take(entry())
    assert desk.take(entry(homeroom=OTHER), days=10).moved == 1
    one = desk.student()
    first, second, _ = desk.campus.homerooms
    with desk.sessions() as session:
        for days, room in ((0, first), (9, first), (10, second), (99, second)):
            day = TODAY + timedelta(days=days)
            assert homeroom_on(session, desk.campus.id, one.id, day) == room
    assert one.homeroom_id == second


def test_a_move_on_the_day_of_the_import_leaves_one_stay(desk: Desk) -> None:
    desk.take(entry())
    desk.take(entry(homeroom=OTHER))
    assert desk.count(HomeroomStay) == 1


def test_a_student_without_a_history_was_in_the_homeroom_since_the_year_began(desk: Desk) -> None:
    with desk.sessions.begin() as session:
        first = desk.campus.homerooms[0]
        session.add(Student(school_id=desk.campus.id, number="1", name="张三", homeroom_id=first))
    desk.take(entry(homeroom=OTHER))
    with desk.sessions() as session:
        one = desk.student()
        assert homeroom_on(session, desk.campus.id, one.id, date(2026, 9, 1)) == first


def test_gone_is_marked_and_taken_back_when_named_again(desk: Desk) -> None:
    desk.take(entry(), entry("2", "李四"))
    assert desk.take(entry(), days=1).gone == 1
    assert desk.student("2").gone_at is not None
    assert desk.count(Student) == 2
    assert desk.take(entry(), days=2).is_nothing
    assert desk.take(entry(), entry("2", "李四"), days=3).back == 1
    assert desk.student("2").gone_at is None


def test_a_changed_number_keeps_the_student_and_all_that_is_theirs(desk: Desk) -> None:
    desk.take(entry("1", identity="11010120140101002X", guardians=(mother(),)))
    before = desk.student("1").id
    desk.take(entry("100", identity="11010120140101002X", guardians=(mother(),)))
    assert desk.student("100").id == before
    assert desk.count(Student) == 1
    assert desk.count(Guardianship, Guardianship.student_id == before) == 1


def test_a_file_says_who_boards_today_and_leaves_what_staff_wrote_for_later(desk: Desk) -> None:
    def times() -> list[tuple[date, date | None]]:
        wanted = select(Boarding.from_on, Boarding.until_on).order_by(Boarding.from_on)
        with desk.sessions() as session:
            return [(row.from_on, row.until_on) for row in session.execute(wanted)]

    def board(is_boarding: bool, days: int) -> None:
        on = TODAY + timedelta(days=days)
        with desk.sessions.begin() as session:
            student = session.scalars(select(Student.id)).one()
            set_boarding(session, SYSTEM, desk.campus.id, student, is_boarding, on, NOW, ZONE)

    desk.take(entry())
    board(True, 30)
    coming = (TODAY + timedelta(days=30), None)
    for said in (True, False, None):
        desk.take(entry(is_boarding=said))
        assert times() == [coming]
    board(False, 30)
    desk.take(entry(is_boarding=True))
    board(False, 20)
    planned = (TODAY, TODAY + timedelta(days=20))
    desk.take(entry(is_boarding=True), days=5)
    assert times() == [planned]
    board(True, 30)
    desk.take(entry(is_boarding=False), days=6)
    assert times() == [(TODAY, TODAY + timedelta(days=6)), coming]


def test_who_leaves_by_the_roster_loses_cards_and_bed_and_can_come_back(desk: Desk) -> None:
    desk.take(entry(is_boarding=True))
    one = desk.student()
    with desk.sessions.begin() as session:
        card = Card(
            school_id=desk.campus.id, uid="04A1B2C3D4E5F6", state=CardState.RETURNED,
            state_since=NOW,
        )  # fmt: skip
        session.add(card)
        session.flush()
        issue_card(session, Doing(SYSTEM, desk.campus.id, NOW), card.id, one.id)
    desk.take(entry(status=Status.TRANSFERRED), days=5)
    assert desk.student().status is StudentStatus.TRANSFERRED
    assert desk.count(Card, Card.state == CardState.ACTIVE) == 0
    assert desk.count(Boarding, Boarding.until_on.is_(None)) == 0
    assert desk.count(HomeroomStay, HomeroomStay.until_on.is_(None)) == 0
    desk.take(entry(status=Status.ENROLLED, homeroom=OTHER), days=9)
    assert desk.student().homeroom_id == desk.campus.homerooms[1]
    assert desk.count(HomeroomStay, HomeroomStay.until_on.is_(None)) == 1


def test_a_suspended_student_who_moves_and_comes_back_has_one_open_stay(desk: Desk) -> None:
    desk.take(entry())
    desk.take(entry(status=Status.SUSPENDED), days=1)
    desk.take(entry(status=Status.ENROLLED, homeroom=OTHER), days=5)
    assert desk.student().homeroom_id == desk.campus.homerooms[1]
    assert desk.count(HomeroomStay, HomeroomStay.until_on.is_(None)) == 1


def test_what_a_guardian_wants_to_be_told_stays_whatever_the_roster_says(desk: Desk) -> None:
    desk.take(entry(guardians=(mother(),)))
    with desk.sessions.begin() as session:
        link = session.scalars(select(Guardianship)).one()
        wishes = replace(wishes_of(link), is_told=False)
        ids = (desk.campus.id, link.student_id, link.guardian_id)
        change_wishes(session, SYSTEM, *ids, wishes, language=Language.ENGLISH)
        vouch_for_number(session, SYSTEM, desk.campus.id, link.guardian_id, "家访")
    desk.take(entry(guardians=(mother(phone="+8613900139000"),)), days=1)
    with desk.sessions() as session:
        assert not session.scalars(select(Guardianship)).one().is_told
        mum = session.scalars(select(Guardian)).one()
        assert (mum.language, mum.phone_tail) == (Language.ENGLISH, "9000")
        assert (mum.verified_at, mum.phone_since is not None) == (None, True)


def test_homerooms_and_campuses_are_made_and_renamed_by_the_sources_id(desk: Desk) -> None:
    first = (
        HomeroomEntry("七年级甲班", 7, "东校区", "h1"),
        HomeroomEntry("七年级乙班", 7, None, "h2"),
    )
    desk.take(entry(homeroom="七年级甲班"), homerooms=first)
    swapped = (
        HomeroomEntry("七年级乙班", 7, "东校区", "h1"),
        HomeroomEntry("七年级甲班", 7, None, "h2"),
    )
    counts = desk.take(entry(homeroom="七年级乙班"), homerooms=swapped)
    assert (counts.homerooms_new, counts.homerooms_changed, counts.moved) == (0, 2, 0)
    with desk.sessions() as session:
        found = session.scalars(select(Homeroom).where(Homeroom.sourced_id.is_not(None)))
        names = {one.sourced_id: one.name for one in found}
    assert names == {"h1": "七年级乙班", "h2": "七年级甲班"}
    assert desk.count(Campus) == 1


@pytest.mark.parametrize(
    ("consent", "code"),
    [(Consent(), Code.CONFLICT), (Consent(b"x" * 32, True), Code.CONFLICT)],
)
def test_what_was_not_agreed_to_is_refused_and_nothing_written(
    desk: Desk, consent: Consent, code: Code
) -> None:
    desk.take(entry(), entry("2", "李四"))
    with pytest.raises(AppError) as refused:
        desk.take(entry("3", "王五"), consent=consent)
    assert refused.value.code is code
    assert desk.count(Student) == 2
    assert desk.count(Student, Student.gone_at.is_not(None)) == 0


def test_errors_refuse_the_whole_roster(desk: Desk) -> None:
    with pytest.raises(AppError) as refused:
        desk.take(entry("1"), entry("1"), entry("2", "李四"))
    assert refused.value.code is Code.INVALID
    assert desk.count(Student) == 0


def test_the_digest_is_of_what_would_be_written(desk: Desk) -> None:
    with desk.sessions() as session:
        one = preview(session, desk.doing(), roster(entry()))
        other = preview(session, desk.doing(days=1), roster(entry()))
        changed = preview(session, desk.doing(), roster(entry(name="张四")))
    assert digest_of(one, SEAL) == digest_of(other, SEAL)
    assert digest_of(one, SEAL) != digest_of(changed, SEAL)


def test_names_that_would_be_code_elsewhere_are_kept_as_they_are(desk: Desk) -> None:
    names = ("'; DROP TABLE student; --", "<script>alert(1)</script>", "{{7*7}}", "=1+1", "𠮷田")
    desk.take(*(entry(str(number), name) for number, name in enumerate(names, 1)))
    assert [desk.student(str(number)).name for number in range(1, 6)] == list(names)


def test_no_personal_data_stands_outside_the_details_of_the_log(desk: Desk) -> None:
    desk.take(entry(guardians=(mother(),)))
    with desk.sessions() as session:
        found = session.scalars(select(AuditEntry)).all()
    assert [(one.action, one.subject) for one in found] == [
        ("roster.imported", f"school:{desk.campus.id}")
    ]

"""What goes out comes in again: an exported package makes the same school of an empty one."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.cards.cards import Doing, issue_card
from card_server.errors import AppError, Code
from card_server.imports.roster.apply import Importing
from card_server.imports.roster.choices import StagedFile
from card_server.imports.roster.export import write_package
from card_server.imports.roster.facts import read_file
from card_server.imports.roster.importing import Consent, import_roster
from card_server.imports.roster.loading import load_as_roster
from card_server.imports.roster.reading import recognise
from card_server.imports.roster.register_sheets import Days, Sheet, write_sheet
from card_server.school_time import day_of
from integrations.roster.protocol import (
    GuardianEntry,
    HomeroomEntry,
    Roster,
    Sex,
    Status,
    StudentEntry,
)
from integrations.roster.sheets.files import read_table
from schema.messages import CardState
from schema.tables.attendance import Attendance
from schema.tables.cards import Card
from schema.tables.people import Student
from schema.tables.roster import RosterSource
from schema.tables.school import School
from tests.card_server.imports.roster.rosters import entry, roster
from tests.card_server.people.people_school import NOW, SEAL, TODAY, ZONE, PeopleSchool

_NAMES = (
    "张三",
    "欧阳娜娜",
    "𠮷田",
    "Anna Brown",
    "阿依古丽·买买提",
    "李四",
    "O'Brien, Kim",
    "司马光",
)
_RELATIONS = ("父亲", "母亲", "祖父", "祖母", "其他")


def make_roster(seed: int, students: int) -> Roster:
    """A school in which siblings share parents, some board, and some are suspended."""
    dice = random.Random(seed)
    rooms = tuple(
        HomeroomEntry(f"{name}({number})班", grade, dice.choice((None, "东校区")))
        for grade, name in ((1, "一年级"), (7, "初一"), (12, "高三"))
        for number in range(1, 4)
    )
    parents = [
        GuardianEntry(
            dice.choice(_NAMES),
            dice.choice(_RELATIONS),
            tuple(
                f"+86138{number:08}" if place == 0 else f"+86139{number:08}"
                for place in range(dice.randint(1, 2))
            ),
        )
        for number in range(students)
    ]
    return Roster("sheet", rooms, tuple(_students(dice, students, rooms, parents)), ())


def _students(
    dice: random.Random, many: int, rooms: tuple[HomeroomEntry, ...], parents: list[GuardianEntry]
) -> list[StudentEntry]:
    return [
        entry(
            str(20260000 + number),
            dice.choice(_NAMES),
            homeroom=dice.choice(rooms).name,
            sex=dice.choice(list(Sex)),
            born_on=dice.choice((None, NOW.date())),
            status=dice.choice((Status.ENROLLED, Status.ENROLLED, Status.SUSPENDED)),
            is_boarding=dice.choice((True, False)),
            guardians=tuple(dice.sample(parents, dice.randint(0, 3))),
        )
        for number in range(many)
    ]


def take(sessions: sessionmaker[Session], school_id: int, given: Roster) -> None:
    doing = Importing(school_id, ZONE, SYSTEM, NOW, SEAL)
    with sessions.begin() as session:
        import_roster(session, doing, given, Consent(has_said_yes=True), {})


def as_it_is(sessions: sessionmaker[Session], school_id: int) -> Any:
    """All of a school but its ids."""
    with sessions() as session:
        found = load_as_roster(session, school_id, SEAL, TODAY)
    rooms = sorted((one.name, one.grade, one.campus or "") for one in found.homerooms)
    students = sorted(
        (
            one.number,
            one.name,
            one.homeroom,
            str(one.sex),
            str(one.born_on),
            str(one.status),
            one.is_boarding,
            [(each.name, each.relation, each.phones) for each in one.guardians or ()],
        )
        for one in found.students
    )
    people = {id(each) for one in found.students for each in one.guardians or ()}
    return found.school_year, rooms, students, bool(people)


@pytest.mark.parametrize("seed", range(3))
def test_an_exported_school_imported_into_an_empty_one_is_the_same(
    sessions: sessionmaker[Session], seed: int
) -> None:
    with sessions.begin() as session:
        ids = []
        for code in ("first", "second"):
            school = School(code=code, name="实验学校", signature="校")
            session.add(school)
            session.flush()
            ids.append(school.id)
    take(sessions, ids[0], make_roster(seed, 120))
    with sessions() as session:
        body = write_package(session, ids[0], SEAL, TODAY)
    assert recognise(body) is RosterSource.ONEROSTER
    file = StagedFile(RosterSource.ONEROSTER, "out.zip", body)
    with sessions() as session:
        reading = read_file(session, ids[1], file, day_of(NOW, ZONE), SEAL)
    assert not reading.roster.has_errors, reading.roster.findings
    take(sessions, ids[1], reading.roster)
    assert as_it_is(sessions, ids[1]) == as_it_is(sessions, ids[0])


def test_the_same_package_comes_back_to_its_own_school_without_a_change(
    sessions: sessionmaker[Session], campus: PeopleSchool
) -> None:
    rows = [entry("1", homeroom="初一(1)班"), entry("2", "李四", homeroom="初一(2)班")]
    rooms = (HomeroomEntry("初一(1)班", 7), HomeroomEntry("初一(2)班", 7))
    take(sessions, campus.id, roster(rows, homerooms=rooms))
    with sessions() as session:
        file = StagedFile(
            RosterSource.ONEROSTER, "x", write_package(session, campus.id, SEAL, TODAY)
        )
        reading = read_file(session, campus.id, file, day_of(NOW, ZONE), SEAL)
    before = as_it_is(sessions, campus.id)
    take(sessions, campus.id, reading.roster)
    assert as_it_is(sessions, campus.id) == before


def test_identity_numbers_do_not_go_out(
    sessions: sessionmaker[Session], campus: PeopleSchool
) -> None:
    rows = [entry("1", homeroom="初一(1)班", identity="11010120140101002X")]
    take(sessions, campus.id, roster(rows, homerooms=(HomeroomEntry("初一(1)班", 7),)))
    with sessions() as session:
        body = write_package(session, campus.id, SEAL, TODAY)
        assert b"11010120140101002X" not in body


def test_a_school_without_homerooms_has_nothing_to_give(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        school = School(code="new", name="校", signature="校")
        session.add(school)
        session.flush()
        with pytest.raises(AppError) as refused:
            write_package(session, school.id, SEAL, TODAY)
    assert refused.value.code is Code.CONFLICT


def test_card_numbers_go_out_in_the_registers_columns(
    sessions: sessionmaker[Session], campus: PeopleSchool
) -> None:
    rows = [entry("1", homeroom="初一(1)班", registry="G11010120140101002X")]
    take(sessions, campus.id, roster(rows, homerooms=(HomeroomEntry("初一(1)班", 7),)))
    with sessions.begin() as session:
        card = Card(
            school_id=campus.id, uid="04A1B2C3D4E5F6", state=CardState.RETURNED, state_since=NOW
        )
        session.add(card)
        session.flush()
        student = session.scalars(select(Student)).one()
        issue_card(session, Doing(SYSTEM, campus.id, NOW), card.id, student.id)
    with sessions() as session:
        days = Days(NOW.date(), NOW.date())
        body = write_sheet(session, campus.id, Sheet.CARDS, "national", days, SEAL)
    table = read_table(body, "out.xlsx")
    assert table.rows[0].cells == (
        "G11010120140101002X",
        "1",
        "张三",
        "初一(1)班",
        "04A1B2C3D4E5F6",
        "20261123",
    )


def test_attendance_goes_out_in_the_registers_columns(
    sessions: sessionmaker[Session], campus: PeopleSchool
) -> None:
    day = NOW.date()
    came = datetime(day.year, day.month, day.day, 7, 31, 8, tzinfo=ZONE)
    days: list[dict[str, Any]] = [
        {"present": 2, "arrived_at": came, "departed_at": came + timedelta(hours=9)},
        {"arrived_at": came + timedelta(hours=1), "late_minutes": 31, "present": 2, "late": 1},
        {"departed_at": came},
        {"absent": 2},
        {"on_leave": 1, "present": 1},
        {"left_early": 1, "present": 2},
        {"absent": 1, "late": 1, "late_minutes": 5, "present": 1},
        {"not_judged": 2},
        {"present": 1},
    ]
    numbers = [str(number) for number in range(1, len(days) + 1)]
    rows = [entry(number, homeroom="初一(1)班") for number in numbers]
    take(sessions, campus.id, roster(rows, homerooms=(HomeroomEntry("初一(1)班", 7),)))
    with sessions.begin() as session:
        for student, known in zip(
            session.scalars(select(Student).order_by(Student.number)), days, strict=True
        ):
            named = {"school_id": campus.id, "student_id": student.id}
            named["homeroom_id"] = student.homeroom_id
            session.add(Attendance(day=day, **{"late_minutes": 0, **named, **known}))
            if student.number == "3":
                yesterday = day - timedelta(days=1)
                session.add(Attendance(day=yesterday, arrived_at=came, late_minutes=0, **named))
    with sessions() as session:
        body = write_sheet(session, campus.id, Sheet.ATTENDANCE, "national", Days(day, day), SEAL)
    told = [(row.cells[1], *row.cells[4:]) for row in read_table(body, "out.xlsx").rows]
    on = f"{day:%Y%m%d}"
    assert told == [
        ("1", on, "出勤", "07:31", "16:31"),
        ("2", on, "迟到", "08:31", ""),
        ("4", on, "缺勤", "", ""),
        ("5", on, "请假", "", ""),
        ("6", on, "早退", "", ""),
        ("7", on, "缺勤", "", ""),
        ("9", on, "出勤", "", ""),
    ]


def test_days_the_wrong_way_round_and_unknown_systems_are_refused(
    sessions: sessionmaker[Session], campus: PeopleSchool
) -> None:
    day = NOW.date()
    with sessions() as session:
        for profile, days in (
            ("national", Days(day, day - timedelta(days=1))),
            ("mars", Days(day, day)),
        ):
            with pytest.raises(AppError):
                write_sheet(session, campus.id, Sheet.ATTENDANCE, profile, days, SEAL)

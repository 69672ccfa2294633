"""The dormitory's roll call by program."""

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.people import Boarding
from schema.tables.staff import Role
from tests.card_server.api.programs import Program, grants_of, make_program
from tests.card_server.web.small_school import SmallSchool
from tests.harness.clock import stop_clock


@pytest.fixture
def teacher(app: Flask, sessions: sessionmaker[Session], school: SmallSchool) -> Program:
    """Of the first homeroom; one student of it boards, and one of the other. It is evening."""
    stop_clock(app, datetime(2026, 11, 23, 13, 40, tzinfo=UTC))
    with sessions.begin() as session:
        for student in school.students[:2]:
            begins = date(2026, 9, 1)
            session.add(Boarding(school_id=school.id, student_id=student, from_on=begins))
    return make_program(app, sessions, school, grants_of(school)[Role.HOMEROOM_TEACHER])


def test_a_program_reads_the_roll_and_calls_it(teacher: Program, school: SmallSchool) -> None:
    student, room = school.students[0], school.homerooms[0]
    empty = teacher.get("/attendance/roll-call").json
    assert empty["day"] == "2026-11-23"
    assert [(one["homeroom_id"], one["boarders"], one["open"]) for one in empty["rooms"]] == [
        (room, 1, 1)
    ]
    said = {"day": "2026-11-23", "students": [{"student_id": student, "is_here": False}]}
    assert teacher.ask("POST", "/attendance/roll-call", json=said).json == {"students": [student]}
    found = teacher.get(f"/attendance/roll-call?day=2026-11-23&homeroom={room}").json
    [one] = found["students"]
    assert (one["called"], one["is_inside"], found["rooms"][0]["missing"]) == ("missing", None, 1)
    assert one["made_by"]
    assert teacher.get("/attendance/roll-call?day=2026-11-22").json["rooms"][0]["open"] == 1


@pytest.mark.parametrize(
    ("day", "number", "status"),
    [("2026-11-24", 0, 422), ("2026-11-01", 0, 422), ("2026-11-23", 1, 404)],
)
def test_what_cannot_be_called_is_refused(
    teacher: Program, school: SmallSchool, day: str, number: int, status: int
) -> None:
    said = {"day": day, "students": [{"student_id": school.students[number], "is_here": True}]}
    assert teacher.ask("POST", "/attendance/roll-call", json=said).status_code == status

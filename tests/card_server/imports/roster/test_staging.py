"""Files that wait are sealed, found by their own school alone, and gone after a day."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.errors import AppError, Code
from card_server.imports.roster import staging
from card_server.imports.roster.choices import Cell, Choices, read_grades
from card_server.imports.roster.reading import recognise
from schema.tables.roster import RosterImport, RosterSource, RosterState
from tests.card_server.people.people_school import (
    NOW,
    SEAL,
    PeopleSchool,
    make_people_school,
)

BODY = "学号,姓名,班级\n1,张三,初一(1)班\n".encode()


def stage(sessions: sessionmaker[Session], school_id: int, days: int = 0) -> int:
    with sessions.begin() as session:
        now = NOW + timedelta(days=days)
        return staging.stage(session, school_id, "王老师", "a.csv", BODY, now, SEAL)


def test_a_file_is_kept_sealed_with_what_was_said_of_it(
    sessions: sessionmaker[Session], campus: PeopleSchool
) -> None:
    import_id = stage(sessions, campus.id)
    said = Choices(encoding="gbk", cells=(Cell(2, 1, "张叁"),), without=(3,), grades={"h": 7})
    with sessions.begin() as session:
        row = staging.find_import(session, campus.id, import_id)
        assert "张三".encode() not in (row.body_sealed or b"")
        staging.keep_choices(row, said, SEAL)
    with sessions() as session:
        file = staging.open_file(staging.find_import(session, campus.id, import_id), SEAL)
    assert (file.source, file.body, file.choices) == (RosterSource.SHEET, BODY, said)


def test_another_school_does_not_find_it(
    sessions: sessionmaker[Session], campus: PeopleSchool
) -> None:
    import_id = stage(sessions, campus.id)
    with sessions.begin() as session:
        other = make_people_school(session, "no2")
        with pytest.raises(AppError) as refused:
            staging.find_import(session, other.id, import_id)
    assert refused.value.code is Code.NOT_FOUND


def test_after_a_day_nothing_of_it_is_kept(
    sessions: sessionmaker[Session], campus: PeopleSchool
) -> None:
    old, young = stage(sessions, campus.id), stage(sessions, campus.id)
    with sessions.begin() as session:
        session.get_one(RosterImport, young).expires_at = NOW + timedelta(days=3)
    with sessions.begin() as session:
        staging.forget_expired(session, NOW + timedelta(days=2))
    with sessions() as session:
        row = session.get_one(RosterImport, old)
        assert (row.state, row.body_sealed) == (RosterState.DISCARDED, None)
        assert (row.choices_sealed, row.view_sealed) == (None, None)
        with pytest.raises(AppError):
            staging.open_file(row, SEAL)
        assert session.get_one(RosterImport, young).body_sealed is not None


def test_of_very_many_the_oldest_go(sessions: sessionmaker[Session], campus: PeopleSchool) -> None:
    for _ in range(22):
        stage(sessions, campus.id)
    with sessions() as session:
        waiting = session.scalars(
            select(RosterImport.id).where(RosterImport.body_sealed.is_not(None))
        ).all()
    assert sorted(waiting) == list(range(3, 23))


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04 broken", BODY])
def test_what_is_no_package_is_taken_for_a_sheet(body: bytes) -> None:
    assert recognise(body) is RosterSource.SHEET


def test_grades_are_read_as_people_write_them() -> None:
    assert read_grades("h-1=7, h=2=8\nh3=12") == {"h-1": 7, "h=2": 8, "h3": 12}
    with pytest.raises(AppError):
        read_grades("h1=13")

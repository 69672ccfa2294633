"""The sheets ask the database as often for sixty students as for four, on kept days and others."""

from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from tests.card_server.web.sheet_month import MONDAY, add_month, judge_month
from tests.card_server.web.small_school import SmallSchool, add_students
from tests.card_server.web.test_queries import _count

_MOST = 13


@pytest.fixture
def term(school: SmallSchool, sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        return add_month(session, school)


def test_the_number_of_queries_does_not_grow(
    staff: FlaskClient,
    school: SmallSchool,
    sessions: sessionmaker[Session],
    engine: Engine,
    term: int,
) -> None:
    room = f"/attendance/homeroom/{school.homerooms[0]}"
    kept = [f"{room}?day={MONDAY}", f"{room}/month?month=2024-09"]
    open_ = [f"{room}?day={datetime.now(UTC):%Y-%m-%d}", f"{room}/month"]
    of_student = f"/students/{school.students[0]}/attendance"
    of_term = [f"{of_student}?term={term}", f"{of_student}?term={term}&open=all", of_student]
    unfolded = [f"{of_student}/taps?day={MONDAY}", f"{of_student}/days?from={MONDAY}&to=2024-09-30"]
    paths = [*kept, *open_, *of_term, *unfolded, f"{unfolded[1]}&open=all"]
    few = {path: _count(staff, engine, path) for path in paths}
    with sessions.begin() as session:
        add_students(session, school, range(len(school.students), 120))
        judge_month(session, school)
    many = {path: _count(staff, engine, path) for path in paths}
    assert few == many
    assert max(many.values()) <= _MOST, many

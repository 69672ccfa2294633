"""Retired readers on the pages: folded away, named nowhere as silent, told when still in use."""

import re
from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from card_server.register.retiring import retire_reader
from card_server.reports.district import StudentCounts, read_district
from schema.tables.readers import Reader
from tests.card_server.attendance.test_retired_gates import HEAD
from tests.card_server.web.campus_things import add_presence
from tests.card_server.web.small_school import SmallSchool, add_health, add_tap

_NOW = datetime.now(UTC)


def _retire(sessions: sessionmaker[Session], school: SmallSchool, reader: int) -> None:
    with sessions.begin() as session:
        at = _NOW - timedelta(hours=1)
        retire_reader(session, HEAD, school.id, school.readers[reader], "已拆除", at)


def test_it_is_retired_and_brought_back_on_its_page(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    address = f"/settings/readers/{school.readers[0]}"
    without = staff.post(f"{address}/retire", data={"reason": " "})
    assert without.status_code == 422
    assert 'id="reason-wrong"' in without.text
    assert staff.post(f"{address}/bring-back", data={"reason": "修好了"}).status_code == 409
    assert staff.post(f"{address}/retire", data={"reason": "北门拆除"}).location == address
    page = staff.get(address).text
    assert "Bring it back into use" in page
    assert "Retire this reader" not in page
    assert "revoke-reader" in page
    assert "retired a reader" in page
    with sessions() as session:
        assert session.get_one(Reader, school.readers[0]).retired_at is not None
    assert staff.post(f"{address}/bring-back", data={"reason": "装回"}).location == address
    with sessions() as session:
        assert session.get_one(Reader, school.readers[0]).retired_at is None


def test_the_list_folds_it_away(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert "retired readers" not in staff.get("/settings/readers").text
    _retire(sessions, school, 1)
    used, retired = (staff.get(f"/settings/readers{which}").text for which in ("", "?retired=1"))
    assert "东门进" in used
    assert "东门出" not in used
    assert "retired readers (1)" in used
    assert "东门出" in retired
    assert "东门进" not in retired
    _retire(sessions, school, 0)
    for address in ("/settings/readers", "/readers"):
        assert "No reader is in use" in staff.get(address).text
    with sessions.begin() as session:
        session.execute(update(Reader).values(retired_at=None))
    assert "东门进" in staff.get("/settings/readers?retired=1").text, "there is none to choose"


def test_no_page_calls_it_silent_or_old(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_health(session, school, 0, datetime.now(UTC))
        add_health(session, school, 1, _NOW - timedelta(days=3))
        add_presence(session, school, 0, reader_id=school.readers[1])
    old = "1 gate has delivered nothing for over 5 minutes"
    assert old in staff.get("/campus").text
    assert "silent" in staff.get("/readers").text
    _retire(sessions, school, 1)
    page = staff.get("/campus").text
    assert old not in page
    assert f"gate={school.readers[1]}" in page, "who passed there is still found by its name"
    assert "东门出 (1)" in page
    [fresh_line] = re.findall('class="fresh-line">(.*)</p>', staff.get("/campus/print").text)
    assert "东门出" not in fresh_line
    assert 'id="reader-gate-out"' not in staff.get("/readers").text
    with sessions() as session:
        [line] = read_district(session, StudentCounts(), datetime.now(UTC))
    assert (line.readers, line.silent) == (1, 0)


def test_staff_hear_that_it_is_still_in_use(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_tap(session, school, 0, at=_NOW - timedelta(hours=2))
    _retire(sessions, school, 0)
    assert 'id="retired-gate-in"' not in staff.get("/readers").text
    with sessions.begin() as session:
        add_tap(session, school, 1, at=_NOW - timedelta(minutes=1))
    assert 'id="retired-gate-in"' in staff.get("/readers").text
    assert "still in use" in staff.get("/settings/readers?retired=1").text


def test_every_page_of_an_administrator_says_so(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    _retire(sessions, school, 0)
    with sessions.begin() as session:
        add_tap(session, school, 1, at=_NOW - timedelta(minutes=1))
    assert "1 retired reader is still in use." in staff.get("/settings").text

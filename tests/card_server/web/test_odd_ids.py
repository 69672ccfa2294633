"""An id that no row can have is a page that is not there, or counts as not asked."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from tests.card_server.web.campus_things import add_evacuation
from tests.card_server.web.small_school import SmallSchool

_HUGE = 10**20


@pytest.mark.parametrize(
    "path",
    [
        f"/students/{_HUGE}/attendance",
        f"/homerooms/{_HUGE}/corrections",
        f"/settings/calendar/recompute/{_HUGE}",
        f"/leave/{_HUGE}",
    ],
)
def test_there_is_no_page_of_it(staff: FlaskClient, path: str) -> None:
    assert staff.get(path).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        f"/attendance/homerooms?grade={_HUGE}&homeroom={_HUGE}",
        f"/attendance/homerooms?grade={_HUGE}&export=csv",
        f"/attendance/today/mine?homeroom={_HUGE}",
        f"/board/students?grade={_HUGE}&homeroom={_HUGE}&page={_HUGE}&print=all",
        f"/leave/register?grade={_HUGE}&homeroom={_HUGE}&page={_HUGE}",
    ],
)
def test_it_counts_as_not_asked(staff: FlaskClient, path: str) -> None:
    assert staff.get(path).status_code == 200


def test_an_evacuation_has_no_such_homeroom(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        evacuation = add_evacuation(session, school, [0, 1])
    path = f"/campus/evacuation/{evacuation.id}"
    shown = staff.get(f"{path}?homeroom={_HUGE}")
    assert shown.status_code == 200
    assert "rooms-title" in shown.text
    answer = staff.post(
        f"{path}/ticks?homeroom={_HUGE}", data={"tick": f"{school.students[0]}:1:0"}
    )
    assert answer.location == path


def test_nobody_is_marked_here_by_it(staff: FlaskClient) -> None:
    answer = staff.post("/attendance/today/mine", data={"student": str(_HUGE), "position": "1"})
    assert answer.status_code == 404

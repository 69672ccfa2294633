"""Leave slips by program: the filters and the search of the register, within reach."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.leave import LeaveState
from tests.card_server.api.programs import Program
from tests.card_server.people.people_school import ZONE
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.small_school import SmallSchool

_BEGIN = datetime(2026, 11, 24, tzinfo=ZONE).astimezone(UTC)


@pytest.fixture
def slips(school: SmallSchool, sessions: sessionmaker[Session]) -> list[int]:
    """On 24 November of the first two students, of two homerooms; the third's two days later."""
    with sessions.begin() as session:
        made = [make_slip(school, one, _BEGIN) for one in (0, 1)]
        made.append(make_slip(school, 2, _BEGIN + timedelta(days=2)))
        made[1].state = LeaveState.APPROVED
        session.add_all(made)
        session.flush()
        return [one.id for one in made]


def _ask(program: Program, query: str) -> list[int]:
    return [one["id"] for one in program.get(f"/leave?{query}").json["items"]]


def test_slips_are_asked_for_by_days_homeroom_grade_kind_and_state(
    program: Program, school: SmallSchool, slips: list[int]
) -> None:
    tuesday = "first=2026-11-24&last=2026-11-24"
    assert _ask(program, tuesday) == slips[:2]
    assert _ask(program, f"{tuesday}&state=approved") == slips[1:2]
    assert _ask(program, f"{tuesday}&homeroom={school.homerooms[0]}") == slips[:1]
    assert _ask(program, "first=2026-11-25") == slips[2:]
    assert _ask(program, "last=2026-11-25") == slips[:2]
    assert _ask(program, "grade=1&kind=sick") == slips
    assert _ask(program, "kind=official") == _ask(program, "grade=2") == []
    assert _ask(program, f"student={school.students[2]}") == slips[2:]
    assert program.get("/leave?first=tomorrow").status_code == 422


def test_the_filters_go_on_in_the_next_part(program: Program, slips: list[int]) -> None:
    part = program.get("/leave?first=2026-11-24&limit=2").json
    assert [one["id"] for one in part["items"]] == slips[:2]
    rest = program.get(part["next"].removeprefix("/api/v1")).json
    assert [one["id"] for one in rest["items"]] == slips[2:]
    assert rest["next"] is None


def test_slips_are_found_by_words_and_within_reach_alone(
    program: Program, teacher: Program, slips: list[int]
) -> None:
    def find(asking: Program, **sent: str) -> list[int]:
        items = asking.ask("POST", "/leave/search", json=sent).json["items"]
        assert all("reason" not in one for one in items)
        return [one["id"] for one in items]

    assert find(program, words="zs") == slips[:1]
    assert find(program, words="2026") == slips[2:] + slips[1::-1]
    assert find(program, words="2026", last="2026-11-24", state="asked") == slips[:1]
    assert find(teacher, words="2026") == [slips[2], slips[0]]
    assert find(teacher, words="ls") == []


@pytest.mark.parametrize(
    ("said", "lets_out"),
    [("", False), ("?lets_out=yes", True), ("?lets_out=no", False)],
)
def test_a_program_that_approves_may_say_whether_the_gate_lets_out(
    program: Program, slips: list[int], said: str, lets_out: bool
) -> None:
    approved = program.ask("POST", f"/leave/{slips[0]}/approve{said}").json
    assert (approved["state"], approved["lets_out"]) == ("approved", lets_out)


def test_whether_the_gate_lets_out_is_yes_or_no(program: Program, slips: list[int]) -> None:
    assert program.ask("POST", f"/leave/{slips[0]}/approve?lets_out=1").status_code == 422
    assert program.get(f"/leave/{slips[0]}").json["state"] == "asked"

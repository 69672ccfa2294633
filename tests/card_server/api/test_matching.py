"""Changing only what is as it was seen: If-Match, with the ETag that GET gives."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy.orm import Session, sessionmaker

from card_server.api.problems import PREFIX
from schema.tables.audit import AuditEntry
from tests.card_server.api.programs import Program, add_hook
from tests.card_server.web.small_school import SmallSchool

PATHS: dict[str, tuple[Callable[[SmallSchool], str], list[dict[str, object]]]] = {
    "school": (lambda _: "/school", [{"late_after": "07:41"}, {"late_after": "07:42"}]),
    "homeroom": (lambda one: f"/homerooms/{one.homerooms[0]}", [{"grade": 2}, {"grade": 3}]),
    "reader": (lambda one: f"/readers/{one.readers[0]}", [{"place": "北"}, {"place": "南"}]),
    "staff": (lambda _: "/staff/1", [{"name": "一"}, {"name": "二"}]),
    "webhook": (lambda _: "/webhooks/1", [{"kinds": ["message"]}, {"is_disabled": True}]),
}


@pytest.fixture(autouse=True)
def hook(school: SmallSchool, sessions: sessionmaker[Session]) -> None:
    assert add_hook(sessions, school).id == 1


@pytest.mark.parametrize("kind", PATHS)
def test_a_change_of_what_was_seen_is_made_and_answers_the_next_tag(
    program: Program, school: SmallSchool, kind: str
) -> None:
    address, (first, second) = PATHS[kind]
    path = address(school)
    seen = program.get(path).headers["ETag"]
    changed = program.ask("PATCH", path, json=first, headers={"If-Match": seen})
    assert changed.status_code == 200, changed.text
    now = program.get(path)
    assert changed.headers["ETag"] == now.headers["ETag"] != seen
    assert changed.json == now.json
    again = {"If-Match": changed.headers["ETag"]}
    assert program.ask("PATCH", path, json=second, headers=again).status_code == 200


@pytest.mark.parametrize("kind", PATHS)
def test_a_change_of_what_is_not_as_it_was_seen_is_refused_and_changes_nothing(
    program: Program, school: SmallSchool, kind: str, sessions: sessionmaker[Session]
) -> None:
    address, (first, second) = PATHS[kind]
    path = address(school)
    seen = program.get(path).headers["ETag"]
    assert program.ask("PATCH", path, json=first).status_code == 200
    between = program.get(path).json
    with sessions() as session:
        noted = session.query(AuditEntry).count()
    for tag in (seen, '"nothing"', f"W/{program.get(path).headers['ETag']}", "nonsense", ""):
        refused = program.ask("PATCH", path, json=second, headers={"If-Match": tag})
        assert refused.status_code == 412, tag
        assert refused.json["type"] == PREFIX + "changed"
    assert program.get(path).json == between
    with sessions() as session:
        assert session.query(AuditEntry).count() == noted


def test_any_of_several_tags_will_do_and_a_star_is_whatever_is_there(
    program: Program, school: SmallSchool
) -> None:
    path = f"/readers/{school.readers[0]}"
    seen = program.get(path).headers["ETag"]
    several = {"If-Match": f'"other", {seen}'}
    assert program.ask("PATCH", path, json={"place": "北"}, headers=several).status_code == 200
    star = {"If-Match": "*"}
    assert program.ask("PATCH", path, json={"place": "南"}, headers=star).status_code == 200


def test_a_card_that_changes_meanwhile_does_not_make_the_school_another_one(
    program: Program,
) -> None:
    assert "cards_version" not in program.get("/school").json
    assert program.get("/readers").json["cards_version"] == 7


def test_of_many_who_saw_the_same_one_changes_it(program: Program, school: SmallSchool) -> None:
    path = f"/readers/{school.readers[0]}"
    seen, start = program.get(path).headers["ETag"], Barrier(4)

    def change(number: int) -> int:
        own = Program(program.client.application.test_client(), program.token, program.id)
        start.wait(10)
        body, headers = {"place": f"门{number}"}, {"If-Match": seen}
        status: int = own.ask("PATCH", path, json=body, headers=headers).status_code
        return status

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(change, range(4)))
    assert answers == [200, 412, 412, 412]

"""A program has days judged anew: it tries out, reads what would change, and applies just that."""

from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.scope import WHOLE_SCHOOL
from schema.tables.audit import AuditEntry
from tests.card_server.api.programs import Program, make_program
from tests.card_server.attendance.changed_school import GRADE, make_changed_school, room_of
from tests.card_server.attendance.judged_school import MONDAY, JudgedSchool
from tests.card_server.jobs.desk import do_next
from tests.card_server.web.small_school import SmallSchool, make_school

DAYS = {"first": str(MONDAY), "last": str(MONDAY)}


@pytest.fixture
def judged(sessions: sessionmaker[Session]) -> JudgedSchool:
    """Monday was judged, and closed afterwards."""
    return make_changed_school(sessions)


@pytest.fixture
def caller(app: Flask, judged: JudgedSchool) -> Program:
    """A program that may do in that school what its administrator may."""
    return make_program(app, judged.sessions, cast(SmallSchool, judged.school), WHOLE_SCHOOL)


def try_out(program: Program, engine: Engine, **more: Any) -> dict[str, Any]:
    """A try-out that has ended."""
    sent = program.ask("POST", "/recomputations", json=DAYS | more)
    assert sent.status_code == 201, sent.text
    assert (sent.json["kind"], sent.json["state"], sent.json["difference"]) == (
        "try_out",
        "queued",
        None,
    )
    assert do_next(engine)
    found: dict[str, Any] = program.get(f"/recomputations/{sent.json['id']}").json
    assert found["state"] == "done"
    return found


def apply(program: Program, trial: dict[str, Any], seen: str | None = None) -> Any:
    sent = {"seen": seen or trial["difference"]["seen"]}
    return program.ask("POST", f"/recomputations/{trial['id']}/apply", json=sent)


def test_it_is_tried_out_read_and_applied(
    caller: Program, judged: JudgedSchool, engine: Engine
) -> None:
    trial = try_out(caller, engine)
    difference = trial["difference"]
    assert (difference["changed_days"], difference["changed_students"]) == (3, 3)
    assert {"before": "late", "after": None, "sessions": 1} in difference["statuses"]
    assert {"homeroom_id": room_of(judged, 3), "changed_days": 1} in difference["homerooms"]
    part = caller.get(f"/recomputations/{trial['id']}/days?limit=2").json
    rest = caller.get(part["next"].removeprefix("/api/v1")).json
    assert [one["student_id"] for one in part["items"] + rest["items"]] == [1, 2, 3]
    assert (rest["next"], rest["seen"]) == (None, difference["seen"])
    assert part["items"][0]["sessions"][0] == {
        "position": 1,
        "name": "上午",
        "before": "late",
        "after": None,
    }
    assert judged.statuses(1) == ["late", "present"]
    begun = apply(caller, trial)
    assert begun.status_code == 201
    assert do_next(engine)
    done = caller.get(f"/recomputations/{begun.json['id']}").json
    assert (done["kind"], done["state"], done["difference"]) == ("apply", "done", None)
    assert done["message"] == "Judged anew: 3 days of 3 students have changed."
    assert judged.statuses(1) == []
    [noted] = [row for row in judged.rows(AuditEntry) if row.action == "attendance.recomputed"]
    assert (noted.actor_kind, noted.actor_id) == ("token", caller.id)


def test_what_was_not_seen_is_refused(
    caller: Program, judged: JudgedSchool, engine: Engine
) -> None:
    trial = try_out(caller, engine)
    assert apply(caller, trial, "0" * 64).status_code == 409
    judged.record([judged.pass_gate(2, MONDAY, "07:50")])
    begun = apply(caller, trial).json
    assert apply(caller, begun | {"difference": trial["difference"]}).status_code == 409
    assert do_next(engine)
    failed = caller.get(f"/recomputations/{begun['id']}").json
    assert failed["state"] == "failed"
    assert "nothing was changed" in failed["message"]
    assert judged.statuses(1) == ["late", "present"]


def test_a_grade_or_a_homeroom_alone(caller: Program, judged: JudgedSchool, engine: Engine) -> None:
    for narrower in ({"grade": GRADE}, {"homeroom_id": room_of(judged, 3)}):
        trial = try_out(caller, engine, **narrower)
        assert trial["difference"]["changed_students"] == 1
        assert narrower.items() <= trial.items()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"first": "2026-09-02", "last": "2026-09-01"}, 422),
        ({"first": "2026-09-01", "last": "2099-01-01"}, 422),
        ({"first": "2024-09-01", "last": "2026-09-01"}, 422),
        (DAYS | {"grade": 1}, 409),
        (DAYS | {"homeroom_id": 999}, 409),
    ],
)
def test_what_cannot_be_is_refused(caller: Program, sent: dict[str, Any], status: int) -> None:
    assert caller.ask("POST", "/recomputations", json=sent).status_code == status
    assert caller.get("/jobs").json["items"] == []


def test_another_schools_program_finds_nothing(
    app: Flask, caller: Program, judged: JudgedSchool, engine: Engine
) -> None:
    trial = try_out(caller, engine)
    with judged.sessions.begin() as session:
        other = make_school(session, "no2")
    stranger = make_program(app, judged.sessions, other, WHOLE_SCHOOL)
    for path in (f"/recomputations/{trial['id']}", f"/recomputations/{trial['id']}/days"):
        assert stranger.get(path).status_code == 404
    assert apply(stranger, trial).status_code == 404

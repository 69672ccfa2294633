"""A program brings a roster in: handed in, looked at, mended, imported as it was seen."""

import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.staff.scope import WHOLE_SCHOOL
from card_server.staff.tokens import revoke_token
from card_server.webhooks.webhook import Form, make_webhook
from schema.messages import utc_now
from schema.tables.audit import AuditEntry
from schema.tables.jobs import Job, JobState
from schema.tables.people import Guardian, Student
from schema.tables.roster import RosterImport, RosterMapping, RosterState
from schema.tables.webhooks import EventKind, WebhookDelivery
from tests.card_server.api.programs import Program, make_program
from tests.card_server.jobs.desk import SEAL, do_next
from tests.card_server.web.small_school import SmallSchool, make_school

HEADER = "学号,姓名,性别,班级,母亲姓名,母亲电话"
KNOWN = ("张三", "李四", "王小明", "赵雪", "欧阳娜", "刘洋", "陈晨", "杨柳")
NEW = (
    "20270001,钱一,女,高一(1)班,孙二,13800138001",
    "20270002,李三,男,高一(2)班,孙二,13800138001",
)


def sheet(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join((header, *rows)).encode()


def all_known() -> list[str]:
    """The rows of those whom the school has, as it has them."""
    return [
        f"2026{number:04},{name},,高一({number % 2 + 1})班,," for number, name in enumerate(KNOWN)
    ]


def send(program: Program, body: bytes, name: str = "名单.csv", **more: Any) -> Any:
    form = {"file": (io.BytesIO(body), name)} | more
    return program.ask("POST", "/roster/imports", data=form, content_type="multipart/form-data")


def compared(program: Program, engine: Engine, body: bytes) -> dict[str, Any]:
    """The import of a file that has been handed in and compared."""
    sent = send(program, body)
    assert sent.status_code == 201, sent.text
    return after_the_job(program, engine, sent.json)


def after_the_job(program: Program, engine: Engine, shown: dict[str, Any]) -> dict[str, Any]:
    assert shown["job_state"] == "queued"
    assert do_next(engine)
    found: dict[str, Any] = program.get(f"/roster/imports/{shown['id']}").json
    return found


def start(program: Program, shown: dict[str, Any], **more: Any) -> Any:
    consent = {"seen": shown["comparison"]["seen"]} | more
    return program.ask("POST", f"/roster/imports/{shown['id']}/import", json=consent)


def count(sessions: sessionmaker[Session], table: type) -> int:
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_roster_is_compared_at_once_and_imported_when_the_program_says_so(
    program: Program, engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    shown = compared(program, engine, sheet(*all_known(), *NEW))
    address = f"/roster/imports/{shown['id']}"
    assert (shown["state"], shown["source"], shown["counts"]["new"]) == ("waiting", "sheet", 2)
    assert (shown["comparison"]["errors"], shown["comparison"]["brakes"]) == (0, [])
    new = program.get(f"{address}/new?limit=1").json
    assert [one["name"] for one in new["items"]] == ["钱一"]
    rest = program.get(new["next"].removeprefix("/api/v1")).json
    assert ([one["name"] for one in rest["items"]], rest["next"]) == (["李三"], None)
    assert rest["seen"] == shown["comparison"]["seen"]
    assert count(sessions, Student) == 8
    begun = start(program, shown)
    assert begun.status_code == 200
    job = program.get(f"/jobs/{begun.json['job_id']}").json
    assert (job["kind"], job["state"]) == ("roster_import", "queued")
    done = after_the_job(program, engine, begun.json)
    assert (done["state"], done["job_state"], done["comparison"]) == ("done", "done", None)
    assert done["counts"]["new"] == 2
    with sessions() as session:
        assert session.scalars(select(Guardian).where(Guardian.name == "孙二")).one()
        row = session.get_one(RosterImport, shown["id"])
        assert (row.state, row.body_sealed) == (RosterState.DONE, None)
        noted = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "roster.imported")
        ).one()
        assert (noted.actor_kind, noted.actor_id, noted.school_id) == (
            "token",
            program.id,
            school.id,
        )


def test_new_students_of_a_roster_are_told_to_webhooks(
    program: Program, engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    form = Form("receiver", "https://hooks.example/", frozenset({EventKind.STUDENT}))
    with sessions.begin() as session:
        make_webhook(session, school.id, form, SEAL, SYSTEM, utc_now())
    after_the_job(
        program,
        engine,
        start(program, compared(program, engine, sheet(*all_known(), *NEW))).json,
    )
    with sessions() as session:
        bodies = session.scalars(select(WebhookDelivery.body)).all()
    assert len(bodies) == 2
    assert {number for number in ("20270001", "20270002") if number in "".join(bodies)} == {
        "20270001",
        "20270002",
    }
    assert "钱一" not in "".join(bodies)


def test_what_is_wrong_is_named_row_by_row_and_mended(
    program: Program, engine: Engine, sessions: sessionmaker[Session]
) -> None:
    rows = ("20270001,,女,高一(1)班,,", "2.0E+09,李三,男,高一(2)班,,")
    shown = compared(program, engine, sheet(*all_known(), *rows))
    address = f"/roster/imports/{shown['id']}"
    found = program.get(f"{address}/findings").json["items"]
    errors = [one for one in found if one["is_error"]]
    assert [(one["line"], one["cells"][0]["column"]) for one in errors] == [(10, 1), (11, 0)]
    assert errors[0]["message"] == "The name is missing."
    refused = start(program, shown)
    assert (refused.status_code, "Mend the errors" in refused.json["detail"]) == (409, True)
    mending = {"cells": [{"line": 10, "column": 1, "text": "钱一"}], "without": [11]}
    mended = program.ask("POST", f"{address}/mend", json=mending)
    assert mended.json["comparison"] is None
    shown = after_the_job(program, engine, mended.json)
    assert (shown["counts"]["new"], shown["comparison"]["errors"]) == (1, 0)
    after_the_job(program, engine, start(program, shown).json)
    assert count(sessions, Student) == 9


def test_columns_are_shown_corrected_and_remembered(
    program: Program, engine: Engine, sessions: sessionmaker[Session]
) -> None:
    header = "代号,姓名,性别,班级,母亲姓名,母亲电话"
    sent = send(program, sheet(*all_known(), header=header)).json
    address = f"/roster/imports/{sent['id']}"
    columns = program.get(f"{address}/columns").json
    assert (columns["columns"][0]["header"], columns["columns"][0]["key"]) == ("代号", "")
    keys = [one["key"] or None for one in columns["columns"]]
    short = program.ask("PUT", f"{address}/columns", json={"columns": keys[1:]})
    assert short.status_code == 422
    nonsense = program.ask("PUT", f"{address}/columns", json={"columns": ["x", *keys[1:]]})
    assert nonsense.status_code == 422
    assert count(sessions, RosterMapping) == 0
    named = program.ask("PUT", f"{address}/columns", json={"columns": ["number", *keys[1:]]})
    assert named.status_code == 200
    assert do_next(engine)
    assert after_the_job(program, engine, named.json)["counts"]["unchanged"] == 8
    assert count(sessions, RosterMapping) == 1
    again = send(program, sheet(*all_known(), header=header)).json
    columns = program.get(f"/roster/imports/{again['id']}/columns").json
    assert (columns["columns"][0]["key"], columns["columns"][0]["sureness"]) == ("number", "said")


def test_another_encoding_opens_the_sheet_once_more(program: Program, engine: Engine) -> None:
    shown = compared(program, engine, sheet(*all_known()))
    address = f"/roster/imports/{shown['id']}"
    opened = program.ask("PUT", f"{address}/opening", json={"encoding": "utf-16"})
    shown = after_the_job(program, engine, opened.json)
    assert shown["comparison"]["errors"] == 1
    assert "encoding" in program.get(f"{address}/columns").json["faults"][0]
    assert program.ask("PUT", f"{address}/opening", json={"encoding": "ebcdic"}).status_code == 422


def test_half_a_roster_waits_for_a_yes(
    program: Program, engine: Engine, sessions: sessionmaker[Session]
) -> None:
    shown = compared(program, engine, sheet(*all_known()[:4]))
    assert shown["comparison"]["brakes"] == ["gone"]
    gone = program.get(f"/roster/imports/{shown['id']}/gone").json["items"]
    assert [one["name"] for one in gone] == [*KNOWN[4:]]
    assert start(program, shown).status_code == 409
    after_the_job(program, engine, start(program, shown, yes=True).json)
    with sessions() as session:
        assert len(session.scalars(select(Student).where(Student.gone_at.is_not(None))).all()) == 4


def test_what_was_not_seen_is_not_imported(program: Program, engine: Engine) -> None:
    shown = compared(program, engine, sheet(*all_known(), *NEW))
    other = {"comparison": {"seen": "0" * 64}, "id": shown["id"]}
    assert start(program, other).status_code == 409
    again = program.ask("POST", f"/roster/imports/{shown['id']}/compare")
    assert start(program, shown).status_code == 409
    shown = after_the_job(program, engine, again.json)
    assert start(program, shown).status_code == 200


def test_a_token_that_is_revoked_imports_nothing_any_more(
    program: Program, engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    assert start(program, compared(program, engine, sheet(*all_known(), *NEW))).status_code == 200
    with sessions.begin() as session:
        revoke_token(session, SYSTEM, school.id, program.id, utc_now())
    assert do_next(engine)
    assert count(sessions, Student) == 8
    with sessions() as session:
        job = session.scalars(select(Job).order_by(Job.id.desc())).first()
        assert job is not None
        assert (job.state, "may not do it any more" in job.message) == (JobState.FAILED, True)


def test_an_import_that_is_cancelled_changes_nothing(
    program: Program, engine: Engine, sessions: sessionmaker[Session]
) -> None:
    begun = start(program, compared(program, engine, sheet(*all_known(), *NEW))).json
    ended = program.ask("POST", f"/jobs/{begun['job_id']}/cancel")
    assert (ended.status_code, ended.json["state"]) == (200, "cancelled")
    assert not do_next(engine)
    assert count(sessions, Student) == 8


def test_a_file_that_is_given_up_is_gone(program: Program, sessions: sessionmaker[Session]) -> None:
    id_ = send(program, sheet(*NEW)).json["id"]
    assert program.ask("DELETE", f"/roster/imports/{id_}").status_code == 204
    assert program.get(f"/roster/imports/{id_}").json["state"] == "discarded"
    assert program.get(f"/roster/imports/{id_}/columns").status_code == 404
    assert program.ask("POST", f"/roster/imports/{id_}/mend", json={}).status_code == 409
    with sessions() as session:
        assert session.get_one(RosterImport, id_).body_sealed is None
    assert [one["id"] for one in program.get("/roster/imports").json["items"]] == [id_]


def test_another_schools_file_is_not_there(
    program: Program, app: Flask, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
    theirs = make_program(app, sessions, other, WHOLE_SCHOOL)
    id_ = send(program, sheet(*NEW)).json["id"]
    for path in ("", "/columns", "/findings", "/new", "/changed", "/gone", "/homerooms"):
        assert theirs.get(f"/roster/imports/{id_}{path}").status_code == 404, path
    for method, path in (("POST", "/compare"), ("DELETE", "")):
        assert theirs.ask(method, f"/roster/imports/{id_}{path}").status_code == 404
    assert theirs.get("/roster/imports").json["items"] == []


def test_personal_numbers_are_masked_in_every_answer(program: Program, engine: Engine) -> None:
    header = HEADER + ",身份证件号"
    rows = [f"{NEW[0]},110101201401010014", f"{NEW[1]},11010120140101002"]
    shown = compared(program, engine, sheet(*rows, header=header))
    for path in ("", "/columns", "/findings", "/new"):
        answer = program.get(f"/roster/imports/{shown['id']}{path}").text
        assert "13800138001" not in answer, path
        assert "2014010100" not in answer, path


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"data": b"x", "content_type": "text/csv"}, 415),
        ({"json": {"file": "x"}}, 415),
        ({"data": {}, "content_type": "multipart/form-data"}, 422),
        ({"data": {"file": "text"}, "content_type": "multipart/form-data"}, 422),
        ({"file": b""}, 422),
        ({"file": b"1", "more": "1"}, 422),
    ],
    ids=["no form", "json", "nothing", "text", "empty", "more"],
)
def test_what_is_no_file_is_refused_and_nothing_kept(
    program: Program, sessions: sessionmaker[Session], form: dict[str, Any], status: int
) -> None:
    if "file" in form:
        form = {"data": form | {"file": (io.BytesIO(form["file"]), "x.csv")}}
    assert program.ask("POST", "/roster/imports", **form).status_code == status
    assert (count(sessions, RosterImport), count(sessions, Job)) == (0, 0)


def test_a_sixth_job_is_refused_and_its_file_not_kept(
    program: Program, sessions: sessionmaker[Session]
) -> None:
    answers = [send(program, sheet(*NEW)).status_code for _ in range(6)]
    assert answers == [201, 201, 201, 201, 201, 409]
    assert count(sessions, RosterImport) == 5

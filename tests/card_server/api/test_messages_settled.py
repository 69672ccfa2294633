"""Texts, limits, switch and wordings by programs: the same rules as on the pages."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.staff import Role
from tests.card_server.api.programs import Program, grants_of, make_program
from tests.card_server.web.small_school import SmallSchool, make_school

ARRIVAL = "/message-texts/arrival/zh"
BODY = "{student}{time}到校"


def test_a_text_is_put_in_place_and_taken_back(program: Program) -> None:
    default = program.get(ARRIVAL)
    assert not default.json["is_own"]
    put = program.ask("PUT", ARRIVAL, json={"body": "{ student }{time}到校"})
    assert (put.status_code, put.json["body"], put.json["is_own"]) == (200, BODY, True)
    assert [one["to_paste"] for one in put.json["codes"]] == [
        "${student}${time}到校",
        "{1}{2}到校",
    ]
    assert len(program.get("/message-texts").json["items"]) == 22
    back = program.ask("DELETE", ARRIVAL)
    assert back.json == default.json


def test_only_the_text_that_was_seen_is_changed(program: Program) -> None:
    seen = program.get(ARRIVAL).headers["ETag"]
    first = program.ask("PUT", ARRIVAL, json={"body": BODY}, headers={"If-Match": seen})
    assert first.status_code == 200
    late = program.ask("PUT", ARRIVAL, json={"body": BODY + "了"}, headers={"If-Match": seen})
    assert late.status_code == 412
    assert program.get(ARRIVAL).json["body"] == BODY


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ("{student}", "body", "{time}"),
        ("{student}{time}{gone}", "body", "{gone}"),
        ("{student}{time}【一中】", "body", "【】"),
        ("{student}{time}" + "到" * 70, "may_be_long", "SMS"),
    ],
)
def test_a_text_that_cannot_be_is_refused_with_the_reason(
    program: Program, body: str, field: str, said: str
) -> None:
    answer = program.ask("PUT", ARRIVAL, json={"body": body})
    assert answer.status_code == 422
    [wrong] = answer.json["errors"]
    assert wrong["name"] == field
    assert said in wrong["message"]
    assert not program.get(ARRIVAL).json["is_own"]


def test_a_preview_says_what_a_text_would_cost(program: Program) -> None:
    body = {"body": "{student}{time}" + "到" * 70}
    answer = program.ask("POST", f"{ARRIVAL}/preview", json=body)
    found = answer.json
    assert (found["encoding"], found["segments"], found["price"]) == ("ucs2", 2, "0.09")
    assert found["is_long"]
    assert found["shown"].endswith("到" * 70)
    known = body | {"may_be_long": True}
    assert program.ask("PUT", ARRIVAL, json=known).status_code == 200


def test_a_carriers_code_is_kept_and_forgotten(program: Program) -> None:
    for code in ("SMS_154950909", ""):
        answer = program.ask("PUT", f"{ARRIVAL}/codes/aliyun", json={"code": code})
        assert {one["provider"]: one["code"] for one in answer.json["codes"]} == {
            "aliyun": code,
            "tencent": "",
        }
    assert program.ask("PUT", f"{ARRIVAL}/codes/twilio", json={"code": "x"}).status_code == 422


def test_limits_are_changed_one_by_one(program: Program) -> None:
    before = program.get("/message-rules").json
    assert (before["per_number"], before["price_per_segment"]) == (20, "0.045")
    sent = {"price_per_segment": "0.038", "quiet_from": "21:00"}
    after = program.ask("PATCH", "/message-rules", json=sent).json
    assert after == before | sent
    assert program.ask("PATCH", "/message-rules", json={"currency": "AAA"}).status_code == 422
    assert program.get("/message-rules").json == after


def test_the_schools_switch_waits_for_the_districts(
    app: Flask, program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        make_school(session, "no2")
    reason = {"reason": "费用异常"}
    assert program.ask("POST", "/message-rules/stop", json=reason).json["stopped_at"]
    assert program.ask("POST", "/message-rules/resume", json=reason).json["stopped_at"] is None
    district = make_program(app, sessions, school, grants_of(school)[Role.DISTRICT_ADMIN])
    stopped = district.ask("POST", "/district/messages/stop", json=reason).json["items"]
    assert [one["is_by_district"] for one in stopped] == [True, True]
    assert program.get("/message-rules").json["is_stopped_by_district"]
    assert program.ask("POST", "/message-rules/resume", json=reason).status_code == 409
    resumed = district.ask("POST", "/district/messages/resume", json=reason).json["items"]
    assert [one["stopped_at"] for one in resumed] == [None, None]
    assert program.ask("POST", "/message-rules/stop", json={"reason": " "}).status_code == 422


def test_a_new_wording_stands_before_the_old_ones(program: Program) -> None:
    for body in ("第一版", "第二版"):
        sent = {"language": "zh", "body": body}
        assert program.ask("POST", "/consent-wordings", json=sent).status_code == 201
    found = [one["body"] for one in program.get("/consent-wordings").json["items"]]
    assert found[:2] == ["第二版", "第一版"]

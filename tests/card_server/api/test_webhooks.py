"""Webhooks by the API: made, changed, paused, tried; the secret is told once."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.storage.sealing import Seal
from schema.tables.school import School
from schema.tables.webhooks import DeliveryState, Webhook, WebhookDelivery
from tests.card_server.api.programs import Program, add_hook
from tests.card_server.web.small_school import SmallSchool, make_school

HOOK = {"name": "数据中心", "url": "https://example.org/a?key=1", "kinds": ["tap", "message"]}


def test_a_webhook_is_made_and_its_secret_is_told_at_that_moment_only(
    program: Program, sessions: sessionmaker[Session]
) -> None:
    made = program.ask("POST", "/webhooks", json=HOOK)
    assert made.status_code == 201
    with sessions() as session:
        row = session.get_one(Webhook, made.json["id"])
        assert Seal(bytes(32)).open(row.secret_sealed) == made.json["secret"]
    path = f"/webhooks/{made.json['id']}"
    assert program.get(path).json == HOOK | {"id": made.json["id"], "is_disabled": False}
    [listed] = program.get("/webhooks").json["items"]
    assert (listed["host"], listed["is_enabled"]) == ("example.org", True)
    for later in (program.get(path), program.get("/webhooks")):
        assert made.json["secret"] not in later.text
    renewed = program.ask("POST", f"{path}/secret").json
    assert renewed["secret"] != made.json["secret"]


def test_a_webhook_is_changed_paused_and_goes_on(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    path = f"/webhooks/{add_hook(sessions, school).id}"
    before = program.get(path).json
    changed = program.ask("PATCH", path, json={"name": "别的", "is_disabled": True}).json
    assert changed == before | {"name": "别的", "is_disabled": True}
    with sessions() as session:
        risen = session.get_one(School, school.id).register_version
    assert program.ask("POST", f"{path}/test").status_code == 409
    assert program.ask("PATCH", path, json={"is_disabled": False}).json["is_disabled"] is False
    with sessions() as session:
        assert session.get_one(School, school.id).register_version > risen
    history = program.get("/history?subject=webhook:1").json["items"]
    assert [one["action"] for one in history][:2] == ["webhook.enabled", "webhook.disabled"]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "http://example.org/"}, "url"),
        ({"name": " "}, "name"),
        ({"kinds": []}, "kinds"),
        ({"kinds": ["test"]}, "kinds"),
        ({"secret": "x"}, "secret"),
    ],
)
def test_what_a_webhook_cannot_be_is_named(
    program: Program, change: dict[str, object], name: str
) -> None:
    answer = program.ask("POST", "/webhooks", json=HOOK | change)
    assert answer.status_code == 422
    assert name in [one["name"].split(".")[0] for one in answer.json["errors"]]


def test_events_come_in_parts_by_state_and_go_out_again(
    program: Program, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    hook = add_hook(sessions, school)
    path = f"/webhooks/{hook.id}"
    for _ in range(4):
        assert program.ask("POST", f"{path}/test").status_code == 200
    first = program.get(f"{path}/deliveries?limit=3").json
    rest = program.get(first["next"].removeprefix("/api/v1")).json
    found = [one["id"] for one in first["items"] + rest["items"]]
    assert (len(found), len({*found}), rest["next"]) == (5, 5, None)
    assert found == sorted(found, reverse=True)
    assert found[-1] == str(hook.delivery)
    with sessions.begin() as session:
        row = session.scalars(
            select(WebhookDelivery).where(WebhookDelivery.id == hook.delivery)
        ).one()
        row.state, row.attempts = DeliveryState.FAILED, 9
    [failed] = program.get(f"{path}/deliveries?state=failed").json["items"]
    assert failed["attempts"] == 9
    again = program.ask("POST", f"{path}/deliveries/{failed['id']}")
    assert again.json == {"id": failed["id"]}
    assert program.get(f"{path}/deliveries?state=failed").json["items"] == []


def test_another_schools_webhook_is_not_there(
    program: Program, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
    hook = add_hook(sessions, other)
    path = f"/webhooks/{hook.id}"
    for method, address in (
        ("GET", path),
        ("GET", f"{path}/deliveries"),
        ("POST", f"{path}/secret"),
        ("POST", f"{path}/test"),
        ("POST", f"{path}/deliveries/{hook.delivery}"),
    ):
        assert program.ask(method, address).status_code == 404, address
    assert program.ask("PATCH", path, json={"name": "z"}).status_code == 404

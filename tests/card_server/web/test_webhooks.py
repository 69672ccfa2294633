"""The pages of webhooks: a secret shown once, what is wrong beside its field, deliveries."""

import re
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.storage.sealing import Seal
from schema.messages import utc_now
from schema.tables.audit import AuditEntry
from schema.tables.school import School
from schema.tables.webhooks import DeliveryState, EventKind, Trouble, Webhook, WebhookDelivery
from tests.card_server.web.small_school import SmallSchool, make_school
from tests.harness.hooks import add_events, add_webhook, alter_event, alter_webhook, deliveries

URL = "https://hooks.example/events?key=abc"
FORM = {"name": "Parents' app", "url": URL, "kinds": ["tap", "attendance"]}


def make(staff: FlaskClient) -> str:
    """Make a webhook by the form; its secret as the page shows it."""
    answer = staff.post("/settings/webhooks/new", data=FORM)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    secret: str
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/]+=", answer.text.replace("&#43;", "+"))
    return secret


def only_webhook(sessions: sessionmaker[Session]) -> Webhook:
    with sessions() as session:
        return session.scalars(select(Webhook)).one()


def actions(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        noted = session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq))
        return [action for action in noted if action.startswith("webhook.")]


def test_a_webhook_is_made_and_its_secret_shown_this_once(
    staff: FlaskClient, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    assert "No webhooks yet" in staff.get("/settings/webhooks").text
    secret = make(staff)
    webhook = only_webhook(sessions)
    assert Seal(bytes(32)).open(webhook.secret_sealed) == secret
    assert (webhook.school_id, webhook.url) == (school.id, URL)
    assert webhook.wanted == {EventKind.TAP, EventKind.ATTENDANCE}
    page = staff.get("/settings/webhooks").text
    assert "hooks.example" in page
    assert "key=abc" not in page
    assert secret not in page + staff.get(f"/settings/webhooks/{webhook.id}").text
    assert actions(sessions) == ["webhook.made"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": " "}, "This must not be empty."),
        ({"url": "http://hooks.example/"}, "The address must begin with https://."),
        ({"url": "https://10.0.0.1/"}, "This address is inside a private network."),
        ({"url": "https://a:b@hooks.example/"}, "without a user, a password"),
        ({"kinds": []}, "Choose at least one kind of event."),
        ({"kinds": ["test"]}, "Choose at least one kind of event."),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(
    staff: FlaskClient, sessions: sessionmaker[Session], change: dict[str, object], said: str
) -> None:
    answer = staff.post("/settings/webhooks/new", data=FORM | change)
    assert answer.status_code == 422
    assert said in answer.text
    field = next(iter(change))
    assert f'id="{field}-wrong"' in answer.text
    if field != "url":
        assert 'value="https://hooks.example/events?key=abc"' in answer.text
    with sessions() as session:
        assert session.scalars(select(Webhook)).all() == []


def test_a_webhook_is_changed_unless_somebody_was_faster(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    make(staff)
    address = f"/settings/webhooks/{only_webhook(sessions).id}"
    [seen] = re.findall(r'name="seen" value="(\w+)"', staff.get(address).text)
    changed = FORM | {"name": "Another", "seen": seen, "kinds": ["message"]}
    assert staff.post(address, data=changed).status_code == 302
    assert only_webhook(sessions).wanted == {EventKind.MESSAGE}
    late = staff.post(address, data=changed | {"name": "Late"})
    assert late.status_code == 409
    assert "Somebody else has changed this" in late.text
    assert only_webhook(sessions).name == "Another"
    assert actions(sessions) == ["webhook.made", "webhook.changed"]


def test_each_change_that_ingest_must_know_of_raises_the_registers_version(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    make(staff)
    id_ = only_webhook(sessions).id
    for action in ("disable", "enable"):
        before = version(sessions)
        staff.post(f"/settings/webhooks/{id_}/{action}")
        assert version(sessions) == before + 1
        assert (only_webhook(sessions).disabled_at is None) == (action == "enable")
    assert actions(sessions) == ["webhook.made", "webhook.disabled", "webhook.enabled"]


def version(sessions: sessionmaker[Session]) -> int:
    with sessions() as session:
        return session.scalars(select(School.register_version)).one()


def test_a_new_secret_replaces_the_old_one(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    old = make(staff)
    webhook = only_webhook(sessions)
    answer = staff.post(f"/settings/webhooks/{webhook.id}/secret")
    new = Seal(bytes(32)).open(only_webhook(sessions).secret_sealed)
    assert new != old
    assert new.replace("+", "&#43;") in answer.text.replace("+", "&#43;")
    assert answer.headers["Cache-Control"] == "no-store"
    assert actions(sessions)[-1] == "webhook.secret_renewed"


def test_a_test_event_is_queued_for_this_webhook_alone(
    staff: FlaskClient, sessions: sessionmaker[Session], engine: Engine, school: SmallSchool
) -> None:
    make(staff)
    id_ = only_webhook(sessions).id
    answer = staff.post(f"/settings/webhooks/{id_}/test", follow_redirects=True)
    assert "A test event is on its way" in answer.text
    [event] = deliveries(engine)
    assert (event.webhook_id, event.kind, event.school_id) == (id_, EventKind.TEST, school.id)
    assert '"type":"test"' in event.body
    staff.post(f"/settings/webhooks/{id_}/disable")
    answer = staff.post(f"/settings/webhooks/{id_}/test", follow_redirects=True)
    assert "This webhook is disabled" in answer.text
    assert len(deliveries(engine)) == 1


def test_deliveries_are_shown_with_what_became_of_them_and_one_is_sent_again(
    staff: FlaskClient, sessions: sessionmaker[Session], engine: Engine
) -> None:
    id_ = add_webhook(engine, URL, code="no1")
    failed, waiting = add_events(engine, id_, 2)
    alter_event(
        engine,
        failed,
        state=DeliveryState.FAILED,
        attempts=31,
        status=503,
        trouble=Trouble.ANSWER,
        tried_at=utc_now(),
    )
    alter_webhook(engine, id_, failures=31)
    page = staff.get(f"/settings/webhooks/{id_}").text
    for shown in ("given up", "waiting", ">31<", "503", "The receiver did not take it.", waiting):
        assert shown in page
    part = staff.get(f"/settings/webhooks/{id_}?state=failed", headers={"HX-Request": "true"}).text
    assert failed in part
    assert waiting not in part
    assert "<html" not in part
    answer = staff.post(f"/settings/webhooks/{id_}/deliveries/{failed}")
    assert answer.status_code == 302
    event, _ = deliveries(engine)
    assert (event.id, event.state, event.attempts) == (UUID(failed), DeliveryState.WAITING, 0)
    assert event.due_at <= utc_now() < event.give_up_at
    assert only_webhook(sessions).failures == 0
    assert actions(sessions) == ["webhook.resent"]


def test_many_deliveries_are_paged_from_the_newest_back(staff: FlaskClient, engine: Engine) -> None:
    id_ = add_webhook(engine, URL, code="no1")
    ids = add_events(engine, id_, 60)
    first = staff.get(f"/settings/webhooks/{id_}").text
    assert ids[-1] in first
    assert ids[9] not in first
    [after] = re.findall(r'href="([^"]+after=[^"]+)" rel="next"', first)
    second = staff.get(after).text
    assert all(one in second for one in ids[:10])
    assert ids[10] not in second


def test_another_schools_webhook_is_nowhere(
    staff: FlaskClient, sessions: sessionmaker[Session], engine: Engine
) -> None:
    with sessions.begin() as session:
        make_school(session, "no2", students=1)
    id_ = add_webhook(engine, URL, code="no2")
    [event] = add_events(engine, id_)
    assert staff.get(f"/settings/webhooks/{id_}").status_code == 404
    for path in ("", "/test", "/disable", "/enable", "/secret", f"/deliveries/{event}"):
        answer = staff.post(f"/settings/webhooks/{id_}{path}", data=FORM)
        assert answer.status_code == 404, path
    with Session(engine) as session:
        assert session.scalars(select(Webhook.name)).one() == "receiver"
        assert session.scalars(select(WebhookDelivery.due_at)).one() <= utc_now()
    assert "receiver" not in staff.get("/settings/webhooks").text


def test_a_school_has_twenty_working_webhooks_at_most(
    staff: FlaskClient, engine: Engine, school: SmallSchool
) -> None:
    ids = [add_webhook(engine, URL, code="no1") for _ in range(20)]
    answer = staff.post("/settings/webhooks/new", data=FORM)
    assert answer.status_code == 409
    assert "Disable one first" in answer.text
    staff.post(f"/settings/webhooks/{ids[0]}/disable")
    assert staff.post("/settings/webhooks/new", data=FORM).status_code == 200


def test_a_webhooks_page_shows_who_changed_what(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    make(staff)
    address = f"/settings/webhooks/{only_webhook(sessions).id}"
    [seen] = re.findall(r'name="seen" value="(\w+)"', staff.get(address).text)
    staff.post(address, data=FORM | {"kinds": ["message"], "seen": seen})
    staff.post(f"{address}/disable")
    page = staff.get(address).text
    history = page[page.index('id="history"') :]
    assert history.count("王老师") == 3
    assert "<del>students&#39; days · taps</del>" in history
    assert "<ins>messages to parents</ins>" in history
    assert "switched a webhook off" in history

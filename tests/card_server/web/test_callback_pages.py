"""Carriers' calls through the whole application: what is signed is believed, and nothing else."""

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session, sessionmaker
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from card_server.config import Settings
from card_server.web.app import close_app, create_app
from schema.tables.messages import Message, MessageState, PhoneStanding
from tests.card_server.web.conftest import make_settings
from tests.card_server.web.small_school import SmallSchool, add_message
from tests.harness.sms_server import ACCOUNT, SENDER, TOKEN

Sessions = sessionmaker[Session]
ADDRESS = "https://card.example.org"
KEY = "0f" * 24


@pytest.fixture
def settings(database_url: str) -> Settings:
    return make_settings(database_url).model_copy(
        update={
            "web_address": ADDRESS,
            "sms_providers": ("twilio", "aliyun", "console"),
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": TOKEN,
            "twilio_sender": SENDER,
            "aliyun_access_key_id": "id",
            "aliyun_access_key_secret": "secret",
            "aliyun_callback_key": KEY,
        }
    )


@pytest.fixture
def app(settings: Settings, engine: Engine) -> Iterator[Flask]:
    """With the protection of forms on: no carrier has its token."""
    app = create_app(settings, engine)
    yield app
    close_app(app)


@pytest.fixture
def message(sessions: Sessions, school: SmallSchool) -> Message:
    with sessions.begin() as session:
        add_message(session, school, 0)
        session.execute(update(Message).values(provider="twilio", provider_id="SM1"))
    return only(sessions)


def only(sessions: Sessions) -> Message:
    with sessions() as session:
        return session.scalars(select(Message)).one()


def twilio(client: FlaskClient, query: str = "", token: str = TOKEN, **fields: str) -> TestResponse:
    """As Twilio calls: signed over the address that it knows."""
    path = "/callbacks/sms/twilio" + (f"?{query}" if query else "")
    signature = RequestValidator(token).compute_signature(ADDRESS + path, fields)
    return client.post(path, data=fields, headers={"X-Twilio-Signature": signature})


def test_a_signed_receipt_moves_its_message(
    client: FlaskClient, sessions: Sessions, message: Message
) -> None:
    query = urlencode({"reference": f"{message.school_id}-{message.id.hex}"})
    receipt = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    answer = twilio(client, query, **receipt)
    assert (answer.status_code, answer.text) == (200, "")
    assert only(sessions).state is MessageState.DELIVERED
    assert twilio(client, query, MessageSid="SM1", MessageStatus="sent").status_code == 200
    assert only(sessions).state is MessageState.DELIVERED


def test_a_failed_receipt_says_why_and_flags_the_number(
    client: FlaskClient, sessions: Sessions, message: Message
) -> None:
    receipt = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "21614"}
    assert twilio(client, **receipt).status_code == 200
    assert only(sessions).error == "Twilio 21614: The number is not a mobile number."
    with sessions() as session:
        assert session.scalars(select(PhoneStanding)).one().bad_at


def test_what_is_forged_changes_nothing_and_is_soon_not_even_answered(
    client: FlaskClient, sessions: Sessions, message: Message
) -> None:
    receipt = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    answers = [twilio(client, token="guessed", **receipt).status_code for _ in range(31)]
    assert answers == [403] * 30 + [429]
    assert client.post("/callbacks/sms/twilio", data=receipt).status_code == 429
    assert only(sessions).state is MessageState.ACCEPTED
    assert twilio(client, **receipt).status_code == 200, "what is genuine always gets through"
    assert only(sessions).state is MessageState.DELIVERED


def test_a_signed_reply_stops_the_number(
    client: FlaskClient, sessions: Sessions, school: SmallSchool
) -> None:
    answer = twilio(client, From="+8613800001000", Body=" ｔｄ。", To=SENDER)
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/xml")
    with sessions() as session:
        assert session.scalars(select(PhoneStanding)).one().stopped_at
    assert twilio(client, From="+8613800001001", Body="谢谢", To=SENDER).status_code == 200
    with sessions() as session:
        assert len(session.scalars(select(PhoneStanding)).all()) == 1


def test_a_batch_of_aliyun_is_believed_at_the_address_with_the_key(
    client: FlaskClient, sessions: Sessions, message: Message
) -> None:
    with sessions.begin() as session:
        session.execute(update(Message).values(provider="aliyun", provider_id="biz"))
    batch = [
        {"biz_id": "biz", "out_id": "", "success": True, "err_code": "DELIVERED"},
        {"biz_id": "other", "out_id": "", "success": True, "err_code": "DELIVERED"},
    ]
    body = json.dumps(batch)
    assert client.post("/callbacks/sms/aliyun", data=body).status_code == 403
    assert client.post(f"/callbacks/sms/aliyun/{'0' * 48}", data=body).status_code == 403
    assert only(sessions).state is MessageState.ACCEPTED
    answer = client.post(f"/callbacks/sms/aliyun/{KEY}", data=body)
    assert answer.json == {"code": 0, "msg": "OK"}
    assert only(sessions).state is MessageState.DELIVERED


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff", b"[" * 5000])
def test_rubbish_is_refused(client: FlaskClient, school: SmallSchool, body: bytes) -> None:
    assert client.post(f"/callbacks/sms/aliyun/{KEY}", data=body).status_code == 400


def test_who_is_not_in_the_settings_is_not_there(client: FlaskClient, school: SmallSchool) -> None:
    for name in ("tencent", "nobody", "twilio/x/y"):
        assert client.post(f"/callbacks/sms/{name}").status_code == 404
    assert client.get("/callbacks/sms/twilio").status_code == 405
    assert client.post("/callbacks/sms/console").status_code == 403


def test_more_than_a_batch_can_be_is_not_read(client: FlaskClient, school: SmallSchool) -> None:
    path, kib = f"/callbacks/sms/aliyun/{KEY}", 1024
    assert client.post(path, data=b" " * (256 * kib + 1)).status_code == 413
    assert client.post(path, data=b" " * (256 * kib)).status_code == 400


def test_nothing_of_a_call_is_logged_but_who_called(
    client: FlaskClient, school: SmallSchool, capsys: pytest.CaptureFixture[str]
) -> None:
    twilio(client, From="+8613800001000", Body="TD")
    twilio(client, token="guessed", From="+8613800001000", Body="秘密")
    client.post(f"/callbacks/sms/aliyun/{KEY}", data="秘密 13800001000".encode())
    logged = "".join(capsys.readouterr())
    assert "13800001000" not in logged
    assert "秘密" not in logged
    assert KEY not in logged

"""The staff's pages about messages: what was sent, what failed and why, what to do about it."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.messages.standing import flag_number, stop_number
from card_server.sending.looking_up import NOBODY_TO_ASK_FOR
from schema.messages import utc_now
from schema.tables.audit import AuditEntry
from schema.tables.message_costs import MessageCostDay
from schema.tables.messages import (
    CarrierHealth,
    LimitScope,
    Message,
    MessageCount,
    MessageKind,
    MessageRules,
    MessageState,
    PhoneStanding,
    StopBy,
    Suppression,
)
from schema.tables.people import Guardian, Guardianship
from tests.card_server.web.small_school import SmallSchool, add_message

Sessions = sessionmaker[Session]


@pytest.fixture
def sent(sessions: Sessions, school: SmallSchool) -> UUID:
    """One message, about the first student."""
    with sessions.begin() as session:
        add_message(session, school, 0, MessageState.ACCEPTED)
    return only(sessions).id


def only(sessions: Sessions) -> Message:
    with sessions() as session:
        return session.scalars(select(Message)).one()


def change(sessions: Sessions, **values: object) -> None:
    """The messages become so."""
    with sessions.begin() as session:
        session.execute(update(Message).values(**values))


def newest(sessions: Sessions) -> Message:
    with sessions() as session:
        return session.scalars(select(Message).order_by(Message.created_at.desc())).first() or only(
            sessions
        )


def seen(staff: FlaskClient, message_id: UUID) -> str:
    """What the forms of a message's page carry now."""
    page = staff.get(f"/messages/{message_id}").text
    return page.partition('name="seen" value="')[2].partition('"')[0]


def actions(sessions: Sessions) -> list[str]:
    with sessions() as session:
        found = session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq))
        return [one for one in found if one.startswith(("message.", "limits.", "guardian."))]


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ("", True),
        ("?state=accepted&kind=arrival", True),
        ("?state=failed", False),
        ("?kind=notice", False),
        ("?homeroom={own}", True),
        ("?homeroom={other}", False),
        ("?homeroom=x&state=x&kind=x&reason=x&day=x", True),
        ("?day={today}", True),
        ("?day=2020-01-01", False),
        ("?reason=limit", False),
        ("?failure=Twilio%2021211", False),
    ],
)
def test_the_outbox_shows_what_the_filters_say(
    staff: FlaskClient, school: SmallSchool, sent: UUID, query: str, is_there: bool
) -> None:
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat()
    path = query.format(own=school.homerooms[0], other=school.homerooms[1], today=today)
    answer = staff.get(f"/messages{path}")
    assert answer.status_code == 200
    assert (f"/messages/{sent}" in answer.text) is is_there


def test_a_message_says_what_became_of_it_in_words(
    staff: FlaskClient, sessions: Sessions, sent: UUID
) -> None:
    change(
        sessions,
        state=MessageState.UNDELIVERED,
        provider="twilio",
        error="Twilio 30003: The phone is off or out of reach.",
        segments=2,
        price=90,
    )
    page = staff.get(f"/messages/{sent}").text
    assert "not delivered" in page
    assert "Twilio 30003: The phone is off or out of reach." in page
    assert "2 SMS, CN¥0.09" in page


def test_an_unclear_message_is_decided_once_with_a_reason(
    staff: FlaskClient, sessions: Sessions, sent: UUID
) -> None:
    change(sessions, state=MessageState.UNKNOWN, look_up_at=None)
    path = f"/messages/{sent}/decide"
    assert staff.post(path, data={"arrived": "yes", "reason": " "}).status_code == 422
    assert staff.post(path, data={"reason": "母亲说收到了"}).status_code == 422
    assert only(sessions).state is MessageState.UNKNOWN
    said = {"arrived": "yes", "reason": "母亲说收到了", "seen": seen(staff, sent)}
    assert staff.post(path, data=said).status_code == 302
    assert only(sessions).state is MessageState.DELIVERED
    assert staff.post(path, data=said).status_code == 409
    assert actions(sessions) == ["message.decided"]


def test_a_message_that_failed_is_sent_again_once(
    staff: FlaskClient, sessions: Sessions, sent: UUID
) -> None:
    change(sessions, state=MessageState.FAILED, error="Twilio 30006: …")
    path = f"/messages/{sent}/resend"
    assert staff.post(path, data={"reason": ""}).status_code == 422
    answer = staff.post(path, data={"reason": "号码已更正", "seen": seen(staff, sent)})
    again = newest(sessions)
    assert answer.location == f"/messages/{again.id}"
    assert (again.state, again.resend_of) == (MessageState.QUEUED, sent)
    said = {"reason": "再来一次", "seen": seen(staff, sent)}
    assert staff.post(path, data=said).status_code == 409
    assert f"/messages/{again.id}" in staff.get(f"/messages/{sent}").text
    assert f"/messages/{sent}" in staff.get(f"/messages/{again.id}").text
    assert actions(sessions) == ["message.resent"]


def test_what_moved_since_the_page_was_opened_is_not_sent_again(
    staff: FlaskClient, sessions: Sessions, sent: UUID
) -> None:
    change(sessions, state=MessageState.UNKNOWN, look_up_at=None)
    data = {"reason": "没有收到", "seen": seen(staff, sent)}
    change(sessions, state=MessageState.FAILED, changed_at=utc_now())
    assert staff.post(f"/messages/{sent}/resend", data=data).status_code == 409
    assert only(sessions).state is MessageState.FAILED


def test_a_students_and_a_guardians_messages_stand_on_pages_of_their_own(
    staff: FlaskClient, sessions: Sessions, school: SmallSchool, sent: UUID
) -> None:
    student, guardian = school.students[0], school.guardians[0]
    for path in (
        f"/students/{student}/messages",
        f"/students/{student}/guardians/{guardian}/messages",
    ):
        assert f"/messages/{sent}" in staff.get(path).text
        other = path.replace(f"/students/{student}", f"/students/{school.students[1]}")
        assert f"/messages/{sent}" not in staff.get(other).text
    assert "guardian.messages_seen" in actions(sessions)


def test_failures_are_counted_by_reason_and_lead_to_their_messages(
    staff: FlaskClient, sessions: Sessions, school: SmallSchool, sent: UUID
) -> None:
    change(sessions, state=MessageState.FAILED, error="Twilio 21211: The number is not valid.")
    page = staff.get("/messages/failures").text
    assert "Twilio 21211: The number is not valid." in page
    address = page.partition('href="/messages?')[2].partition('"')[0].replace("&amp;", "&")
    assert f"/messages/{sent}" in staff.get(f"/messages?{address}").text
    change(sessions, state=MessageState.SUPPRESSED, suppression=Suppression.STOPPED, error=None)
    page = staff.get("/messages/failures").text
    assert "the guardian wants no messages at this number" in page
    assert f"/messages/{sent}" in staff.get("/messages?state=suppressed&reason=stopped").text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"due_at": timedelta(hours=2), "kind": MessageKind.NOTICE}, "Quiet hours"),
        ({"due_at": timedelta(minutes=1)}, "The carrier fails and is passed over"),
        ({"due_at": timedelta(minutes=1), "error": "Twilio: …"}, "Was not taken"),
        ({"due_at": timedelta(0)}, "Is sent in a moment"),
        ({"due_at": timedelta(minutes=-5)}, "nothing sends it"),
        ({"state": MessageState.SENDING}, "Is being handed over"),
    ],
)
def test_what_waits_says_why(
    staff: FlaskClient, sessions: Sessions, sent: UUID, values: dict[str, object], said: str
) -> None:
    if isinstance(due := values.get("due_at"), timedelta):
        values = values | {"due_at": utc_now() + due}
    change(sessions, **({"state": MessageState.QUEUED} | values))
    assert said in staff.get("/messages/waiting").text


def test_a_stopped_school_says_so_on_every_page(
    staff: FlaskClient, sessions: Sessions, school: SmallSchool, sent: UUID
) -> None:
    change(sessions, state=MessageState.QUEUED)
    with sessions.begin() as session:
        session.add(MessageRules(school_id=school.id, stopped_at=utc_now(), stopped_by="王老师"))
    assert "All messages of the school are stopped" in staff.get("/messages/waiting").text
    assert "王老师 stopped it" in staff.get("/messages/sending").text


@pytest.mark.parametrize("by", ["day", "homeroom", "kind"])
def test_costs_are_added_up_and_can_be_taken_away(
    staff: FlaskClient, sessions: Sessions, school: SmallSchool, by: str
) -> None:
    assert "Nothing was sent in this time" in staff.get(f"/messages/costs?by={by}").text
    today = utc_now().astimezone(ZoneInfo("Asia/Shanghai")).date()
    key = {"day": today, "homeroom_id": school.homerooms[0], "kind": MessageKind.ARRIVAL}
    with sessions.begin() as session:
        session.add(MessageCostDay(school_id=school.id, **key, messages=1, segments=2, price=90))
    assert "1 messages, 2 SMS, CN¥0.09 in all" in staff.get(f"/messages/costs?by={by}").text
    file = staff.get(f"/messages/costs?by={by}&export=csv").text
    assert file.splitlines()[1].split(",")[1:] == ["1", "2", "0.09"]


def test_a_limit_alerts_the_administrators_until_one_has_seen_it(
    staff: FlaskClient, sessions: Sessions, school: SmallSchool
) -> None:
    with sessions.begin() as session:
        phone_hash = session.get_one(Guardian, school.guardians[0]).phone_hash
        for scope, key in (
            (LimitScope.NUMBER_AND_KIND, f"{phone_hash.hex()}:arrival"),
            (LimitScope.STUDENT, str(school.students[1])),
            (LimitScope.SCHOOL, ""),
        ):
            session.add(
                MessageCount(
                    school_id=school.id,
                    day=utc_now().date(),
                    scope=scope,
                    key=key,
                    count=10,
                    price=450,
                    reached_at=utc_now(),
                )
            )
    assert "A limit of messages is reached" in staff.get("/board").text
    page = staff.get("/messages/sending").text
    assert "messages of one kind to one number (arrival)" in page
    assert "after 10 messages for CN¥0.45" in page
    until = page.partition('name="until" value="')[2].partition('"')[0]
    assert staff.post("/messages/sending/limits/seen", data={"until": until}).status_code == 302
    assert "A limit of messages is reached" not in staff.get("/board").text
    assert "seen by 王老师" in staff.get("/messages/sending").text
    assert actions(sessions) == ["limits.seen"]


def test_a_number_that_gets_nothing_is_seen_and_freed_with_a_reason(
    staff: FlaskClient, sessions: Sessions, school: SmallSchool
) -> None:
    guardian = school.guardians[0]
    with sessions.begin() as session:
        phone_hash = session.get_one(Guardian, guardian).phone_hash
        connection = session.connection()
        stop_number(connection, school.id, phone_hash, StopBy.REPLY, utc_now())
        flag_number(
            connection, school.id, phone_hash, "Twilio 21211: The number is not valid.", utc_now()
        )
    page = staff.get("/messages/sending").text
    assert "stopped by a reply" in page
    assert "Twilio 21211: The number is not valid." in page
    base = f"/messages/sending/numbers/{guardian}"
    assert staff.post(f"{base}/seen").status_code == 302
    assert "seen by 王老师" in staff.get("/messages/sending").text
    assert staff.post(f"{base}/free", data={"reason": ""}).status_code == 422
    assert staff.post(f"{base}/free", data={"reason": "母亲来电要求恢复"}).status_code == 302
    with sessions() as session:
        standing = session.scalars(select(PhoneStanding)).one()
    assert (standing.stopped_at, standing.bad_at) == (None, None)
    assert staff.post(f"{base}/free", data={"reason": "再来"}).status_code == 409
    assert actions(sessions) == ["guardian.stop_seen", "guardian.freed"]


def test_what_went_to_a_guardian_who_was_deleted_is_still_there_to_be_decided(
    staff: FlaskClient, sessions: Sessions, school: SmallSchool, sent: UUID
) -> None:
    change(sessions, state=MessageState.UNKNOWN, look_up_at=None, error=NOBODY_TO_ASK_FOR)
    with sessions.begin() as session:
        gone = session.scalars(select(Message.guardian_id)).one()
        session.execute(delete(Guardianship).where(Guardianship.guardian_id == gone))
        session.execute(delete(Guardian).where(Guardian.id == gone))
    for page in (f"/messages/{sent}", "/messages", "/messages/sending"):
        assert staff.get(page).status_code == 200
    assert NOBODY_TO_ASK_FOR in staff.get("/messages/sending").text
    assert "no guardian of this student any more" in staff.get(f"/messages/{sent}").text
    said = {"arrived": "no", "reason": "无法核实", "seen": seen(staff, sent)}
    assert staff.post(f"/messages/{sent}/decide", data=said).status_code == 302
    assert only(sessions).state is MessageState.UNDELIVERED


def test_a_carrier_that_is_passed_over_says_until_when_and_why(
    staff: FlaskClient, sessions: Sessions, school: SmallSchool
) -> None:
    now = utc_now()
    with sessions.begin() as session:
        session.add(
            CarrierHealth(
                name="console",
                tried=4,
                failed=3,
                passed_over_until=now + timedelta(minutes=1),
                last_error="Twilio 21611: The sender's queue is full.",
                last_error_at=now,
                changed_at=now,
            )
        )
    page = staff.get("/messages/sending").text
    assert "passed over until" in page
    assert "queue is full" in page
    two_hours_ago = now - timedelta(hours=2)
    with sessions.begin() as session:
        session.get_one(CarrierHealth, "console").passed_over_since = two_hours_ago
    since = two_hours_ago.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%H:%M:%S")
    page = staff.get("/messages/sending").text
    assert "passed over since" in page
    assert f"{since}, until" in page

"""Steps of cards and changes of status are told by whatever way they come, and to nobody else."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.cards import cards
from card_server.cards.cards import Doing
from card_server.cards.expiry import expire_cards
from card_server.cards.stock import NewCard, stock_cards
from card_server.people.promotion import promote, read_facts
from card_server.people.promotion_plan import make_plan
from card_server.people.student_status import StatusChange, change_status
from card_server.people.students import add_student, read_settings
from card_server.school_time import day_of
from card_server.staff.scope import Grant, narrow
from card_server.webhooks.delivery import GIVE_UP_AFTER
from card_server.webhooks.events import CardEvent, Event, StudentEvent
from card_server.webhooks.webhook import OFFERED, Form, disable_webhook, make_webhook
from schema.messages import CardState, utc_now
from schema.tables.cards import Card, CardKind, CardStep
from schema.tables.people import StudentStatus
from schema.tables.staff import Role, Scope
from schema.tables.webhooks import DeliveryState, EventKind, WebhookDelivery
from tests.card_server.web.small_school import SEAL, SmallSchool, make_school

ZONE = ZoneInfo("Asia/Shanghai")
SUMMER = datetime(2027, 8, 20, 2, 0, tzinfo=UTC)
Step = Callable[[Session, Doing, int], object]


@pytest.fixture
def school(sessions: sessionmaker[Session]) -> SmallSchool:
    with sessions.begin() as session:
        return make_school(session, students=2)


def hook(sessions: sessionmaker[Session], school: SmallSchool, *kinds: EventKind) -> int:
    form = Form("receiver", "https://hooks.example/", frozenset(kinds or OFFERED))
    with sessions.begin() as session:
        return make_webhook(session, school.id, form, SEAL, SYSTEM, utc_now())[0]


def rows(sessions: sessionmaker[Session]) -> list[WebhookDelivery]:
    with sessions() as session:
        found = session.scalars(select(WebhookDelivery)).all()
    return sorted(found, key=lambda row: str(row.id))


def told(sessions: sessionmaker[Session]) -> list[Event]:
    """The events that were written, in the order in which they are sent."""
    return [msgspec.json.decode(row.body, type=Event) for row in rows(sessions)]


def card_events(sessions: sessionmaker[Session]) -> list[CardEvent]:
    return [one for one in told(sessions) if isinstance(one, CardEvent)]


def student_events(sessions: sessionmaker[Session]) -> list[StudentEvent]:
    return [one for one in told(sessions) if isinstance(one, StudentEvent)]


def doing(school: SmallSchool, at: datetime | None = None) -> Doing:
    return Doing(SYSTEM, school.id, at or utc_now())


def test_a_lost_card_is_told_with_its_student_and_without_its_number(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    webhook_id = hook(sessions, school, EventKind.CARD)
    with sessions.begin() as session:
        cards.report_lost(session, doing(school), school.cards[0])
    [one] = card_events(sessions)
    data = one.data
    assert (data.card_id, data.step, data.state) == (
        school.cards[0],
        CardStep.LOST,
        CardState.LOST,
    )
    assert data.student is not None
    assert (data.student.id, data.student.number) == (school.students[0], "20260000")
    assert (data.student.homeroom, data.kind, one.school) == (
        "高一(1)班",
        CardKind.PERMANENT,
        "no1",
    )
    [row] = rows(sessions)
    assert (row.webhook_id, row.kind, row.state) == (
        webhook_id,
        EventKind.CARD,
        DeliveryState.WAITING,
    )
    assert row.give_up_at - row.created_at == GIVE_UP_AFTER
    assert school.uids[0] not in row.body
    assert "张三" not in row.body


def test_each_step_of_a_card_is_told_in_its_order(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    hook(sessions, school)
    own, student = school.cards[0], school.students[0]
    with sessions.begin() as session:
        blank, other = stock_cards(
            session, doing(school), [NewCard("04FFFFFFFFFF01"), NewCard("04FFFFFFFFFF02")]
        )
        cards.report_lost(session, doing(school), own)
        cards.report_found(session, doing(school), own)
        cards.replace_card(session, doing(school), own, blank.id)
        cards.take_back(session, doing(school), blank.id)
        cards.issue_card(session, doing(school), blank.id, student)
        cards.lend_card(session, doing(school), other.id, student)
        cards.blacklist_card(session, doing(school), other.id)
        ids = (blank.id, other.id)
    found = [(one.data.card_id, one.data.step) for one in card_events(sessions)]
    assert found == [
        (own, CardStep.LOST),
        (own, CardStep.FOUND),
        (own, CardStep.REPLACED),
        (ids[0], CardStep.ISSUED),
        (ids[0], CardStep.RETURNED),
        (ids[0], CardStep.ISSUED),
        (ids[1], CardStep.LENT),
        (ids[1], CardStep.BLACKLISTED),
    ]
    assert {one.data.student and one.data.student.id for one in card_events(sessions)} == {student}


def test_a_card_that_is_nobodys_is_told_without_a_student(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    hook(sessions, school, EventKind.CARD)
    with sessions.begin() as session:
        [blank] = stock_cards(session, doing(school), [NewCard("04FFFFFFFFFF01")])
        cards.blacklist_card(session, doing(school), blank.id)
    [one] = card_events(sessions)
    assert (one.data.student, one.data.step) == (None, CardStep.BLACKLISTED)


def test_the_clock_tells_of_a_temporary_card_whose_day_is_over(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    hook(sessions, school, EventKind.CARD)
    over = utc_now() - timedelta(minutes=5)
    with sessions.begin() as session:
        values = {"kind": CardKind.TEMPORARY, "expires_at": over, "state_since": over}
        session.execute(update(Card).where(Card.id == school.cards[1]).values(values))
    with sessions() as session:
        expire_cards(session, utc_now())
    [one] = card_events(sessions)
    assert (one.data.step, one.data.at, one.data.state) == (
        CardStep.EXPIRED,
        over,
        CardState.EXPIRED,
    )


@pytest.mark.parametrize(
    "status", [StudentStatus.SUSPENDED, StudentStatus.TRANSFERRED, StudentStatus.GRADUATED]
)
def test_who_leaves_is_told_after_the_card_that_ends(
    sessions: sessionmaker[Session], school: SmallSchool, status: StudentStatus
) -> None:
    hook(sessions, school)
    now = utc_now()
    change = StatusChange(status, day_of(now, ZONE))
    with sessions.begin() as session:
        change_status(session, SYSTEM, school.id, school.students[0], change, now, ZONE)
    card, student = told(sessions)
    assert isinstance(card, CardEvent)
    assert isinstance(student, StudentEvent)
    assert card.data.step is CardStep.EXPIRED
    assert (student.data.before, student.data.status) == (StudentStatus.ENROLLED, status)
    assert (student.data.student.id, student.data.on) == (school.students[0], change.on)


def test_what_does_not_change_is_not_told(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    hook(sessions, school)
    now = utc_now()
    change = StatusChange(StudentStatus.ENROLLED, day_of(now, ZONE))
    with sessions.begin() as session:
        change_status(session, SYSTEM, school.id, school.students[0], change, now, ZONE)
    assert told(sessions) == []


def test_a_new_student_is_told_as_one_who_was_nothing_before(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    hook(sessions, school, EventKind.STUDENT)
    wanted, today = read_settings({"number": "20269999", "name": "新生"}), day_of(utc_now(), ZONE)
    with sessions.begin() as session:
        made = add_student(
            session, SYSTEM, school.id, wanted, school.homerooms[1], today, today, SEAL
        )
        id_ = made.id
    [one] = student_events(sessions)
    assert (one.data.student.id, one.data.student.number) == (id_, "20269999")
    assert (one.data.before, one.data.status) == (None, StudentStatus.ENROLLED)


def test_promotion_tells_of_graduates_alone(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    hook(sessions, school)
    with sessions.begin() as session:
        facts = read_facts(session, school.id, SUMMER.date())
        seen = make_plan(facts, {}, SUMMER.date()).seen
        done = promote(session, SYSTEM, school.id, {}, seen, SUMMER, ZONE)
    assert done.graduated == 2
    assert {one.data.student.id for one in student_events(sessions)} == {*school.students}
    assert {one.data.status for one in student_events(sessions)} == {StudentStatus.GRADUATED}
    assert {one.data.card_id for one in card_events(sessions)} == {*school.cards}


def test_what_is_rolled_back_is_told_to_nobody(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    hook(sessions, school)
    with sessions() as session:
        cards.report_lost(session, doing(school), school.cards[0])
        session.rollback()
    assert told(sessions) == []


def test_who_wants_something_else_is_disabled_or_of_another_school_is_told_nothing(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    hook(sessions, school, EventKind.TAP, EventKind.STUDENT)
    resting = hook(sessions, school, EventKind.CARD)
    with sessions.begin() as session:
        disable_webhook(session, school.id, resting, SYSTEM, utc_now())
        hooked = make_school(session, "no2", students=1)
    hook(sessions, hooked, EventKind.CARD)
    with sessions.begin() as session:
        cards.report_lost(session, doing(school), school.cards[0])
    assert told(sessions) == []


def test_a_guard_who_sees_no_webhook_makes_it_told_all_the_same(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    hook(sessions, school, EventKind.CARD)
    with sessions.begin() as session:
        narrow(session, school.id, [Grant(Role.GATE_GUARD, Scope.GATE, place="校门")])
        cards.report_lost(session, doing(school), school.cards[0])
    [one] = card_events(sessions)
    assert one.data.student is not None


def test_a_school_without_webhooks_is_asked_once_for_many_cards(
    sessions: sessionmaker[Session], school: SmallSchool, engine: Engine
) -> None:
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *one: asked.append(str(one[2])))
    with sessions.begin() as session:
        cards.release_cards_of_all(session, doing(school), school.students)
    assert len([one for one in asked if "webhook" in one]) == 1
    assert rows(sessions) == []

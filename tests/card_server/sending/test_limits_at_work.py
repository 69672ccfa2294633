"""Hostile storms of messages: what goes out ends at exactly the limit, with several notifiers."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from card_server.sending.claiming import LIMITS
from card_server.storage.database import open_engine
from schema.messages import utc_now
from schema.tables.messages import (
    LimitScope,
    Message,
    MessageCount,
    MessageKind,
    MessageRules,
    MessageState,
    Suppression,
)
from tests.harness.outbox import messages, notifying, process_for, queue
from tests.harness.sms_server import SmsServer, cut, refuse
from tests.harness.waiting import wait_for

SENDING = MessageState.SENDING
GUARDIANS = 12
HIGH = {
    "per_number": 10**6,
    "per_number_and_kind": 10**6,
    "per_student": 10**6,
    "per_school": 10**6,
    "money_per_day": 10**9,
    "quiet_from": 0,
    "quiet_until": 0,
}
"""Limits that no test reaches but the one that it is about, and no quiet hours at any hour."""


@pytest.fixture
def server() -> Iterator[SmsServer]:
    with SmsServer() as running:
        yield running


def set_rules(engine: Engine, **rules: int) -> None:
    """These limits, and otherwise none that matters."""
    with engine.begin() as connection:
        connection.execute(update(MessageRules).values(**HIGH | rules))


def storm(engine: Engine, count: int, kinds: list[MessageKind]) -> None:
    """As many more messages about the one student, to its guardians in turn."""
    now = utc_now()
    with Session(engine) as session, session.begin():
        known = session.scalars(select(Message).order_by(Message.guardian_id)).all()
        patterns = {one.guardian_id: one for one in known}
        rows = [
            {
                "school_id": pattern.school_id,
                "id": uuid7(),
                "kind": kind,
                "student_id": pattern.student_id,
                "guardian_id": pattern.guardian_id,
                "body": f"storm {place}",
                "state": MessageState.QUEUED,
                "created_at": now,
                "due_at": now,
                "expires_at": now + timedelta(minutes=30),
                "changed_at": now,
            }
            for place, pattern, kind in zip(
                range(count), cycle(patterns.values()), cycle(kinds), strict=False
            )
        ]
        session.execute(insert(Message), rows)


def is_over(engine: Engine) -> bool:
    """Whether nothing waits or is under way."""
    waiting = (MessageState.QUEUED, MessageState.SENDING)
    with engine.connect() as connection:
        return not connection.scalar(select(Message.id).where(Message.state.in_(waiting)).limit(1))


def counts(engine: Engine, scope: LimitScope) -> list[MessageCount]:
    """The day's counts of this kind."""
    with Session(engine) as session:
        found = select(MessageCount).where(MessageCount.scope == scope)
        return list(session.scalars(found.order_by(MessageCount.key)))


def assert_ended_at(engine: Engine, server: SmsServer, scope: LimitScope, sent: int) -> None:
    """Exactly as many went out, and all others say which limit kept them back."""
    assert len(server.asked) == sent
    found = messages(engine)
    kept_back = [one for one in found if one.state is MessageState.SUPPRESSED]
    assert len(found) - len(kept_back) == sent
    assert {one.suppression for one in kept_back} == {Suppression.LIMIT}
    assert {one.error for one in kept_back} == {LIMITS[scope]}
    assert sum(one.count for one in counts(engine, scope)) == sent
    [of_school] = counts(engine, LimitScope.SCHOOL)
    assert (of_school.count, of_school.price) == (sent, 45 * sent)


@pytest.mark.parametrize("many", [1_000, pytest.param(10_000, marks=pytest.mark.faults)])
def test_thousands_of_hostile_messages_end_at_exactly_the_limit(
    postgres_url: str, server: SmsServer, tmp_path: Path, many: int
) -> None:
    engine = open_engine(postgres_url)
    queue(engine)
    set_rules(engine, per_number=20)
    storm(engine, many - 1, list(islice(MessageKind, 5)))
    one = process_for(postgres_url, server, tmp_path / "one.log")
    two = process_for(postgres_url, server, tmp_path / "two.log")
    with one, two:
        wait_for(lambda: is_over(engine), 120, each_s=0.1)
        assert_ended_at(engine, server, LimitScope.NUMBER, 20)
        [reached] = counts(engine, LimitScope.NUMBER)
        storm(engine, 50, [MessageKind.ARRIVAL])
        wait_for(lambda: is_over(engine), 60)
        assert (one.stop(), two.stop()) == (0, 0), one.output + two.output
    assert_ended_at(engine, server, LimitScope.NUMBER, 20)
    assert reached.reached_at
    assert [one.reached_at for one in counts(engine, LimitScope.NUMBER)] == [reached.reached_at]
    engine.dispose()


@pytest.mark.parametrize(
    ("rules", "scope", "sent"),
    [
        ({"per_number_and_kind": 3}, LimitScope.NUMBER_AND_KIND, 3 * 2 * GUARDIANS),
        ({"per_number": 4}, LimitScope.NUMBER, 4 * GUARDIANS),
        ({"per_student": 37}, LimitScope.STUDENT, 37),
        ({"per_school": 41}, LimitScope.SCHOOL, 41),
        ({"money_per_day": 45 * 29 + 44}, LimitScope.SCHOOL, 29),
        ({"per_school": 0}, LimitScope.SCHOOL, 0),
    ],
    ids=["number and kind", "number", "student", "school", "money", "none at all"],
)
def test_each_limit_ends_a_storm_at_exactly_its_count(
    engine: Engine, server: SmsServer, rules: dict[str, int], scope: LimitScope, sent: int
) -> None:
    queue(engine, GUARDIANS)
    set_rules(engine, **rules)
    storm(engine, 300, [MessageKind.ARRIVAL] * GUARDIANS + [MessageKind.DEPARTURE] * GUARDIANS)
    with notifying(engine, server), notifying(engine, server):
        wait_for(lambda: is_over(engine), 60)
    assert_ended_at(engine, server, scope, sent)
    assert all(one.reached_at for one in counts(engine, scope))
    others = set(LimitScope) - {scope}
    assert not any(one.reached_at for other in others for one in counts(engine, other))


@pytest.mark.parametrize("most", [3, 5])
def test_what_is_refused_uses_up_no_limit_and_what_is_unclear_does(
    engine: Engine, server: SmsServer, most: int
) -> None:
    queue(engine)
    set_rules(engine, per_number=most)
    server.answer_with(refuse(401, 20003), cut, refuse(400, 21617), refuse(401, 20003))
    with notifying(engine, server):
        for _ in range(6):
            let_go(engine)
            wait_for(lambda: is_over(engine) or waits(engine))
            storm(engine, 1, [MessageKind.ARRIVAL])
        while not is_over(engine):
            let_go(engine)
            wait_for(lambda: is_over(engine) or waits(engine))
    found = Counter(one.state for one in messages(engine))
    assert found[MessageState.UNKNOWN] == found[MessageState.FAILED] == 1
    assert found[MessageState.ACCEPTED] == min(most - 1, 5)
    counted = {one.count for scope in LimitScope for one in counts(engine, scope)}
    assert counted == {min(most, 6)}


def let_go(engine: Engine) -> None:
    """What waits after a refusal is due now."""
    with engine.begin() as connection:
        is_queued = Message.state == MessageState.QUEUED
        connection.execute(update(Message).where(is_queued).values(due_at=utc_now()))


def waits(engine: Engine) -> bool:
    """Whether whatever is left waits after a refusal."""
    left = [one for one in messages(engine) if one.state in (MessageState.QUEUED, SENDING)]
    return all(one.state is MessageState.QUEUED and one.due_at > utc_now() for one in left)


def test_a_storm_does_not_hold_up_what_comes_after_it(engine: Engine, server: SmsServer) -> None:
    queue(engine)
    set_rules(engine, per_number=5)
    storm(engine, 2000, [MessageKind.ARRIVAL])
    with notifying(engine, server):
        # At a poll for each round this would take more than twelve seconds.
        wait_for(lambda: is_over(engine), 20)
        ends = [one.changed_at for one in messages(engine)]
    assert max(ends) - min(ends) < timedelta(seconds=10)

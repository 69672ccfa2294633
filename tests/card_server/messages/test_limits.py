"""The limits of a day: never one more than the limit, whoever asks and however often."""

import threading
from collections import Counter
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from card_server.messages.limits import (
    CountKey,
    Most,
    Sending,
    Tally,
    give_back,
    lock_counts,
)
from schema.tables.messages import LimitScope, MessageCount, MessageKind

DAY = date(2026, 9, 1)
NOW = datetime(2026, 9, 1, tzinfo=UTC)
PLENTY = Most(100, 100, 100, 1_000, 100_000)


def sending(number: str = "a", student: int = 1, price: int = 45, day: date = DAY) -> Sending:
    return Sending(1, day, number, MessageKind.ARRIVAL, student, price)


def tally_for(*sendings: Sending) -> Tally:
    return Tally({key: (0, 0) for one in sendings for key in one.counted()})


@pytest.mark.parametrize(
    ("most", "scope"),
    [
        (PLENTY._replace(per_number=2), LimitScope.NUMBER),
        (PLENTY._replace(per_number_and_kind=2), LimitScope.NUMBER_AND_KIND),
        (PLENTY._replace(per_student=2), LimitScope.STUDENT),
        (PLENTY._replace(per_school=2), LimitScope.SCHOOL),
        (PLENTY._replace(money=134), LimitScope.SCHOOL),
        (PLENTY._replace(money=90), LimitScope.SCHOOL),
    ],
)
def test_each_limit_lets_its_number_through_and_is_named(most: Most, scope: LimitScope) -> None:
    tally = tally_for(sending())
    said = [tally.admit(sending(), most) for _ in range(4)]
    assert said == [None, None, scope, scope]
    assert {key.scope for key in tally.reached} == {scope}


@given(
    asked=st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.integers(0, 90))),
    most=st.builds(Most, *[st.integers(0, 6)] * 3, st.integers(0, 12), st.integers(0, 500)),
)
def test_no_order_of_messages_passes_any_limit(
    asked: list[tuple[str, int, int]], most: Most
) -> None:
    sendings = [sending(*one) for one in asked]
    tally = tally_for(*sendings)
    sent = [one for one in sendings if tally.admit(one, most) is None]
    assert all(count <= most.per_number for count in Counter(one.number for one in sent).values())
    of_students = Counter(one.student_id for one in sent)
    assert all(count <= most.per_student for count in of_students.values())
    assert len(sent) <= most.per_school
    assert sum(one.price for one in sent) <= most.money


def test_counts_are_kept_by_the_schools_day(engine: Engine) -> None:
    tomorrow = sending(day=date(2026, 9, 2))
    for _ in range(2):
        with engine.begin() as connection:
            tally = lock_counts(connection, [sending(), tomorrow])
            assert tally.admit(sending(), PLENTY) is None
            tally.save(connection, NOW)
    with engine.connect() as connection:
        rows = connection.execute(
            select(MessageCount.day, MessageCount.count, MessageCount.price).where(
                MessageCount.scope == LimitScope.SCHOOL
            )
        ).all()
    assert sorted(rows) == [(DAY, 2, 90), (date(2026, 9, 2), 0, 0)]


def test_that_a_limit_is_reached_is_said_once_a_day(engine: Engine) -> None:
    most = PLENTY._replace(per_number=1)
    told: list[list[CountKey]] = []
    for _ in range(3):
        with engine.begin() as connection:
            tally = lock_counts(connection, [sending()])
            tally.admit(sending(), most)
            told.append(tally.save(connection, NOW))
    assert [[key.scope for key in keys] for keys in told] == [[], [LimitScope.NUMBER], []]


def tally_of(engine: Engine) -> dict[tuple[date, str], tuple[int, int]]:
    """The counts that are kept of students, by day and student, with what they cost."""
    with engine.connect() as connection:
        rows = connection.execute(
            select(
                MessageCount.day, MessageCount.key, MessageCount.count, MessageCount.price
            ).where(MessageCount.scope == LimitScope.STUDENT)
        )
        return {(day, key): (count, price) for day, key, count, price in rows}


def test_what_was_refused_is_given_back_to_its_own_day_and_never_below_nothing(
    engine: Engine,
) -> None:
    today, tomorrow = sending(), sending(day=date(2026, 9, 2))
    with engine.begin() as connection:
        tally = lock_counts(connection, [today, tomorrow])
        for one in (today, today, today, tomorrow):
            assert tally.admit(one, PLENTY) is None
        tally.save(connection, NOW)
    with engine.begin() as connection:
        give_back(connection, [today, today])
        give_back(connection, [])
    assert tally_of(engine) == {(DAY, "1"): (1, 45), (date(2026, 9, 2), "1"): (1, 45)}
    with engine.begin() as connection:
        give_back(connection, [today, today, sending(student=9)])
    assert tally_of(engine) == {(DAY, "1"): (0, 0), (date(2026, 9, 2), "1"): (1, 45)}


def test_a_price_that_rose_meanwhile_leaves_no_debt(engine: Engine) -> None:
    with engine.begin() as connection:
        tally = lock_counts(connection, [sending()])
        tally.admit(sending(price=10), PLENTY)
        tally.admit(sending(price=10), PLENTY)
        tally.save(connection, NOW)
        give_back(connection, [sending(price=45)])
    assert tally_of(engine) == {(DAY, "1"): (1, 0)}


def test_many_at_once_stop_at_exactly_the_limit(engine: Engine) -> None:
    most = PLENTY._replace(per_school=50)
    admitted: list[int] = []
    returned: list[int] = []
    failed: list[BaseException] = []

    def work(student: int) -> None:
        try:
            for round_ in range(10):
                # Each in another order of keys: nobody may wait for somebody who waits for it.
                mine = [sending(f"n{(student + step + round_) % 5}", student) for step in range(3)]
                with engine.begin() as connection:
                    tally = lock_counts(connection, mine)
                    taken = [one for one in mine if tally.admit(one, most) is None]
                    tally.save(connection, NOW)
                admitted.append(len(taken))
                refused = taken[: round_ % 2]
                with engine.begin() as connection:
                    give_back(connection, refused)
                returned.append(len(refused))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(student,)) for student in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sum(returned) > 0
    with engine.connect() as connection:
        is_of_school = MessageCount.scope == LimitScope.SCHOOL
        kept = connection.scalar(select(MessageCount.count).where(is_of_school))
    assert sum(admitted) - sum(returned) == kept
    assert 45 <= sum(admitted) - sum(returned) <= 50

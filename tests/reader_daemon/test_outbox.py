"""The outbox: live before backlog, little on its way, patience while nobody answers."""

import itertools
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from reader_daemon.outbox import (
    BACKLOG_WINDOW,
    LIVE_WINDOW,
    LONGEST_PATIENCE_S,
    PATIENCE_S,
    Outbox,
)
from schema.messages import MAX_TAPS

BACKLOG = [UUID(int=number) for number in range(1000)]
LIVE = [UUID(int=10_000 + number) for number in range(100)]


def _take_all(outbox: Outbox, now_s: float) -> list[list[UUID]]:
    messages = []
    while ids := outbox.take(now_s):
        messages.append(ids)
    return messages


def test_a_live_tap_goes_alone_and_before_the_backlog() -> None:
    outbox = Outbox()
    outbox.add_backlog(BACKLOG)
    outbox.add_live(LIVE[0])
    assert outbox.take(0) == [LIVE[0]]
    assert outbox.take(0) == BACKLOG[:MAX_TAPS]


def test_the_backlog_goes_oldest_first_and_never_more_than_its_window() -> None:
    outbox = Outbox()
    outbox.add_backlog(BACKLOG)
    messages = _take_all(outbox, 0)
    assert len(messages) == BACKLOG_WINDOW
    assert [tap for ids in messages for tap in ids] == BACKLOG[: BACKLOG_WINDOW * MAX_TAPS]
    outbox.add_live(LIVE[0])
    assert outbox.take(0) == [LIVE[0]]
    outbox.answered(messages[0], 1)
    assert len(_take_all(outbox, 1)) == 1


def test_too_many_live_taps_become_backlog() -> None:
    outbox = Outbox()
    for tap_id in LIVE:
        outbox.add_live(tap_id)
    messages = _take_all(outbox, 0)
    assert [len(ids) for ids in messages[:LIVE_WINDOW]] == [1] * LIVE_WINDOW
    assert sum(len(ids) for ids in messages) == len(LIVE)
    assert len(messages) == LIVE_WINDOW + 4


def test_what_nobody_answers_is_sent_again_ever_more_rarely() -> None:
    outbox = Outbox()
    outbox.add_backlog(BACKLOG)
    now_s, sent_at = 0.0, []
    while now_s < 600:
        outbox.expire(now_s)
        sent_at += [now_s for _ in _take_all(outbox, now_s)]
        now_s += 1
    assert sent_at.count(0) == BACKLOG_WINDOW
    probes = sent_at[BACKLOG_WINDOW:]
    assert probes[0] == PATIENCE_S
    gaps = [later - sooner for sooner, later in itertools.pairwise(probes)]
    assert gaps == sorted(gaps)
    assert gaps[-1] == LONGEST_PATIENCE_S
    assert len(probes) < 15


def test_one_answer_opens_the_window_again() -> None:
    outbox = Outbox()
    outbox.add_backlog(BACKLOG)
    first = _take_all(outbox, 1)[0]
    outbox.expire(1 + PATIENCE_S)
    assert len(_take_all(outbox, 1 + PATIENCE_S)) == 1
    outbox.answered(first, 12)
    assert len(_take_all(outbox, 12)) == BACKLOG_WINDOW - 1


def test_a_message_that_is_never_answered_does_not_hold_up_the_others() -> None:
    outbox = Outbox()
    outbox.add_backlog(BACKLOG)
    poison = set(BACKLOG[:MAX_TAPS])
    left, now_s = set(BACKLOG), 0.0
    while left != poison and now_s < 60:
        now_s += 1
        outbox.expire(now_s)
        for ids in _take_all(outbox, now_s):
            if not poison & set(ids):
                outbox.answered(ids, now_s)
                left -= set(ids)
    assert left == poison
    assert now_s < 30


def test_after_a_lost_connection_everything_unanswered_goes_again_in_order() -> None:
    outbox = Outbox()
    outbox.add_backlog(BACKLOG)
    messages = _take_all(outbox, 0)
    outbox.answered(messages[1], 1)
    outbox.disconnected()
    again = [tap for ids in _take_all(outbox, 2) for tap in ids]
    expected = [tap for tap in BACKLOG if tap not in messages[1]]
    assert again == expected[: len(again)]


def test_a_tap_is_added_once() -> None:
    outbox = Outbox()
    outbox.add_live(LIVE[0])
    assert outbox.take(0) == [LIVE[0]]
    outbox.add_backlog([LIVE[0]])
    outbox.add_live(LIVE[0])
    assert outbox.take(0) == []


def test_while_nobody_listens_it_asks_seldom_and_then_everything_goes_in_order() -> None:
    outbox = Outbox()
    outbox.add_live(LIVE[0])
    asked, now_s = [], 0.0
    while now_s < 60:
        if ids := outbox.take(now_s):
            asked.append(now_s)
            outbox.unheard(ids, now_s)
        now_s += 0.5
    assert asked == [0, 1, 3, 7, 15, 25, 35, 45, 55]
    outbox.add_live(LIVE[1])
    assert outbox.take(now_s) == []
    assert _take_all(outbox, 65) == [[LIVE[1]], [LIVE[0]]]
    outbox.answered([LIVE[0], LIVE[1]], 65)
    outbox.add_live(LIVE[2])
    outbox.unheard(outbox.take(66), 66)
    assert (outbox.take(66.5), outbox.take(67)) == ([], [LIVE[2]])


def test_messages_on_their_way_together_make_one_pause() -> None:
    outbox = Outbox()
    outbox.add_backlog(BACKLOG)
    messages = _take_all(outbox, 0)
    assert len(messages) > 1
    for ids in messages:
        outbox.unheard(ids, 0.1)
    assert outbox.take(1) == []
    assert _take_all(outbox, 1.2) == messages


STEP = st.sampled_from(["live", "take", "answer", "expire", "disconnect", "put_back", "unheard"])


@given(steps=st.lists(STEP, max_size=60), size=st.integers(0, 60))
def test_no_step_loses_or_doubles_a_tap(steps: list[str], size: int) -> None:
    outbox = Outbox()
    outbox.add_backlog(BACKLOG[:size])
    unanswered, live, sent = set(BACKLOG[:size]), iter(LIVE), []
    for now_s, step in enumerate(steps):
        if step == "live":
            tap_id = next(live)
            outbox.add_live(tap_id)
            unanswered.add(tap_id)
        elif step == "take":
            sent.append(outbox.take(now_s))
        elif step == "answer" and sent:
            outbox.answered(sent[-1], now_s)
            unanswered -= set(sent.pop())
        elif step == "expire":
            outbox.expire(now_s * 20)
        elif step == "put_back" and sent:
            outbox.put_back([tap_id for tap_id in sent[-1][1:] if tap_id in unanswered])
        elif step == "unheard" and sent:
            outbox.unheard(sent[-1], now_s)
        elif step == "disconnect":
            outbox.disconnected()
    outbox.disconnected()
    everything = []
    while ids := outbox.take(0):
        everything += ids
        outbox.answered(ids, 0)
    assert sorted(everything) == sorted(unanswered)

"""Where a message may go from each state."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from card_server.messages.states import MOVES, TAKEN, next_state, states_before
from schema.tables.messages import MessageState

FINAL = {
    MessageState.DELIVERED,
    MessageState.UNDELIVERED,
    MessageState.FAILED,
    MessageState.SUPPRESSED,
}


@given(st.lists(st.sampled_from(MessageState)))
def test_a_state_only_moves_forward_whatever_news_comes(news: list[MessageState]) -> None:
    states = [MessageState.QUEUED]
    for wanted in news:
        states.append(next_state(states[-1], wanted))
    for before, after in pairwise(states):
        assert before == after or after in MOVES[before]
        if before in FINAL:
            assert after == before
        if before in TAKEN:
            assert after in TAKEN


@given(st.lists(st.sampled_from(MessageState)), st.sampled_from(MessageState))
def test_the_same_news_twice_is_news_once(news: list[MessageState], last: MessageState) -> None:
    state = MessageState.QUEUED
    for wanted in news:
        state = next_state(state, wanted)
    once = next_state(state, last)
    assert next_state(once, last) == once


def test_every_state_has_its_row_and_is_reached() -> None:
    assert set(MOVES) == set(MessageState)
    for state in set(MessageState) - {MessageState.QUEUED}:
        assert states_before(state)

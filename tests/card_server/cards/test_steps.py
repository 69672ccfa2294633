"""The table of steps: what leads where, and that nothing leads out of an end."""

import pytest

from card_server.cards.steps import FREE, IN_STOCK, OWNED, allowed_steps, next_state
from schema.messages import CardState
from schema.tables.cards import CardStep


@pytest.mark.parametrize(
    ("state", "step", "then"),
    [
        (IN_STOCK, CardStep.ISSUED, CardState.ACTIVE),
        (IN_STOCK, CardStep.LENT, CardState.ACTIVE),
        (IN_STOCK, CardStep.LOST, None),
        (IN_STOCK, CardStep.RETURNED, None),
        (CardState.ACTIVE, CardStep.ISSUED, None),
        (CardState.ACTIVE, CardStep.LOST, CardState.LOST),
        (CardState.ACTIVE, CardStep.FOUND, None),
        (CardState.ACTIVE, CardStep.REPLACED, CardState.BLACKLISTED),
        (CardState.LOST, CardStep.FOUND, CardState.ACTIVE),
        (CardState.LOST, CardStep.LOST, None),
        (CardState.LOST, CardStep.ISSUED, None),
        (CardState.EXPIRED, CardStep.LENT, CardState.ACTIVE),
        (CardState.EXPIRED, CardStep.RETURNED, IN_STOCK),
    ],
)
def test_a_step_leads_where_the_school_expects(
    state: CardState, step: CardStep, then: CardState | None
) -> None:
    assert next_state(state, step) is then


def test_a_card_that_was_ended_stays_so() -> None:
    assert allowed_steps(CardState.BLACKLISTED) == []


def test_only_a_card_that_is_nobodys_can_be_given() -> None:
    for step in (CardStep.ISSUED, CardStep.LENT):
        givable = {state for state in CardState if next_state(state, step)}
        assert givable == FREE
    assert not FREE & OWNED


def test_every_state_but_the_end_can_be_left() -> None:
    states = set(CardState) - {CardState.GONE, CardState.BLACKLISTED}
    assert all(allowed_steps(state) for state in states)

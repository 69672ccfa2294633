"""The life of a card: which step leads from which state to which (制卡、发卡、挂失、补卡…). Pure.

A card that is nobody's (in stock) has the state RETURNED: a reader refuses it, whether it is new
or came back. EXPIRED is a card whose time is over and which is still to be handed in.
"""

from typing import Final

from schema.messages import CardState
from schema.tables.cards import CardStep

IN_STOCK: Final = CardState.RETURNED
"""What a card of the school is that nobody has."""
FREE: Final = frozenset({IN_STOCK, CardState.EXPIRED})
"""The states in which a card can be given to a student: it is nobody's."""
OWNED: Final = frozenset({CardState.ACTIVE, CardState.LOST})
"""The states in which a card is a student's."""

_NEXT: Final[dict[tuple[CardState, CardStep], CardState]] = {
    (CardState.RETURNED, CardStep.ISSUED): CardState.ACTIVE,
    (CardState.RETURNED, CardStep.LENT): CardState.ACTIVE,
    (CardState.RETURNED, CardStep.BLACKLISTED): CardState.BLACKLISTED,
    (CardState.ACTIVE, CardStep.LOST): CardState.LOST,
    (CardState.ACTIVE, CardStep.REPLACED): CardState.BLACKLISTED,
    (CardState.ACTIVE, CardStep.RETURNED): CardState.RETURNED,
    (CardState.ACTIVE, CardStep.EXPIRED): CardState.EXPIRED,
    (CardState.ACTIVE, CardStep.BLACKLISTED): CardState.BLACKLISTED,
    (CardState.LOST, CardStep.FOUND): CardState.ACTIVE,
    (CardState.LOST, CardStep.REPLACED): CardState.BLACKLISTED,
    (CardState.LOST, CardStep.RETURNED): CardState.RETURNED,
    (CardState.LOST, CardStep.EXPIRED): CardState.EXPIRED,
    (CardState.LOST, CardStep.BLACKLISTED): CardState.BLACKLISTED,
    # A card that is still in a guard's drawer is lent again without being handed in first.
    (CardState.EXPIRED, CardStep.ISSUED): CardState.ACTIVE,
    (CardState.EXPIRED, CardStep.LENT): CardState.ACTIVE,
    (CardState.EXPIRED, CardStep.RETURNED): CardState.RETURNED,
    (CardState.EXPIRED, CardStep.BLACKLISTED): CardState.BLACKLISTED,
}
"""What is not here is not allowed; from BLACKLISTED nothing leads on."""


def next_state(state: CardState, step: CardStep) -> CardState | None:
    """The card's state after the step; None when the step is not allowed."""
    return _NEXT.get((state, step))


def allowed_steps(state: CardState) -> list[CardStep]:
    """What can be done with a card now, in the order of the table."""
    return [step for known, step in _NEXT if known is state]

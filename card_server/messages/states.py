"""How a message's state may move: only forward, whatever news of it comes, in whatever order."""

from typing import Final

from schema.tables.messages import MessageState

MOVES: Final[dict[MessageState, frozenset[MessageState]]] = {
    MessageState.QUEUED: frozenset(
        {
            MessageState.SENDING,
            MessageState.SUPPRESSED,
            # Late news of an earlier try: it came after all, and nothing is sent again.
            MessageState.ACCEPTED,
            MessageState.DELIVERED,
        }
    ),
    MessageState.SENDING: frozenset(
        {
            MessageState.QUEUED,  # only when the carrier surely did not take it
            MessageState.ACCEPTED,
            MessageState.DELIVERED,
            MessageState.UNDELIVERED,
            MessageState.FAILED,
            MessageState.UNKNOWN,
        }
    ),
    MessageState.UNKNOWN: frozenset(
        {
            MessageState.QUEUED,  # only when the carrier says that it never had it
            MessageState.ACCEPTED,
            MessageState.DELIVERED,
            MessageState.UNDELIVERED,
            MessageState.FAILED,
        }
    ),
    MessageState.ACCEPTED: frozenset({MessageState.DELIVERED, MessageState.UNDELIVERED}),
    MessageState.DELIVERED: frozenset(),
    MessageState.UNDELIVERED: frozenset(),
    MessageState.FAILED: frozenset(),
    MessageState.SUPPRESSED: frozenset(),
}
"""Where a message may go from each state."""

TAKEN: Final = (MessageState.ACCEPTED, MessageState.DELIVERED, MessageState.UNDELIVERED)
"""A carrier has it, or had it."""


def next_state(now: MessageState, wanted: MessageState) -> MessageState:
    """The state after some news of a message: what is not allowed changes nothing."""
    return wanted if wanted in MOVES[now] else now


def states_before(wanted: MessageState) -> list[MessageState]:
    """The states that may become the wanted one."""
    return [state for state, moves in MOVES.items() if wanted in moves]

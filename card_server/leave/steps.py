"""Which way a leave slip may go: forward only, by one table."""

from typing import Final

from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from schema.tables.leave import LeaveState

NEXT: Final[dict[LeaveState, frozenset[LeaveState]]] = {
    LeaveState.ASKED: frozenset(
        {
            LeaveState.FIRST_APPROVED,
            LeaveState.APPROVED,
            LeaveState.REFUSED,
            LeaveState.WITHDRAWN,
        }
    ),
    LeaveState.FIRST_APPROVED: frozenset(
        {LeaveState.APPROVED, LeaveState.REFUSED, LeaveState.WITHDRAWN}
    ),
    LeaveState.APPROVED: frozenset({LeaveState.WITHDRAWN}),
    LeaveState.REFUSED: frozenset(),
    LeaveState.WITHDRAWN: frozenset(),
}
"""What may follow each state."""
WAITING: Final = (LeaveState.ASKED, LeaveState.FIRST_APPROVED)
STANDING: Final = (*WAITING, LeaveState.APPROVED)
"""Neither refused nor withdrawn: another slip of the student must not lie over one of these."""


def refuse_step(before: LeaveState, after: LeaveState) -> None:
    """Raise AppError(CONFLICT) for a step that no slip may take."""
    if after not in NEXT[before]:
        raise AppError(Code.CONFLICT, _SAID[before])


def approved_state(before: LeaveState, needs_school: bool, is_school: bool) -> LeaveState:
    """What an approval makes of a slip: the school's is always enough.

    Raises AppError(NOT_ALLOWED) where only the school can still approve, AppError(CONFLICT) where
    nobody can.
    """
    is_enough = is_school or not needs_school
    after = LeaveState.APPROVED if is_enough else LeaveState.FIRST_APPROVED
    if before is after is LeaveState.FIRST_APPROVED:
        raise AppError(
            Code.NOT_ALLOWED, "The homeroom teacher has agreed; now the school must approve it."
        )
    refuse_step(before, after)
    return after


_SAID: Final = {
    LeaveState.ASKED: _("This leave slip waits for the homeroom teacher."),
    LeaveState.FIRST_APPROVED: _("This leave slip waits for the school."),
    LeaveState.APPROVED: _("This leave slip is approved already. Nothing was changed."),
    LeaveState.REFUSED: _("This leave slip is refused already. Nothing was changed."),
    LeaveState.WITHDRAWN: _("This leave slip is withdrawn already. Nothing was changed."),
}

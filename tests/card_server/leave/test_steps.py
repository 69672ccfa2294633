"""A leave slip goes forward only, whoever does what in whichever order."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_server.errors import AppError, Code
from card_server.leave.steps import NEXT, STANDING, approved_state, refuse_step
from schema.tables.leave import LeaveState

_RANK = {
    LeaveState.ASKED: 0,
    LeaveState.FIRST_APPROVED: 1,
    LeaveState.APPROVED: 2,
    LeaveState.REFUSED: 3,
    LeaveState.WITHDRAWN: 3,
}
_DEEDS = st.sampled_from(["approve", "approve for the school", "refuse", "withdraw"])


def _do(state: LeaveState, deed: str, needs_school: bool) -> LeaveState:
    if deed.startswith("approve"):
        return approved_state(state, needs_school, is_school=deed != "approve")
    wanted = LeaveState.REFUSED if deed == "refuse" else LeaveState.WITHDRAWN
    refuse_step(state, wanted)
    return wanted


@given(st.lists(_DEEDS, max_size=8), st.booleans())
def test_no_course_ever_goes_back(deeds: list[str], needs_school: bool) -> None:
    state, asked_school = LeaveState.ASKED, False
    for deed in deeds:
        before = state
        with suppress(AppError):
            state = _do(state, deed, needs_school)
        if state is not before:
            assert state in NEXT[before]
            assert _RANK[state] > _RANK[before]
            asked_school |= deed == "approve for the school"
    if needs_school and state is LeaveState.APPROVED:
        assert asked_school


def test_every_state_has_its_row_and_only_the_ended_lead_nowhere() -> None:
    assert NEXT.keys() == {*LeaveState}
    ended = {state for state, following in NEXT.items() if not following}
    assert ended == {*LeaveState} - {*STANDING}


def test_the_homeroom_teacher_cannot_approve_twice() -> None:
    with pytest.raises(AppError) as caught:
        approved_state(LeaveState.FIRST_APPROVED, needs_school=True, is_school=False)
    assert caught.value.code is Code.NOT_ALLOWED

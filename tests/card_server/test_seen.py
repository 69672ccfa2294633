"""A fingerprint tells whether something is still as it was seen."""

import pytest

from card_server.errors import AppError, Code
from card_server.seen import changes, fingerprint, refuse_if_changed

SEEN = {"name": "一中", "late_after": "08:00", "double_tap_s": 60}


def test_the_same_values_in_another_order_are_the_same() -> None:
    assert fingerprint(SEEN) == fingerprint(dict(reversed(SEEN.items())))
    refuse_if_changed(SEEN, fingerprint(SEEN))
    refuse_if_changed(SEEN, None)


@pytest.mark.parametrize(
    "now",
    [
        SEEN | {"name": "二中"},
        SEEN | {"double_tap_s": "60"},
        SEEN | {"name": "08:00", "late_after": "一中"},
        SEEN | {"more": ""},
    ],
)
def test_any_other_value_is_a_conflict(now: dict[str, object]) -> None:
    with pytest.raises(AppError) as caught:
        refuse_if_changed(now, fingerprint(SEEN))
    assert caught.value.code is Code.CONFLICT


def test_changes_are_before_and_after_of_what_differs() -> None:
    assert changes(SEEN, SEEN | {"name": "二中"}) == {"name": ["一中", "二中"]}
    assert changes(SEEN, SEEN) == {}

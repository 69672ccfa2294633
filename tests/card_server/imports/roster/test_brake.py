"""The brake holds above a tenth gone or three quarters changed, and not at them."""

import pytest

from card_server.imports.roster.brake import Brake, find_brakes
from card_server.imports.roster.plan import Counts


@pytest.mark.parametrize(
    ("counts", "brakes"),
    [
        (Counts(gone=10), ()),
        (Counts(gone=11), (Brake.GONE,)),
        (Counts(changed=75), ()),
        (Counts(changed=76), (Brake.CHANGED,)),
        (Counts(gone=50, changed=80), (Brake.GONE, Brake.CHANGED)),
        (Counts(new=500), ()),
    ],
)
def test_the_brake_holds_above_its_limits(counts: Counts, brakes: tuple[Brake, ...]) -> None:
    assert find_brakes(counts, 100) == brakes


def test_a_new_school_has_no_brake() -> None:
    assert find_brakes(Counts(new=5000), 0) == ()

"""Card numbers are written in pairs."""

import pytest

from card_server.words.cards import card_number


@pytest.mark.parametrize(
    ("uid", "written"),
    [("04A23BC4", "04 A2 3B C4"), ("04A23BC4D5E680", "04 A2 3B C4 D5 E6 80"), ("", "")],
)
def test_a_card_number_is_written_in_pairs(uid: str, written: str) -> None:
    assert card_number(uid) == written

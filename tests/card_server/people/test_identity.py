"""Identity numbers are checked by GB 11643 and say when their owner was born."""

from datetime import date

import pytest

from card_server.errors import AppError
from card_server.people.identity import read_identity
from schema.tables.people import Sex


@pytest.mark.parametrize(
    ("typed", "number", "born_on", "sex"),
    [
        ("11010519491231002X", "11010519491231002X", date(1949, 12, 31), Sex.FEMALE),
        (" 1101051949 1231002x", "11010519491231002X", date(1949, 12, 31), Sex.FEMALE),
        ("４４０５２４１８８００１０１００１４", "440524188001010014", date(1880, 1, 1), Sex.MALE),
        ("G12345678", "G12345678", None, None),
        ("123456789", "123456789", None, None),
    ],
)
def test_a_number_and_what_it_says(
    typed: str, number: str, born_on: date | None, sex: Sex | None
) -> None:
    assert read_identity(typed) == (number, born_on, sex)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("110105194912310021", "check digit"),
        ("11010519491331002X", "check digit|no day"),
        ("130503670401001", "no identity number"),
        ("12", "no identity number"),
        ("张三", "no identity number"),
    ],
)
def test_what_is_none_is_refused(typed: str, said: str) -> None:
    with pytest.raises(AppError, match=said):
        read_identity(typed)

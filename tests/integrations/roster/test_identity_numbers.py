"""Identity numbers by GB 11643: what is right is kept, and what cannot be right is refused."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.roster.identity_numbers import IdentityError, Paper, mask, read_identity
from integrations.roster.kinds import Kind
from integrations.roster.protocol import Sex


@pytest.mark.parametrize(
    ("written", "number", "warnings"),
    [
        ("440308199901101512", "440308199901101512", ()),
        (" 440308 19990110 1512 ", "440308199901101512", ()),
        ("４４０３０８１９９９０１１０１５１２", "440308199901101512", ()),
        ("44040119580101000x", "44040119580101000X", ()),
        ("140120197901010008", "140120197901010008", ()),
        ("810000199408230021", "810000199408230021", ()),
        ("830000199201300022", "830000199201300022", ()),
        ("610104620927690", "610104196209276908", (Kind.IDENTITY_OLD_FORM,)),
        ("500154199301135886", "500154199301135886", (Kind.IDENTITY_REGION_LATER,)),
        ("411082198901010002", "411082198901010002", (Kind.IDENTITY_REGION_LATER,)),
        ("500154199804106120", "500154199804106120", (Kind.IDENTITY_REGION_LATER,)),
    ],
)
def test_a_right_number_is_kept(written: str, number: str, warnings: tuple[Kind, ...]) -> None:
    read = read_identity(written)
    assert read.number == number
    assert read.warnings == warnings


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("440308199901101513", Kind.IDENTITY_CHECKSUM),
        ("44030819990110", Kind.IDENTITY_LENGTH),
        ("111111199901101512", Kind.IDENTITY_CHECKSUM),
        ("440308199902301512", Kind.IDENTITY_BIRTH),
        ("610104620932690", Kind.IDENTITY_BIRTH),
        ("990308199901101512", Kind.IDENTITY_REGION),
        ("4403081999O1101512", Kind.IDENTITY_SHAPE),
        ("E12345678", Kind.IDENTITY_LENGTH),
    ],
)
def test_a_number_that_cannot_be_right_is_refused(written: str, kind: Kind) -> None:
    with pytest.raises(IdentityError) as raised:
        read_identity(written)
    assert raised.value.kind is kind


def test_birth_date_and_sex_are_read_from_it() -> None:
    read = read_identity("440308199901101512")
    assert (read.born_on, read.sex) == (date(1999, 1, 10), Sex.MALE)
    assert read_identity("810000199408230021").sex is Sex.FEMALE


def test_other_papers_have_numbers_of_their_own() -> None:
    assert read_identity("e 1234 5678", Paper.OTHER).number == "E12345678"
    with pytest.raises(IdentityError):
        read_identity("?", Paper.OTHER)


@given(place=st.integers(0, 16), digit=st.sampled_from("0123456789"))
def test_one_wrong_digit_is_always_found(place: int, digit: str) -> None:
    right = "440308199901101512"
    wrong = right[:place] + digit + right[place + 1 :]
    if wrong == right:
        return
    with pytest.raises(IdentityError):
        read_identity(wrong)


def test_a_mask_hides_the_birth_date() -> None:
    assert mask("440308199901101512") == "44************1512"
    assert mask("1234") == "****"

"""How passwords are kept."""

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from card_server.staff import passwords


def test_passwords_are_kept_by_the_parameters_of_the_standard() -> None:
    assert extract_parameters(passwords.NOBODYS) == RFC_9106_LOW_MEMORY


@pytest.mark.parametrize("given", ["", "horse batterie", "Horse battery", "horse battery "])
def test_only_the_password_itself_is_it(given: str) -> None:
    known = passwords.hash_password("horse battery")
    assert passwords.is_password(known, "horse battery")
    assert not passwords.is_password(known, given)


def test_what_is_no_hash_proves_nothing() -> None:
    assert not passwords.is_password("horse battery", "horse battery")


def test_a_password_of_any_length_costs_the_same() -> None:
    known = passwords.hash_password("a" * 200)
    assert not passwords.is_password(known, "a" * 1_000_000)


def test_other_parameters_are_outdated() -> None:
    other = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1)
    assert passwords.is_outdated(other.hash("horse battery"))
    assert not passwords.is_outdated(passwords.hash_password("horse battery"))

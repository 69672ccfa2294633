"""A token never does more than its maker: every pair of grants, by what each may see."""

import itertools

import pytest

from card_server.staff.scope import SCOPES, WHOLE_SCHOOL, Grant
from card_server.staff.tokens import covers, roles_to_give
from schema.tables.staff import Role, Scope

_DISTRICT = Grant(Role.DISTRICT_ADMIN, Scope.DISTRICT)


def _grants() -> list[Grant]:
    """Each role with each of its scopes, and two things of a kind to reach."""
    return [
        Grant(
            role,
            scope,
            grade=number if scope is Scope.GRADE else None,
            homeroom_id=number if scope is Scope.HOMEROOM else None,
            place=str(number) if scope in (Scope.GATE, Scope.LAB) else None,
        )
        for role in Role
        for scope in SCOPES[role]
        for number in (1, 2)
    ]


@pytest.mark.parametrize("grant", _grants(), ids=str)
def test_everybody_may_give_away_what_they_are(grant: Grant) -> None:
    assert covers([grant], grant)


def test_who_is_no_administrator_gives_their_own_role_within_their_own_reach() -> None:
    for own, wanted in itertools.product(_grants(), _grants()):
        if own.role in (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN) or own == wanted:
            continue
        is_wider = own.scope in (Scope.SCHOOL, Scope.DISTRICT)
        is_less = own.role is wanted.role and is_wider and wanted.scope is not Scope.DISTRICT
        assert covers([own], wanted) is is_less, (own, wanted)


def test_a_schools_administrator_gives_everything_of_the_school_and_nothing_of_the_district() -> (
    None
):
    for wanted in _grants():
        assert covers([WHOLE_SCHOOL], wanted) is (wanted.scope is not Scope.DISTRICT), wanted
        assert covers([_DISTRICT], wanted)


def test_grants_do_not_add_up_to_a_role_that_none_of_them_has() -> None:
    held = [Grant(Role.LIBRARIAN, Scope.SCHOOL), Grant(Role.GATE_GUARD, Scope.GATE, place="1")]
    assert not covers(held, Grant(Role.GATE_GUARD, Scope.SCHOOL))
    assert not covers([], Grant(Role.LIBRARIAN, Scope.SCHOOL))
    assert roles_to_give(held) == [Role.LIBRARIAN, Role.GATE_GUARD]


def test_an_administrator_offers_the_roles_that_they_may_give() -> None:
    assert Role.DISTRICT_ADMIN not in roles_to_give([WHOLE_SCHOOL])
    assert roles_to_give([_DISTRICT]) == list(Role)

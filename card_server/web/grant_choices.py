"""The roles that an administrator can tick for somebody, and how a grant is called on pages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.register.homerooms import of_today
from card_server.staff.administration import write_grant
from card_server.staff.scope import SCOPES, Grant
from card_server.staff.tokens import covers
from card_server.words.choices import word
from card_server.words.grades import grade_word
from schema.tables.readers import Reader
from schema.tables.school import Homeroom
from schema.tables.staff import Role, Scope


@dataclass(frozen=True)
class Choice:
    """One box to tick: the grant as a form sends it, and how far it reaches."""

    value: str
    label: str


@dataclass(frozen=True)
class RoleChoices:
    """All boxes of one role."""

    role: Role
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Places:
    """What grants of a school can be limited to."""

    homerooms: Mapping[int, str]
    grades: Sequence[int]
    places: Sequence[str]


NO_PLACES = Places({}, (), ())
DISTRICT_GRANTS = tuple(
    Grant(role, Scope.DISTRICT) for role, scopes in SCOPES.items() if Scope.DISTRICT in scopes
)
"""What somebody of the district can be."""


def read_places(session: Session, school_id: int) -> Places:
    """The school's homerooms, their grades, and where its readers stand; two queries."""
    rooms = session.execute(
        select(Homeroom.id, Homeroom.name, Homeroom.grade)
        .where(of_today(school_id))
        .order_by(Homeroom.grade, Homeroom.id)
    ).all()
    places = session.scalars(
        select(Reader.place).where(Reader.school_id == school_id).distinct().order_by(Reader.place)
    )
    return Places(
        {one.id: one.name for one in rooms}, sorted({one.grade for one in rooms}), list(places)
    )


def all_grants(places: Places) -> Iterator[Grant]:
    """Every grant that a school has."""
    for role, scopes in SCOPES.items():
        for scope in scopes:
            if scope is Scope.HOMEROOM:
                yield from (Grant(role, scope, homeroom_id=one) for one in places.homerooms)
            elif scope is Scope.GRADE:
                yield from (Grant(role, scope, grade=one) for one in places.grades)
            elif scope in (Scope.GATE, Scope.LAB):
                yield from (Grant(role, scope, place=one) for one in places.places)
            elif scope is Scope.SCHOOL:
                yield Grant(role, scope)


def list_choices(
    possible: Iterable[Grant], own: Iterable[Grant], held: Iterable[Grant]
) -> list[tuple[Role, list[Grant]]]:
    """Every grant that the caller may give, and those that the account holds already, by role."""
    own = tuple(own)
    offered = [grant for grant in possible if covers(own, grant)]
    offered += [grant for grant in held if grant not in offered]
    by_role = [(role, [grant for grant in offered if grant.role is role]) for role in Role]
    return [(role, grants) for role, grants in by_role if grants]


def show_choices(choices: Iterable[tuple[Role, list[Grant]]], places: Places) -> list[RoleChoices]:
    """The same as boxes."""
    return [
        RoleChoices(
            role, tuple(Choice(write_grant(one), reach_label(one, places)) for one in grants)
        )
        for role, grants in choices
    ]


def read_ticked(values: Iterable[str], choices: Iterable[tuple[Role, list[Grant]]]) -> list[Grant]:
    """The grants whose boxes were ticked. Raises FieldsError for a box that was not offered."""
    known = {write_grant(grant): grant for _role, grants in choices for grant in grants}
    wanted = list(dict.fromkeys(values))
    if any(value not in known for value in wanted):
        raise FieldsError({"grants": _("Choose from the list.")})
    return [known[value] for value in wanted]


def reach_label(grant: Grant, places: Places) -> str:
    """How far a grant reaches."""
    if grant.grade is not None:
        return grade_word(grant.grade)
    if grant.homeroom_id is not None:
        return places.homerooms.get(grant.homeroom_id, str(grant.homeroom_id))
    return grant.place or word(grant.scope)


def grant_label(grant: Grant, places: Places) -> str:
    """The role, and how far it reaches unless that goes without saying."""
    if len(SCOPES[grant.role]) == 1:
        return word(grant.role)
    return f"{word(grant.role)} · {reach_label(grant, places)}"


def label_written(written: str, places: Places) -> str:
    """The label of a grant as it was noted; a place that is gone keeps its number or name."""
    role, _colon, rest = written.partition(":")
    scope, _colon, which = rest.partition(":")
    if role not in list(Role) or scope not in list(Scope):
        return written
    grant = Grant(Role(role), Scope(scope))
    number = int(which) if which.isascii() and which.isdigit() else None
    if grant.scope is Scope.GRADE:
        grant = grant._replace(grade=number)
    elif grant.scope is Scope.HOMEROOM:
        grant = grant._replace(homeroom_id=number)
    elif which:
        grant = grant._replace(place=which)
    return grant_label(grant, places)

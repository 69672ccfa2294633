"""Which of a package's organisations is the school that is asked for."""

from collections.abc import Collection

from msgspec import Struct

from integrations.roster.oneroster.findings import Kind
from integrations.roster.oneroster.gathering import Gathered
from integrations.roster.oneroster.records import Class, User
from integrations.roster.oneroster.tables import ORGS

_DEPTH = 10
_SCHOOL = "school"


class School(Struct, frozen=True):
    """What a package says belongs to the school."""

    orgs: frozenset[str] | None
    """Ids of the school and its parts; None: whatever there is."""
    classes: tuple[Class, ...]
    """Its homerooms."""

    def has(self, student: User, role_orgs: frozenset[str], enrolled_in: Collection[str]) -> bool:
        """Whether the student is of this school: by the student's own row and roles, or else by
        being in one of its homerooms.
        """
        orgs = role_orgs.union(student.orgs)
        if self.orgs is None:
            return True
        if orgs:
            return not orgs.isdisjoint(self.orgs)
        return any(class_.id in enrolled_in for class_ in self.classes)


def find_school(gathered: Gathered) -> School | None:
    """The school of the options, or the only one; None and a finding if that is not clear."""
    wanted = gathered.options.school
    classes = tuple(gathered.homerooms.values())
    if wanted is not None:
        return _find_wanted(gathered, wanted, classes)
    stated = [class_ for class_ in classes if class_.school]
    roots: dict[str, Class] = {}
    for class_ in stated:
        roots.setdefault(_root(gathered, class_.school), class_)
    if len(roots) > 1:
        class_ = list(roots.values())[1]
        names = (
            f"{root} {gathered.orgs[root].name}" for root in sorted(roots) if root in gathered.orgs
        )
        gathered.findings.add(
            Kind.SEVERAL_SCHOOLS,
            class_.file,
            class_.line,
            "schoolSourcedId",
            expected="; ".join(names),
        )
        return None
    for root, class_ in roots.items():
        org = gathered.orgs.get(root)
        if org and org.type != _SCHOOL:
            gathered.findings.add(
                Kind.ORG_TYPE, class_.file, class_.line, "schoolSourcedId", org.type, _SCHOOL
            )
    return School(None, classes)


def _find_wanted(gathered: Gathered, wanted: str, classes: tuple[Class, ...]) -> School | None:
    if gathered.is_delta and ORGS not in gathered.tables:
        return _school_of(frozenset({wanted}), classes)
    ids = [org.id for org in gathered.orgs.values() if wanted in (org.id, org.identifier)]
    if len(ids) != 1:
        gathered.findings.add(Kind.SCHOOL_UNKNOWN, gathered.file(ORGS), None, "sourcedId", wanted)
        return None
    orgs = frozenset(id_ for id_ in gathered.orgs if ids[0] in _ancestors(gathered, id_))
    return _school_of(orgs, classes)


def _school_of(orgs: frozenset[str], classes: tuple[Class, ...]) -> School:
    """With those homerooms that do not say whose they are."""
    own = (class_ for class_ in classes if not class_.school or class_.school in orgs)
    return School(orgs, tuple(own))


def _root(gathered: Gathered, org_id: str) -> str:
    """The school that an org is or is part of; itself, if there is none above it."""
    for id_ in _ancestors(gathered, org_id):
        if gathered.orgs[id_].type == _SCHOOL:
            return id_
    return org_id


def _ancestors(gathered: Gathered, org_id: str) -> list[str]:
    """The org and all above it."""
    chain: list[str] = []
    while org_id in gathered.orgs and org_id not in chain and len(chain) < _DEPTH:
        chain.append(org_id)
        org_id = gathered.orgs[org_id].parent
    return chain

"""Whose guardians a roster names, and whom the school knows already.

One person of the roster is one guardian, whoever the children are: found by the source's id, by
name and number, and then among the student's own guardians by name, or by number and relation.
Nobody is taken away but whom the same kind of source named before and names no more.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

import phonenumbers
from msgspec import Struct
from phonenumbers import PhoneNumberType

from card_server.imports.roster.plan import (
    Change,
    GuardianPlan,
    Hash,
    TiePlan,
    Unlinking,
    masked,
)
from card_server.imports.roster.present import Present, PresentGuardian, PresentStudent, PresentTie
from card_server.imports.roster.students import Match
from integrations.roster.protocol import GuardianEntry

_VAGUE: Final = frozenset(
    {"", "其他", "家长", "监护人", "其他监护人", "亲属", "非亲属", "其他亲属"}
)
"""Relations that say less than any other: one that is known stays."""
_MOST_PRIORITY: Final = 9
_MOBILE: Final = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


class GuardianPlans(Struct, frozen=True):
    """What is written of guardians, and what of it a person sees with each student."""

    guardians: tuple[GuardianPlan, ...]
    ties: tuple[TiePlan, ...]
    unlinkings: tuple[Unlinking, ...]
    changes: dict[str, tuple[Change, ...]]
    """By the student's number in the roster."""


def plan_guardians(
    matches: Sequence[Match], present: Present, hash_: Hash, *, has_ids: bool
) -> GuardianPlans:
    """What becomes of the guardians. `has_ids`: the source has ids of its own for people."""
    return _Planner(matches, present, hash_, has_ids).plan()


class _Person(Struct):
    """One guardian of the roster, and the children that name them."""

    key: str
    entry: GuardianEntry
    phones: list[str]
    children: list[Match]
    relations: list[str]
    found: PresentGuardian | None = None


class _Planner:
    """Plans the guardians of one roster."""

    def __init__(
        self, matches: Sequence[Match], present: Present, hash_: Hash, has_ids: bool
    ) -> None:
        self._hash = lru_cache(maxsize=None)(hash_)
        self._matches = matches
        self._has_ids = has_ids
        self._by_id = {one.id: one for one in present.guardians}
        self._by_source = {one.sourced_id: one for one in present.guardians if one.sourced_id}
        self._by_name_and_number = _by_name_and_number(present.guardians)
        self._claimed: set[int] = set()

    def plan(self) -> GuardianPlans:
        people = self._people()
        for find in (self._by_sure_signs, self._by_name, self._by_number_and_relation):
            for person in people.values():
                if person.found is None:
                    person.found = find(person)
                    if person.found is not None:
                        self._claimed.add(person.found.id)
        changes: dict[str, list[Change]] = defaultdict(list)
        plans = [plan for person in people.values() if (plan := self._plan_one(person, changes))]
        ties = list(self._ties(people, changes))
        unlinkings = list(self._unlinkings(people, changes)) if self._has_ids else []
        return GuardianPlans(
            tuple(plans),
            tuple(ties),
            tuple(unlinkings),
            {number: tuple(of_student) for number, of_student in changes.items()},
        )

    def _people(self) -> dict[str, _Person]:
        people: dict[str, _Person] = {}
        for match in self._matches:
            for entry in match.entry.guardians or ():
                key = _key(entry, match)
                person = people.get(key)
                if person is None:
                    people[key] = _Person(key, entry, list(entry.phones), [match], [entry.relation])
                    continue
                person.phones += [one for one in entry.phones if one not in person.phones]
                if person.children[-1] is not match:
                    person.children.append(match)
                    person.relations.append(entry.relation)
        return people

    def _by_sure_signs(self, person: _Person) -> PresentGuardian | None:
        by_source = self._by_source.get(person.entry.sourced_id or "")
        if by_source is not None:
            return self._unclaimed(by_source)
        candidates = [
            one
            for number in person.entry.phones[:1]
            for one in self._by_name_and_number.get((person.entry.name, self._hash(number)), ())
        ]
        own = {tie.guardian_id for tie in _ties_of(person)}
        candidates.sort(key=lambda one: (one.id not in own, one.id))
        return next((one for one in candidates if self._unclaimed(one)), None)

    def _by_name(self, person: _Person) -> PresentGuardian | None:
        """Of the children's own guardians the one of this name: the number is another one now."""
        own = [self._by_id[tie.guardian_id] for tie in _ties_of(person)]
        named = sorted({one.id for one in own if one.name == person.entry.name})
        return next((self._by_id[id_] for id_ in named if id_ not in self._claimed), None)

    def _by_number_and_relation(self, person: _Person) -> PresentGuardian | None:
        """Of the children's own guardians the one of this number and relation: the name was mended.

        Father and mother may well have one number.
        """
        hashes = {self._hash(number) for number in person.entry.phones[:1]}
        for tie in _ties_of(person):
            one = self._by_id[tie.guardian_id]
            is_same = tie.relation in person.relations and any(map(one.has, hashes))
            if is_same and one.id not in self._claimed:
                return one
        return None

    def _unclaimed(self, one: PresentGuardian) -> PresentGuardian | None:
        return None if one.id in self._claimed else one

    def _plan_one(self, person: _Person, changes: dict[str, list[Change]]) -> GuardianPlan | None:
        """What is written of one guardian; None for nothing."""
        entry, found = person.entry, person.found
        first = next((one for one in person.phones if is_mobile(one)), None)
        if found is None:
            further = tuple(one for one in person.phones if one != first)
            return GuardianPlan(
                key=person.key,
                id=None,
                name=entry.name,
                phone=first,
                further=further,
                sourced_id=entry.sourced_id,
            )
        knows_first = not person.phones or found.has(self._hash(person.phones[0]))
        phone = first if first and (not knows_first or found.phone_hash is None) else None
        further = tuple(
            one for one in person.phones if one != phone and not found.has(self._hash(one))
        )
        is_linked = bool(entry.sourced_id) and entry.sourced_id != found.sourced_id
        seen = self._changes_of(person, found, phone, further)
        if not seen and not is_linked:
            return None
        for child in person.children:
            changes[child.entry.number] += seen
        return GuardianPlan(
            key=person.key,
            id=found.id,
            name=entry.name,
            phone=phone,
            further=further,
            sourced_id=entry.sourced_id or found.sourced_id,
            is_changed=bool(seen),
        )

    @staticmethod
    def _changes_of(
        person: _Person, found: PresentGuardian, phone: str | None, further: Iterable[str]
    ) -> list[Change]:
        name = person.entry.name
        seen = []
        if name != found.name:
            seen.append(Change("guardian", found.name, name))
        if phone is not None:
            before = f"{found.name} {masked(found.phone_tail)}".strip()
            seen.append(Change("guardian_phone", before, f"{name} {masked(phone)}"))
        seen += [Change("guardian_phone", "", f"{name} {masked(one)}") for one in further]
        return seen

    def _ties(
        self, people: dict[str, _Person], changes: dict[str, list[Change]]
    ) -> Iterator[TiePlan]:
        for match in self._matches:
            known = {tie.guardian_id: tie for tie in match.present.ties} if match.present else {}
            seen: set[str] = set()
            for priority, entry in enumerate(match.entry.guardians or (), 1):
                person = people[_key(entry, match)]
                if person.key in seen:
                    continue
                seen.add(person.key)
                tie = known.get(person.found.id) if person.found else None
                relation = _relation(entry.relation, tie)
                if tie is not None and tie.relation == relation:
                    continue
                before = f"{entry.name} {tie.relation}" if tie else ""
                changes[match.entry.number].append(
                    Change("guardian", before, _written(entry, relation))
                )
                has_number = any(map(is_mobile, person.phones)) or bool(
                    person.found and person.found.phone_hash
                )
                yield TiePlan(
                    number=match.entry.number,
                    guardian=person.key,
                    guardian_id=person.found.id if person.found else None,
                    relation=relation,
                    is_told=has_number,
                    priority=min(priority, _MOST_PRIORITY),
                    is_new=tie is None,
                )

    def _unlinkings(
        self, people: dict[str, _Person], changes: dict[str, list[Change]]
    ) -> Iterator[Unlinking]:
        """Guardians with an id of the source's whom it does not name with this child any more."""
        for match in self._matches:
            if match.entry.guardians is None or match.present is None:
                continue
            found = [people[_key(entry, match)].found for entry in match.entry.guardians]
            named = {one.id for one in found if one}
            for tie in match.present.ties:
                guardian = self._by_id[tie.guardian_id]
                if guardian.sourced_id and guardian.id not in named:
                    changes[match.entry.number].append(
                        Change("guardian", f"{guardian.name} {tie.relation}", "")
                    )
                    yield Unlinking(match.present.id, guardian.id)


@lru_cache(maxsize=65_536)
def is_mobile(number: str) -> bool:
    """Whether an E.164 number may take messages."""
    return phonenumbers.number_type(phonenumbers.parse(number)) in _MOBILE


def _key(entry: GuardianEntry, match: Match) -> str:
    """The same for one person, with whichever child; without a number only for this child."""
    if entry.sourced_id:
        return f"id {entry.sourced_id}"
    if entry.phones:
        return f"phone {entry.phones[0]} {entry.name}"
    return f"of {match.entry.number} {entry.name}"


def _by_name_and_number(
    guardians: Iterable[PresentGuardian],
) -> dict[tuple[str, bytes], list[PresentGuardian]]:
    found: dict[tuple[str, bytes], list[PresentGuardian]] = defaultdict(list)
    for one in guardians:
        for digest in {one.phone_hash, *one.further} - {None}:
            found[one.name, digest or b""].append(one)
    return found


def _ties_of(person: _Person) -> list[PresentTie]:
    students: list[PresentStudent] = [one.present for one in person.children if one.present]
    return [tie for student in students for tie in student.ties]


def _relation(written: str, tie: PresentTie | None) -> str:
    """What the roster says, unless the school knows it better."""
    if tie is not None and written in _VAGUE:
        return tie.relation
    return written or "其他"


def _written(entry: GuardianEntry, relation: str) -> str:
    tail = masked(entry.phones[0]) if entry.phones else ""
    return f"{entry.name} {relation} {tail}".strip()

"""Who a student's guardians are, what they are to the student, and how they are reached.

Source: OneRoster 1.1 CSV Tables §3.14, 1.2.1 CSV Binding §5.21: `agentSourcedIds` names people
who are related, in either direction; the role says how. SDS V2.1 has relationships.csv instead.
Relations in the words of GB/T 4761.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from integrations.roster.oneroster.findings import Kind
from integrations.roster.oneroster.gathering import Gathered
from integrations.roster.oneroster.records import User
from integrations.roster.oneroster.tables import GUARDIAN, PARENT, RELATIVE, STUDENT, USERS
from integrations.roster.phones import Phone, read_phones
from integrations.roster.protocol import GuardianEntry, Sex

GUARDIAN_ROLES: Final = frozenset({PARENT, GUARDIAN, RELATIVE})

_RELATIONS: Final = {
    "parent": "家长",
    "guardian": "监护人",
    "relative": "亲属",
    "father": "父亲",
    "mother": "母亲",
    "stepfather": "继父",
    "stepmother": "继母",
    "grandfather": "祖父",
    "grandmother": "祖母",
    "grandparent": "祖父母",
    "brother": "兄弟",
    "sister": "姐妹",
    "uncle": "叔伯",
    "aunt": "姑姨",
}
"""Role or relationship → relation. `parent` is said more exactly where the sex is known."""
_OTHER: Final = "其他"
_NOT_GUARDIANS: Final = frozenset({"aide", "doctor", "child", "childcare", "professional"})

LONGEST_RELATION: Final = 20


class Guardians:
    """Finds the guardians of students in what was gathered, and of those that were known before."""

    def __init__(
        self, gathered: Gathered, known: Mapping[str, GuardianEntry] | None = None
    ) -> None:
        self._gathered = gathered
        self._known = known or {}
        self._phones: dict[str, tuple[str, ...]] = {}
        self._named_by = _students_by_guardian(gathered)
        self.says_anything = bool(
            self._named_by or gathered.links or any(u.agents for u in gathered.users.values())
        )
        """Whether the source knows guardians at all: if not, those that are there stay."""

    @property
    def students_named(self) -> Iterable[str]:
        """Ids of those whom guardians' own rows name."""
        return self._named_by.keys()

    def of(self, student: User) -> tuple[GuardianEntry, ...]:
        """In the source's order, each once."""
        found: dict[str, GuardianEntry] = {}
        for index, id_ in enumerate(student.agents):
            entry = self._by_agent(student, id_, _at(student.relations, index))
            if entry:
                found.setdefault(id_, entry)
        for entry in self.named_elsewhere(student.id):
            found.setdefault(entry.sourced_id or "", entry)
        return tuple(found.values())

    def are_named_elsewhere(self, student_id: str) -> bool:
        """Whether anything but the student's own row says who the guardians are."""
        return student_id in self._gathered.links or student_id in self._named_by

    def named_elsewhere(self, student_id: str) -> Iterator[GuardianEntry]:
        """Guardians by relationships, and by their own rows."""
        for link in self._gathered.links.get(student_id, ()):
            user = self._gathered.users.get(link.guardian)
            if link.role.lower() in _NOT_GUARDIANS:
                self._gathered.findings.add(
                    Kind.AGENT_ROLE, link.file, link.line, "relationshipRole", link.role
                )
            elif user:
                yield self.entry(user, link.role)
        for id_ in self._named_by.get(student_id, ()):
            user = self._gathered.users[id_]
            yield self.entry(user, self._role(user))

    def entry(self, user: User, role: str, relation: str = "") -> GuardianEntry:
        """A guardian of this role."""
        relation = relation or self._relation(user.id, role)
        return GuardianEntry(user.name, relation[:LONGEST_RELATION], self._numbers(user), user.id)

    def check_links(self) -> None:
        """A finding for each guardian whom nothing ties to anybody."""
        tied = {id_ for user in self._gathered.users.values() for id_ in user.agents}
        tied.update(link.guardian for links in self._gathered.links.values() for link in links)
        for user in self._gathered.users.values():
            roles = roles_of(self._gathered, user)
            is_tied = user.agents or user.id in tied
            if roles and GUARDIAN_ROLES.issuperset(roles) and not is_tied:
                self._gathered.findings.add(
                    Kind.GUARDIAN_OF_NOBODY, user.file, user.line, "agentSourcedIds", user.id
                )

    def _by_agent(self, student: User, id_: str, relation: str) -> GuardianEntry | None:
        user = self._gathered.users.get(id_)
        if user is None and id_ in self._known:
            return self._known[id_]
        if user is None:
            self._gathered.findings.add(
                Kind.AGENT_UNKNOWN,
                student.file,
                student.line,
                "agentSourcedIds",
                id_,
                self._gathered.file(USERS),
            )
            return None
        role = self._role(user)
        if role not in GUARDIAN_ROLES and id_ not in self._known:
            self._gathered.findings.add(
                Kind.AGENT_ROLE,
                student.file,
                student.line,
                "agentSourcedIds",
                f"{id_} {role}".strip(),
                ", ".join(sorted(GUARDIAN_ROLES)),
            )
            return None
        return self.entry(user, role, relation)

    def _role(self, user: User) -> str:
        """What the user is to a student: the first such role."""
        return next((r for r in roles_of(self._gathered, user) if r in GUARDIAN_ROLES), user.role)

    def _relation(self, id_: str, role: str) -> str:
        demographic = self._gathered.demographics.get(id_)
        if role.lower() == PARENT and demographic:
            if demographic.sex is Sex.MALE:
                return "父亲"
            if demographic.sex is Sex.FEMALE:
                return "母亲"
        return _RELATIONS.get(role.lower(), _OTHER)

    def _numbers(self, user: User) -> tuple[str, ...]:
        """The one for messages first. A finding for what is no number, and for having none."""
        if user.id not in self._phones:
            found: list[Phone] = []
            for field, written in (("sms", user.sms), ("phone", user.phone)):
                phones = read_phones(written, self._gathered.options.countries)
                found += phones.phones
                for _, masked in phones.faults:
                    self._gathered.findings.add(Kind.PHONE, user.file, user.line, field, masked)
            if not found:
                self._gathered.findings.add(
                    Kind.GUARDIAN_WITHOUT_PHONE, user.file, user.line, "sms"
                )
            found.sort(key=lambda phone: not phone.takes_messages)
            self._phones[user.id] = tuple(dict.fromkeys(phone.number for phone in found))
        return self._phones[user.id]


def roles_of(gathered: Gathered, user: User) -> list[str]:
    """All that a user is, whenever and wherever."""
    stated = [role.role for role in gathered.roles.get(user.id, ())]
    return [user.role, *stated] if user.role else stated


def _students_by_guardian(gathered: Gathered) -> dict[str, list[str]]:
    """Student → guardians whose own rows name the student as somebody related."""
    named_by: dict[str, list[str]] = {}
    for user in gathered.users.values():
        if user.agents and any(role in GUARDIAN_ROLES for role in roles_of(gathered, user)):
            for id_ in user.agents:
                other = gathered.users.get(id_)
                if other and STUDENT in roles_of(gathered, other):
                    named_by.setdefault(id_, []).append(user.id)
    return named_by


def _at(relations: tuple[str, ...], index: int) -> str:
    return relations[index] if index < len(relations) else ""

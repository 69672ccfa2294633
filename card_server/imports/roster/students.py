"""Who of the roster is whom in the school: by student number, else by the source's id, else by
identity number. A number that changed is said, and what is unclear stops the import.
"""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from card_server.imports.roster.kinds import Kind, about
from card_server.imports.roster.plan import Hash, masked
from card_server.imports.roster.present import Present, PresentStudent
from integrations.roster.protocol import Finding, StudentEntry


class Match(Struct, frozen=True):
    """A student of the roster, and who that is here; None: nobody yet."""

    entry: StudentEntry
    present: PresentStudent | None


class Matches(Struct, frozen=True):
    """All of them, and what was unclear."""

    matches: tuple[Match, ...]
    findings: tuple[Finding, ...]


def match_students(entries: Sequence[StudentEntry], present: Present, hash_: Hash) -> Matches:
    """Whom each entry means. With an error among the findings, no match is to be relied on."""
    known = _Known(present, hash_)
    findings: list[Finding] = []
    matches = [Match(entry, known.find(entry, findings)) for entry in entries]
    findings += _find_twice(matches)
    findings += _find_shared_identities(matches, present, hash_)
    return Matches(tuple(matches), tuple(findings))


class _Known:
    """The school's students by each way of finding them."""

    def __init__(self, present: Present, hash_: Hash) -> None:
        self._hash = hash_
        self._by_number = {one.number: one for one in present.students}
        self._by_source = {one.sourced_id: one for one in present.students if one.sourced_id}
        self._by_identity = {
            one.identity_hash: one for one in present.students if one.identity_hash
        }

    def find(self, entry: StudentEntry, findings: list[Finding]) -> PresentStudent | None:
        by_identity = self._by_identity.get(self._hash(entry.identity)) if entry.identity else None
        by_source = self._by_source.get(entry.sourced_id) if entry.sourced_id else None
        student = self._by_number.get(entry.number)
        if student is not None:
            others = {one.id for one in (by_identity, by_source) if one and one.id != student.id}
            if others or self._is_somebody_else(student, entry):
                findings.append(
                    about(entry, Kind.NUMBER_OF_ANOTHER, "number", entry.number, student.name)
                )
            elif self._has_other_identity(student, entry):
                findings.append(
                    about(
                        entry,
                        Kind.IDENTITY_CHANGED,
                        "identity",
                        masked(entry.identity or ""),
                        masked(student.identity_tail),
                    )
                )
            return student
        student = by_source or by_identity
        if student is None:
            return None
        if by_source and by_identity and by_source.id != by_identity.id:
            findings.append(about(entry, Kind.PERSON_UNCLEAR, "identity", entry.number))
        elif self._is_somebody_else(student, entry):
            findings.append(about(entry, Kind.PERSON_UNCLEAR, "number", entry.number))
        else:
            findings.append(
                about(entry, Kind.NUMBER_CHANGED, "number", entry.number, student.number)
            )
        return student

    def _is_somebody_else(self, student: PresentStudent, entry: StudentEntry) -> bool:
        return student.name != entry.name and self._has_other_identity(student, entry)

    def _has_other_identity(self, student: PresentStudent, entry: StudentEntry) -> bool:
        if not entry.identity or student.identity_hash is None:
            return False
        return self._hash(entry.identity) != student.identity_hash


def _find_twice(matches: Sequence[Match]) -> list[Finding]:
    """Two rows that mean one student, or are new with one number."""
    first: dict[int | str, StudentEntry] = {}
    found = []
    for match in matches:
        key = match.present.id if match.present else match.entry.number
        other = first.setdefault(key, match.entry)
        if other is not match.entry:
            found.append(
                about(
                    match.entry, Kind.STUDENT_TWICE, "number", match.entry.number, str(other.line)
                )
            )
    return found


def _find_shared_identities(
    matches: Sequence[Match], present: Present, hash_: Hash
) -> list[Finding]:
    """Identity numbers that two students would have afterwards."""
    named = {match.present.id for match in matches if match.present}
    holders: dict[bytes, str] = {
        one.identity_hash: one.number
        for one in present.students
        if one.identity_hash and one.id not in named
    }
    wanted: dict[bytes, list[StudentEntry]] = defaultdict(list)
    for match in matches:
        kept = match.present.identity_hash if match.present else None
        digest = hash_(match.entry.identity) if match.entry.identity else kept
        if digest:
            wanted[digest].append(match.entry)
    found = []
    for digest, entries in wanted.items():
        holder = holders.get(digest) or (entries[0].number if len(entries) > 1 else None)
        if holder is not None:
            entry = entries[-1]
            value = masked(entry.identity or "")
            found.append(about(entry, Kind.IDENTITY_OF_ANOTHER, "identity", value, holder))
    return found

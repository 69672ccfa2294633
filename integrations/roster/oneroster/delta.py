"""What has changed since the last roster, laid over the school as it is known.

Source: OneRoster 1.1 CSV Tables §2.3, 1.2.1 CSV Binding §3.4: a delta names only the records
that changed, each in full, and those that are no more with status `tobedeleted`. A record that
changed refers to others that did not: those come from `Options.known`.
"""

from collections.abc import Iterator

import msgspec

from integrations.roster.oneroster.findings import Kind
from integrations.roster.oneroster.gathering import Gathered
from integrations.roster.oneroster.guardians import Guardians, roles_of
from integrations.roster.oneroster.homerooms import Homerooms, check_school_years
from integrations.roster.oneroster.records import User
from integrations.roster.oneroster.schools import find_school
from integrations.roster.oneroster.students import Numbers, student_entry
from integrations.roster.oneroster.tables import STUDENT, Version
from integrations.roster.protocol import GuardianEntry, Roster, StudentEntry


def assemble_delta(gathered: Gathered, source: str) -> Roster:
    """A roster that is not whole: whom the changes touch, as they are after them."""
    check_school_years(gathered)
    school = find_school(gathered)
    if school is None:
        return Roster(source, (), (), gathered.findings.all(), is_whole=False)
    homerooms = Homerooms(gathered, school.classes)
    changes = _Changes(gathered, homerooms, _Known(gathered.options.known))
    entries = tuple(changes.entries())
    named = {entry.homeroom for entry in entries}
    return Roster(
        source,
        tuple(
            homeroom
            for id_, homeroom in homerooms.entries.items()
            if homeroom.name in named or id_ in gathered.changed_homerooms
        ),
        entries,
        gathered.findings.all(),
        homerooms.year,
        is_whole=False,
        removed=tuple(changes.removed()),
    )


class _Known:
    """The school as it is, by the source's own ids."""

    def __init__(self, roster: Roster | None) -> None:
        students = roster.students if roster else ()
        homerooms = roster.homerooms if roster else ()
        self.students = {s.sourced_id: s for s in students if s.sourced_id}
        self.homeroom_ids = {h.name: h.sourced_id for h in homerooms if h.sourced_id}
        self.guardians: dict[str, GuardianEntry] = {}
        self.wards: dict[str, list[str]] = {}
        """Guardian → students."""
        for id_, student in self.students.items():
            for guardian in student.guardians or ():
                if guardian.sourced_id:
                    self.guardians[guardian.sourced_id] = guardian
                    self.wards.setdefault(guardian.sourced_id, []).append(id_)


class _Changes:
    """Whom the changes touch, and how they are after them."""

    def __init__(self, gathered: Gathered, homerooms: Homerooms, known: _Known) -> None:
        self._gathered = gathered
        self._homerooms = homerooms
        self._known = known
        self._guardians = Guardians(gathered, known.guardians)
        self._touched = self._find_touched()
        rows = [gathered.users[id_] for id_ in self._touched if id_ in gathered.users]
        self._number_of = Numbers(gathered, rows)

    def entries(self) -> Iterator[StudentEntry]:
        """Each student that is touched, in full."""
        for id_ in self._touched:
            user = self._gathered.users.get(id_)
            before = self._known.students.get(id_)
            entry = None
            if user:
                entry = self._by_row(user, before)
            elif before:
                entry = self._by_what_refers_to(id_, before)
            if entry:
                yield entry

    def removed(self) -> Iterator[str]:
        """Numbers of the students that are no more: as they are known, else as the row says."""
        for id_, row in self._gathered.deleted_users.items():
            if before := self._known.students.get(id_):
                yield before.number
            elif row.text("role").lower() == STUDENT and (number := row.text("identifier")):
                yield number

    def _find_touched(self) -> list[str]:
        """Ids of students: those with rows of their own, and those that others refer to."""
        gathered, known = self._gathered, self._known
        touched = {id_: None for id_, user in gathered.users.items() if self._is_student(user)}
        for id_, enrollments in gathered.enrollments.items():
            if id_ in gathered.users or id_ in known.students:
                touched[id_] = None
            elif id_ not in gathered.deleted_users:
                gathered.findings.add(
                    Kind.PERSON_UNKNOWN,
                    enrollments[0].file,
                    enrollments[0].line,
                    "userSourcedId",
                    id_,
                )
        others = [*gathered.demographics, *gathered.links, *self._guardians.students_named]
        others += [user for user, _ in gathered.deleted_enrollments]
        for id_ in (*gathered.users, *gathered.deleted_users):
            others += known.wards.get(id_, ())
        touched |= {id_: None for id_ in others if id_ in known.students}
        return [id_ for id_ in touched if id_ not in gathered.deleted_users]

    def _is_student(self, user: User) -> bool:
        roles = roles_of(self._gathered, user)
        has_role = STUDENT in roles or (not roles and user.id in self._gathered.enrollments)
        return has_role or user.id in self._known.students

    def _by_row(self, user: User, before: StudentEntry | None) -> StudentEntry | None:
        homeroom = self._homeroom(user, before)
        if homeroom is None:
            return None
        number = before.number if before and not user.identifier else self._number_of(user)
        guardians = self._guardians_by_row(user, before)
        return student_entry(self._gathered, user, number, homeroom, guardians)

    def _homeroom(self, user: User, before: StudentEntry | None) -> str | None:
        """The name of the homeroom that an enrolment of the delta says, or that was."""
        if before is None or self._homerooms.held(user.id):
            chosen = self._homerooms.choose(user)
            return chosen.name if chosen else None
        return self._homeroom_before(user.id, before, user.file, user.line)

    def _homeroom_before(self, id_: str, before: StudentEntry, file: str, line: int) -> str:
        """The homeroom that was, under the name that it has now."""
        homeroom_id = self._known.homeroom_ids.get(before.homeroom, "")
        if (id_, homeroom_id) in self._gathered.deleted_enrollments:
            self._gathered.findings.add(
                Kind.HOMEROOM_LEFT, file, line, "classSourcedId", before.homeroom
            )
        now = self._homerooms.entries.get(homeroom_id)
        return now.name if now else before.homeroom

    def _by_what_refers_to(self, id_: str, before: StudentEntry) -> StudentEntry:
        """The student as known, with what other records change."""
        held = self._homerooms.held(id_)
        if held:
            chosen = self._homerooms.entries.get(held[-1].class_id)
            before = msgspec.structs.replace(before, file=held[-1].file, line=held[-1].line)
            homeroom = chosen.name if chosen else before.homeroom
        else:
            homeroom = self._homeroom_before(id_, before, before.file, before.line)
        demographic = self._gathered.demographics.get(id_)
        return msgspec.structs.replace(
            before,
            homeroom=homeroom,
            guardians=self._guardians_before(id_, before),
            sex=demographic.sex if demographic else before.sex,
            born_on=demographic.born_on if demographic else before.born_on,
        )

    def _guardians_by_row(
        self, user: User, before: StudentEntry | None
    ) -> tuple[GuardianEntry, ...] | None:
        """A row names all agents; naming none takes those away that the source once named."""
        if user.agents or before is None:
            found = self._guardians.of(user)
            return found or None
        if self._guardians.are_named_elsewhere(user.id) or self._gathered.version is Version.SDS:
            return self._guardians_before(user.id, before)
        kept = before.guardians or ()
        return () if any(guardian.sourced_id for guardian in kept) else None

    def _guardians_before(self, id_: str, before: StudentEntry) -> tuple[GuardianEntry, ...] | None:
        """Those who were, as they are now, and those whom other records name besides."""
        found: dict[str, GuardianEntry] = {}
        for guardian in before.guardians or ():
            key = guardian.sourced_id or f"{len(found)}:{guardian.name}"
            if key in self._gathered.deleted_users:
                continue
            user = self._gathered.users.get(key)
            found[key] = self._guardians.entry(user, "", guardian.relation) if user else guardian
        for guardian in self._guardians.named_elsewhere(id_):
            found.setdefault(guardian.sourced_id or "", guardian)
        return tuple(found.values()) if found or before.guardians else before.guardians

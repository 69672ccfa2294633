"""What a roster would change in the school: a pure comparison of plain values."""

from collections.abc import Sequence

from card_server.imports.roster.guardians import GuardianPlans, plan_guardians
from card_server.imports.roster.kinds import Kind, about, make
from card_server.imports.roster.plan import (
    Change,
    Counts,
    Difference,
    GoneStudent,
    Hash,
    HomeroomPlan,
    Plan,
    StudentPlan,
    masked,
)
from card_server.imports.roster.present import Present, PresentStudent
from card_server.imports.roster.rooms import plan_homerooms
from card_server.imports.roster.students import Match, match_students
from integrations.roster.protocol import Finding, Roster, StudentEntry
from schema.tables.people import Sex, StudentStatus


def compare(roster: Roster, present: Present, hash_: Hash, year: int) -> Difference:
    """The difference; `year` is the school year of a school that has no homerooms yet.

    With an error among the findings the plan is only there to be looked at.
    """
    found = match_students(roster.students, present, hash_)
    matches, left_out = _without_those_who_left(found.matches)
    homerooms, room_findings = plan_homerooms(roster, present)
    has_ids = roster.source.startswith("oneroster")
    guardians = plan_guardians(matches, present, hash_, has_ids=has_ids)
    students = _Students(present, homerooms, guardians, hash_)
    plans = [students.plan(match) for match in matches]
    gone = _find_gone(roster, found.matches, present)
    written = tuple(plan for plan in plans if _is_written(plan))
    plan = Plan(
        school_year=present.school_year or roster.school_year or year,
        homerooms=homerooms,
        students=written,
        unchanged=len(plans) - len(written),
        gone=gone,
        guardians=guardians.guardians,
        ties=guardians.ties,
        unlinkings=guardians.unlinkings,
        enrolled=sum(one.is_of_school and not one.is_gone for one in present.students),
    )
    findings = (
        *roster.findings,
        *_find_about_all(roster, present),
        *found.findings,
        *left_out,
        *room_findings,
        *students.findings,
    )
    return Difference(plan, count(plan), findings)


def count(plan: Plan) -> Counts:
    """How many of each a plan has."""
    changed = [one for one in plan.students if one.id is not None and not one.is_linked_only]
    return Counts(
        new=sum(one.id is None for one in plan.students),
        changed=len(changed),
        moved=sum(one.is_moved for one in changed),
        back=sum(one.is_back for one in changed),
        gone=len(plan.gone),
        unchanged=plan.unchanged + sum(one.is_linked_only for one in plan.students),
        homerooms_new=sum(one.id is None for one in plan.homerooms),
        homerooms_changed=sum(bool(one.changes) for one in plan.homerooms),
        guardians_new=sum(one.id is None for one in plan.guardians),
        guardians_changed=sum(one.is_changed for one in plan.guardians),
    )


def _without_those_who_left(
    matches: Sequence[Match],
) -> tuple[list[Match], list[Finding]]:
    """All but those whom the school never had and who are not of it any more."""
    kept, findings = [], []
    for match in matches:
        status = match.entry.status
        if match.present is None and status is not None and not _is_of_school(status):
            findings.append(about(match.entry, Kind.NEW_BUT_AWAY, "status", match.entry.number))
        else:
            kept.append(match)
    return kept, findings


def _is_of_school(status: str) -> bool:
    return status in (StudentStatus.ENROLLED, StudentStatus.SUSPENDED)


def _find_gone(
    roster: Roster, matches: Sequence[Match], present: Present
) -> tuple[GoneStudent, ...]:
    """Who is of the school and not of a whole roster; or whom a delta takes away."""
    named = {match.present.id for match in matches if match.present}
    removed = set(roster.removed)
    rooms = {one.id: one.name for one in present.homerooms}
    return tuple(
        GoneStudent(one.id, one.number, one.name, rooms.get(one.homeroom_id, ""))
        for one in present.students
        if one.is_of_school
        and not one.is_gone
        and one.id not in named
        and (roster.is_whole or one.number in removed)
    )


def _find_about_all(roster: Roster, present: Present) -> list[Finding]:
    """What is wrong or doubtful about the roster as a whole."""
    findings = []
    years = (roster.school_year, present.school_year)
    if None not in years and years[0] != years[1]:
        findings.append(make(Kind.YEAR_OTHER, "", None, "", str(years[0]), str(years[1])))
    if roster.is_whole and not roster.students and not roster.has_errors:
        findings.append(make(Kind.NOBODY, "", None))
    cards = sum(entry.card_number is not None for entry in roster.students)
    if cards:
        findings.append(make(Kind.CARDS_LEFT, "", None, "card", str(cards)))
    return findings


def _is_written(plan: StudentPlan) -> bool:
    return plan.id is None or bool(plan.changes) or plan.is_linked_only


class _Students:
    """Plans what is written of each student."""

    def __init__(
        self,
        present: Present,
        homerooms: Sequence[HomeroomPlan],
        guardians: GuardianPlans,
        hash_: Hash,
    ) -> None:
        self.findings: list[Finding] = []
        self._rooms = {plan.key: plan for plan in homerooms}
        self._room_names = {one.id: one.name for one in present.homerooms}
        self._guardians = guardians
        self._hash = hash_

    def plan(self, match: Match) -> StudentPlan:
        """The plan for one; without changes where the school is as the roster says."""
        entry, present = match.entry, match.present
        if present is None:
            return _new(entry)
        status = _status_step(entry, present)
        stays_away = not present.is_of_school and status is None
        if stays_away:
            self.findings.append(about(entry, Kind.AWAY, "number", entry.number, present.status))
        is_here_after = _is_of_school(status or present.status)
        room = self._rooms.get(entry.homeroom)
        is_moved = bool(
            room and is_here_after and not stays_away and room.id != present.homeroom_id
        )
        is_boarding = _boarding_step(entry, present) if is_here_after else None
        is_back = present.is_gone
        seen = [
            *self._value_changes(entry, present),
            *self._place_changes(entry, present, status, is_moved, is_boarding, is_back),
            *self._guardians.changes.get(entry.number, ()),
        ]
        links = bool(entry.sourced_id) and entry.sourced_id != present.sourced_id
        return StudentPlan(
            id=present.id,
            file=entry.file,
            line=entry.line,
            number=entry.number,
            name=entry.name,
            homeroom=entry.homeroom,
            sex=_sex(entry, present),
            born_on=entry.born_on if entry.born_on != present.born_on else None,
            identity=entry.identity if self._is_new_identity(entry, present) else None,
            registry=entry.registry if entry.registry != (present.registry or None) else None,
            sourced_id=entry.sourced_id if links else None,
            status=status,
            is_boarding=is_boarding,
            is_moved=is_moved,
            was_away=not present.is_of_school,
            is_back=is_back,
            changes=tuple(seen),
            is_linked_only=links and not seen,
        )

    def _value_changes(self, entry: StudentEntry, present: PresentStudent) -> list[Change]:
        seen = []
        if entry.number != present.number:
            seen.append(Change("number", present.number, entry.number))
        if entry.name != present.name:
            seen.append(Change("name", present.name, entry.name))
        if (sex := _sex(entry, present)) is not None:
            seen.append(Change("sex", present.sex.value, sex.value))
        if entry.born_on is not None and entry.born_on != present.born_on:
            before = present.born_on.isoformat() if present.born_on else ""
            seen.append(Change("born_on", before, entry.born_on.isoformat()))
        if self._is_new_identity(entry, present):
            after = masked(entry.identity or "")
            seen.append(Change("identity", masked(present.identity_tail), after))
        if entry.registry is not None and entry.registry != present.registry:
            seen.append(Change("registry", masked(present.registry), masked(entry.registry)))
        return seen

    def _place_changes(
        self,
        entry: StudentEntry,
        present: PresentStudent,
        status: StudentStatus | None,
        is_moved: bool,
        is_boarding: bool | None,
        is_back: bool,
    ) -> list[Change]:
        seen = []
        if is_moved:
            before = self._room_names.get(present.homeroom_id, "")
            seen.append(Change("homeroom", before, self._rooms[entry.homeroom].name))
        if status is not None:
            seen.append(Change("status", present.status.value, status.value))
        if is_boarding is not None:
            seen.append(Change("is_boarding", _yes(present.is_boarding), _yes(is_boarding)))
        if is_back:
            seen.append(Change("is_gone", _yes(True), _yes(False)))
        return seen

    def _is_new_identity(self, entry: StudentEntry, present: PresentStudent) -> bool:
        return entry.identity is not None and self._hash(entry.identity) != present.identity_hash


def _new(entry: StudentEntry) -> StudentPlan:
    return StudentPlan(
        id=None,
        file=entry.file,
        line=entry.line,
        number=entry.number,
        name=entry.name,
        homeroom=entry.homeroom,
        sex=Sex(entry.sex) if entry.sex else None,
        born_on=entry.born_on,
        identity=entry.identity,
        registry=entry.registry,
        sourced_id=entry.sourced_id,
        status=StudentStatus(entry.status) if entry.status else StudentStatus.ENROLLED,
        is_boarding=entry.is_boarding,
    )


def _sex(entry: StudentEntry, present: PresentStudent) -> Sex | None:
    """What the sex becomes; a source that does not know it changes nothing."""
    sex = Sex(entry.sex) if entry.sex else Sex.UNKNOWN
    return None if sex in (Sex.UNKNOWN, present.sex) else sex


def _status_step(entry: StudentEntry, present: PresentStudent) -> StudentStatus | None:
    status = StudentStatus(entry.status) if entry.status else present.status
    return None if status is present.status else status


def _boarding_step(entry: StudentEntry, present: PresentStudent) -> bool | None:
    """Only who is enrolled boards: a suspended student's bed is nobody's business here.

    Who is to board from a coming day on begins then, and not with the file.
    """
    if entry.is_boarding is None or entry.is_boarding == present.is_boarding:
        return None
    if entry.is_boarding and present.is_going_to_board:
        return None
    if StudentStatus(entry.status or present.status) is not StudentStatus.ENROLLED:
        return None
    return entry.is_boarding


def _yes(value: bool) -> str:
    return "yes" if value else "no"

"""A whole roster out of what was gathered: everybody who is a student of the school."""

from integrations.roster.oneroster.findings import Kind
from integrations.roster.oneroster.gathering import Gathered
from integrations.roster.oneroster.guardians import Guardians, roles_of
from integrations.roster.oneroster.homerooms import Homerooms, check_school_years
from integrations.roster.oneroster.records import User
from integrations.roster.oneroster.schools import School, find_school
from integrations.roster.oneroster.students import Numbers, student_entry
from integrations.roster.oneroster.tables import CLASSES, STUDENT, USERS
from integrations.roster.protocol import Roster, StudentEntry


def assemble(gathered: Gathered, source: str) -> Roster:
    """The roster, and what is wrong with it."""
    check_school_years(gathered)
    school = find_school(gathered)
    if school is None:
        return Roster(source, (), (), gathered.findings.all())
    homerooms = Homerooms(gathered, school.classes)
    students = _students(gathered, school)
    entries: tuple[StudentEntry, ...] = ()
    if students and not gathered.homerooms:
        gathered.findings.add(Kind.NO_HOMEROOMS, gathered.file(CLASSES), None, "classType")
    elif students:
        entries = _entries(gathered, students, homerooms)
    elif gathered.tables:
        gathered.findings.add(Kind.NOBODY, gathered.file(USERS))
    return Roster(
        source,
        tuple(homerooms.entries.values()),
        entries,
        gathered.findings.all(),
        homerooms.year,
    )


def _students(gathered: Gathered, school: School) -> list[User]:
    """Students by their role at the school; of people without any role, who is enrolled as one."""
    students: list[User] = []
    for user in gathered.users.values():
        roles = roles_of(gathered, user)
        enrollments = gathered.enrollments.get(user.id, ())
        if STUDENT in roles:
            stated = gathered.roles.get(user.id, ())
            orgs = frozenset(role.org for role in stated if role.role == STUDENT and role.org)
            if school.has(user, orgs, {enrollment.class_id for enrollment in enrollments}):
                students.append(user)
        elif not roles and enrollments:
            students.append(user)
        elif enrollments:
            enrollment = enrollments[0]
            gathered.findings.add(
                Kind.ROLE_CONTRADICTS,
                enrollment.file,
                enrollment.line,
                "role",
                STUDENT,
                ", ".join(dict.fromkeys(roles)),
            )
    return students


def _entries(
    gathered: Gathered, students: list[User], homerooms: Homerooms
) -> tuple[StudentEntry, ...]:
    guardians = Guardians(gathered)
    guardians.check_links()
    number_of = Numbers(gathered, students)
    entries: list[StudentEntry] = []
    for student in students:
        homeroom = homerooms.choose(student)
        if homeroom is None:
            continue
        told = guardians.of(student) if guardians.says_anything else None
        entries.append(student_entry(gathered, student, number_of(student), homeroom.name, told))
    return tuple(entries)

"""What we keep of each table's rows.

Source of fields and words: OneRoster 1.1 CSV Tables §3.2–3.14; 1.2.1 CSV Binding §5; where the
SDS dialect calls a column otherwise, its name stands second.
"""

from datetime import date

from msgspec import Struct

from integrations.roster.oneroster.findings import Kind
from integrations.roster.oneroster.names import join_name
from integrations.roster.oneroster.rows import Reading
from integrations.roster.oneroster.tables import (
    AGENT_RELATIONS,
    BOARDING,
    CAMPUS,
    CLASS_TYPES,
    FULL_NAME,
    ORG_TYPES,
    ROLE_TYPES,
    SESSION_TYPES,
    SEXES,
    STUDENT_STATUS,
    USER_ROLES,
    Version,
)
from integrations.roster.protocol import Sex, Status


class Org(Struct, frozen=True, gc=False):
    """A school, or what it is part of or made of."""

    id: str
    name: str
    type: str
    identifier: str
    parent: str


class Session(Struct, frozen=True, gc=False):
    """A school year or a part of it."""

    id: str
    parent: str
    is_year: bool
    begins: date | None
    ends: date | None
    stated_year: str
    file: str
    line: int


class Class(Struct, frozen=True):
    """A homeroom, or a class in a subject."""

    id: str
    title: str
    grades: tuple[str, ...]
    is_homeroom: bool
    school: str
    course: str
    terms: tuple[str, ...]
    campus: str
    file: str
    line: int


class User(Struct, frozen=True):
    """A student, a guardian, or anybody else."""

    id: str
    identifier: str
    name: str
    role: str
    """Version 1.1; after it a user's roles have their own table."""
    orgs: tuple[str, ...]
    sms: str
    phone: str
    agents: tuple[str, ...]
    relations: tuple[str, ...]
    """What each agent is to this user, where the package was written by us."""
    grades: tuple[str, ...]
    status: Status | None
    is_boarding: bool | None
    file: str
    line: int


class Role(Struct, frozen=True, gc=False):
    """What a user is at an org, and from when until when."""

    user: str
    org: str
    role: str
    grade: str
    begins: date | None
    ends: date | None


class Enrollment(Struct, frozen=True, gc=False):
    """That a student is of a class."""

    user: str
    class_id: str
    is_primary: bool
    begins: date | None
    ends: date | None
    """The day after the last (1.2.1 CSV Binding §5.7: exclusive)."""
    file: str
    line: int


class Demographic(Struct, frozen=True, gc=False):
    """What the source says of a user's sex and birth."""

    user: str
    sex: Sex | None
    born_on: date | None


def org(reading: Reading) -> Org:
    """A row of orgs."""
    text = reading.row.text
    return Org(
        text("sourcedId"),
        reading.required("name"),
        # Organisations have many more types in dialects; none of them changes what we do.
        reading.word(ORG_TYPES, "type") if text("type").lower() in ORG_TYPES else text("type"),
        text("identifier"),
        text("parentSourcedId"),
    )


def session(reading: Reading) -> Session:
    """A row of academicSessions."""
    row = reading.row
    return Session(
        row.text("sourcedId"),
        row.text("parentSourcedId"),
        reading.word(SESSION_TYPES, "type") == "schoolYear",
        reading.day("startDate"),
        reading.day("endDate"),
        row.text("schoolYear"),
        row.file,
        row.line,
    )


def class_(reading: Reading) -> Class:
    """A row of classes."""
    row = reading.row
    return Class(
        row.text("sourcedId"),
        reading.required("title"),
        row.ids("grades", "grade"),
        reading.word(CLASS_TYPES, "classType") == "homeroom",
        row.text("schoolSourcedId", "orgSourcedId"),
        row.text("courseSourcedId"),
        row.ids("termSourcedIds", "sessionSourcedIds"),
        row.text(CAMPUS),
        row.file,
        row.line,
    )


def user(reading: Reading, version: Version) -> User:
    """A row of users. `enabledUser` says who may log in, and nothing about who is at school."""
    row = reading.row
    given, family = row.text("givenName"), row.text("familyName")
    if not given and not family:
        reading.say(Kind.VALUE_MISSING, "familyName")
    elif not given or not family:
        reading.say_once(Kind.NAME_IN_ONE_PART, "familyName" if given else "givenName")
    status = row.text(STUDENT_STATUS)
    return User(
        row.text("sourcedId"),
        row.text("identifier"),
        join_name(family, given, row.text("middleName"), row.text(FULL_NAME)),
        reading.word(USER_ROLES, "role") if version is Version.V1_1 else "",
        row.ids("orgSourcedIds"),
        row.text("sms"),
        row.text("phone"),
        row.ids("agentSourcedIds"),
        tuple(part.strip() for part in row.text(AGENT_RELATIONS).split(",")),
        row.ids("grades", "grade"),
        Status(reading.word(tuple(Status), STUDENT_STATUS) or Status.ENROLLED) if status else None,
        reading.truth(BOARDING),
        row.file,
        row.line,
    )


def role(reading: Reading) -> Role:
    """A row of roles."""
    row = reading.row
    reading.word(ROLE_TYPES, "roleType")
    return Role(
        reading.required("userSourcedId"),
        row.text("orgSourcedId"),
        role_word(reading),
        row.text("grade"),
        reading.day("beginDate", "roleStartDate"),
        reading.day("endDate", "roleEndDate"),
    )


def role_word(reading: Reading) -> str:
    """The role. SDS has many kinds of staff besides: only the specification's words matter."""
    word = reading.row.text("role")
    return reading.word(USER_ROLES, "role") if word.lower() in _ROLES_BY_CASE else word


_ROLES_BY_CASE = frozenset(word.lower() for word in USER_ROLES)


def enrollment(reading: Reading) -> Enrollment:
    """A row of enrollments."""
    row = reading.row
    return Enrollment(
        row.text("userSourcedId"),
        row.text("classSourcedId"),
        reading.truth("primary") is True,
        reading.day("beginDate"),
        reading.day("endDate"),
        row.file,
        row.line,
    )


_SEXES = {
    "male": Sex.MALE,
    "female": Sex.FEMALE,
    "unspecified": Sex.UNKNOWN,
    "other": Sex.UNKNOWN,
}


def demographic(reading: Reading) -> Demographic:
    """A row of demographics."""
    row = reading.row
    return Demographic(
        row.text("sourcedId", "userSourcedId"),
        _SEXES.get(reading.word(SEXES, "sex")),
        reading.day("birthDate"),
    )

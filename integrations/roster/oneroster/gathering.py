"""Keeps of the rows what a roster is made of; the rest is forgotten as it passes.

Rows come table by table in the order of `tables.IN_ORDER`.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec import Struct

from integrations.roster.oneroster import records
from integrations.roster.oneroster.findings import Findings, Kind
from integrations.roster.oneroster.options import HomeroomRule, Options
from integrations.roster.oneroster.rows import Reading, Row
from integrations.roster.oneroster.tables import (
    CAMPUS,
    CAMPUS_TYPES,
    CLASSES,
    COURSES,
    DEMOGRAPHICS,
    ENROLLMENTS,
    ORGS,
    RELATIONSHIPS,
    ROLES,
    SESSIONS,
    STUDENT,
    USERS,
    Version,
)

LONGEST_ID: Final = 80
LONGEST_NAME: Final = 120
LONGEST_HOMEROOM: Final = 40
"""And a campus."""


class Link(Struct, frozen=True, gc=False):
    """That somebody is a guardian of a student, by the SDS dialect's relationships."""

    guardian: str
    role: str
    file: str
    line: int


class Gathered:
    """What came so far, by id."""

    def __init__(
        self,
        version: Version,
        tables: Iterable[str],
        is_delta: bool,
        options: Options,
        findings: Findings,
        suffix: str = ".csv",
    ) -> None:
        self.version = version
        self.tables = set(tables)
        """What the source has; the rest cannot be referred to."""
        self._suffix = suffix
        self.is_delta = is_delta
        self.options = options
        self.findings = findings
        self.orgs: dict[str, records.Org] = {}
        self.sessions: dict[str, records.Session] = {}
        self.courses: dict[str, tuple[str, ...]] = {}
        """Id → grades."""
        self.homerooms: dict[str, records.Class] = _known_homerooms(options) if is_delta else {}
        self.changed_homerooms: set[str] = set()
        self.other_classes: set[str] = set()
        self.users: dict[str, records.User] = {}
        self.roles: dict[str, list[records.Role]] = {}
        self.demographics: dict[str, records.Demographic] = {}
        self.links: dict[str, list[Link]] = {}
        self.enrollments: dict[str, list[records.Enrollment]] = {}
        self.deleted_users: dict[str, Row] = {}
        self.deleted_enrollments: set[tuple[str, str]] = set()
        """User and class."""
        self._modified: dict[tuple[str, str], str] = {}
        self._takers: dict[str, Callable[[Reading], None]] = {
            ORGS: self._take_org,
            SESSIONS: self._take_session,
            COURSES: self._take_course,
            CLASSES: self._take_class,
            USERS: self._take_user,
            ROLES: self._take_role,
            DEMOGRAPHICS: self._take_demographic,
            RELATIONSHIPS: self._take_relationship,
            ENROLLMENTS: self._take_enrollment,
        }

    def take(self, table: str, rows: Iterable[Row]) -> None:
        """Keep what counts of a table's rows."""
        taker = self._takers[table]
        for row in rows:
            reading = Reading(row, self.findings)
            if self.is_delta and not row.text("status"):
                reading.say_once(Kind.STATUS_MISSING, "status")
            taker(reading)

    def file(self, table: str) -> str:
        """What findings call a table."""
        return f"{table}{self._suffix}"

    def _take_org(self, reading: Reading) -> None:
        if self._is_current(reading, ORGS, self.orgs):
            org = records.org(reading)
            self.orgs[org.id] = org
            if org.type.lower() in CAMPUS_TYPES:
                self._check_length(reading, "name", org.name, LONGEST_HOMEROOM)

    def _take_session(self, reading: Reading) -> None:
        if self._is_current(reading, SESSIONS, self.sessions):
            session = records.session(reading)
            self.sessions[session.id] = session

    def _take_course(self, reading: Reading) -> None:
        if self._is_current(reading, COURSES, self.courses):
            self.courses[reading.row.text("sourcedId")] = reading.row.ids("grades", "grade")

    def _take_class(self, reading: Reading) -> None:
        if not self._is_current(reading, CLASSES, self.homerooms):
            return
        class_ = records.class_(reading)
        every = self.options.homerooms is HomeroomRule.EVERY_CLASS
        if not every and not class_.is_homeroom:
            self.other_classes.add(class_.id)
            return
        self._check_length(reading, "title", class_.title, LONGEST_HOMEROOM)
        self._check_length(reading, CAMPUS, class_.campus, LONGEST_HOMEROOM)
        self.homerooms[class_.id] = class_
        self.changed_homerooms.add(class_.id)
        self._check_reference(reading, "schoolSourcedId", class_.school, ORGS, self.orgs)
        self._check_reference(reading, "courseSourcedId", class_.course, COURSES, self.courses)
        for term in class_.terms:
            self._check_reference(reading, "termSourcedIds", term, SESSIONS, self.sessions)

    def _take_user(self, reading: Reading) -> None:
        row = reading.row
        if self._is_current(reading, USERS, self.users):
            user = records.user(reading, self.version)
            self._check_length(reading, "familyName", user.name, LONGEST_NAME)
            self.users[user.id] = user
            self.deleted_users.pop(user.id, None)
        elif self.is_delta and row.text("status").lower() == "tobedeleted":
            id_ = row.text("sourcedId")
            if self._modified.get((USERS, id_), "") == row.text("dateLastModified"):
                self.deleted_users[id_] = row
                self.users.pop(id_, None)

    def _take_role(self, reading: Reading) -> None:
        if self._is_deleted(reading):
            return
        role = records.role(reading)
        if role.user:
            self.roles.setdefault(role.user, []).append(role)
            if role.user not in self.users and not self.is_delta:
                reading.say(Kind.REFERENCE, "userSourcedId", role.user, self.file(USERS))

    def _take_demographic(self, reading: Reading) -> None:
        if self._is_deleted(reading):
            return
        demographic = records.demographic(reading)
        self.demographics[demographic.user] = demographic

    def _take_relationship(self, reading: Reading) -> None:
        if self._is_deleted(reading):
            return
        student = reading.required("userSourcedId")
        guardian = reading.required("relationshipUserSourcedId")
        role = reading.row.text("relationshipRole")
        for field, id_ in (("userSourcedId", student), ("relationshipUserSourcedId", guardian)):
            if id_ and id_ not in self.users and not self.is_delta:
                reading.say(Kind.AGENT_UNKNOWN, field, id_, self.file(USERS))
        if student and guardian:
            self.links.setdefault(student, []).append(
                Link(guardian, role, reading.row.file, reading.row.line)
            )

    def _take_enrollment(self, reading: Reading) -> None:
        row = reading.row
        user, class_id = row.text("userSourcedId"), row.text("classSourcedId")
        if self._is_deleted(reading):
            self.deleted_enrollments.add((user, class_id))
            return
        reading.required("userSourcedId")
        reading.required("classSourcedId")
        if records.role_word(reading) != STUDENT or class_id in self.other_classes:
            return
        if class_id not in self.homerooms:
            if not self.is_delta:
                reading.say(Kind.REFERENCE, "classSourcedId", class_id, self.file(CLASSES))
            return
        if user not in self.users and not self.is_delta:
            reading.say(Kind.REFERENCE, "userSourcedId", user, self.file(USERS))
            return
        self.enrollments.setdefault(user, []).append(records.enrollment(reading))

    def _is_current(self, reading: Reading, table: str, kept: dict[str, Any]) -> bool:
        """Whether the row is to be kept: it has an id, is not deleted, not older than one we have.

        The same id twice is an error; in a delta the later one counts, as its time stamp says.
        """
        id_ = reading.required("sourcedId")
        if not id_ or not self._check_length(reading, "sourcedId", id_, LONGEST_ID):
            return False
        if self.is_delta:
            stamp = reading.row.text("dateLastModified")
            if stamp < self._modified.get((table, id_), ""):
                return False
            self._modified[table, id_] = stamp
        elif id_ in kept or (table == CLASSES and id_ in self.other_classes):
            reading.say(Kind.ID_TWICE, "sourcedId", id_)
            return False
        return not self._is_deleted(reading)

    def _is_deleted(self, reading: Reading) -> bool:
        is_deleted = reading.is_deleted()
        if is_deleted and not self.is_delta:
            reading.say_once(Kind.DELETED_IN_BULK, "status", reading.row.text("status"))
        return is_deleted

    def _check_length(self, reading: Reading, field: str, value: str, longest: int) -> bool:
        if len(value) <= longest:
            return True
        kind = Kind.ID_TOO_LONG if longest == LONGEST_ID else Kind.NAME_TOO_LONG
        reading.say(kind, field, value, str(longest))
        return False

    def _check_reference(
        self, reading: Reading, field: str, id_: str, table: str, known: dict[str, Any]
    ) -> None:
        if not id_ or id_ in known or self.is_delta:
            return
        if table in self.tables:
            reading.say(Kind.REFERENCE, field, id_, self.file(table))
        else:
            reading.say_once(Kind.FILE_NEEDED, field, id_, self.file(table))


def _known_homerooms(options: Options) -> dict[str, records.Class]:
    """What a delta's enrolments may refer to without saying it again."""
    known = options.known.homerooms if options.known else ()
    return {
        homeroom.sourced_id: records.Class(
            id=homeroom.sourced_id,
            title=homeroom.name,
            grades=(str(homeroom.grade),),
            is_homeroom=True,
            school="",
            course="",
            terms=(),
            campus=homeroom.campus or "",
            file="",
            line=0,
        )
        for homeroom in known
        if homeroom.sourced_id
    }

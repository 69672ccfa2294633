"""The tables of the specification: files, columns in their order, words that a column may hold.

Source: OneRoster 1.1 CSV Tables §3; OneRoster 1.2.1 CSV Binding §5 (columns) and §6 (words);
the essential columns of the SDS dialect: Microsoft, "SDS V2.1 CSV file format".
"""

from enum import StrEnum
from typing import Final


class Version(StrEnum):
    """What a package is written in."""

    V1_1 = "1.1"
    V1_2 = "1.2"
    SDS = "sds-2.1"


ORGS: Final = "orgs"
SESSIONS: Final = "academicSessions"
COURSES: Final = "courses"
CLASSES: Final = "classes"
USERS: Final = "users"
ROLES: Final = "roles"
DEMOGRAPHICS: Final = "demographics"
RELATIONSHIPS: Final = "relationships"
ENROLLMENTS: Final = "enrollments"
MANIFEST: Final = "manifest"

IN_ORDER: Final = (
    ORGS,
    SESSIONS,
    COURSES,
    CLASSES,
    USERS,
    ROLES,
    DEMOGRAPHICS,
    RELATIONSHIPS,
    ENROLLMENTS,
)
"""What is read, so that each row finds there what it refers to."""

NOT_READ: Final = frozenset(
    {
        "categories",
        "classResources",
        "courseResources",
        "lineItemLearningObjectiveIds",
        "lineItems",
        "lineItemScoreScales",
        "resources",
        "resultLearningObjectiveIds",
        "results",
        "resultScoreScales",
        "scoreScales",
        "userFlags",
        "userProfiles",
        "userResources",
    }
)
"""Tables of marks and resources, and of log-ins: none of our business."""

_HEAD: Final = ("sourcedId", "status", "dateLastModified")

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    MANIFEST: ("propertyName", "value"),
    ORGS: (*_HEAD, "name", "type", "identifier", "parentSourcedId"),
    SESSIONS: (*_HEAD, "title", "type", "startDate", "endDate", "parentSourcedId", "schoolYear"),
    COURSES: (
        *_HEAD,
        "schoolYearSourcedId",
        "title",
        "courseCode",
        "grades",
        "orgSourcedId",
        "subjects",
        "subjectCodes",
    ),
    CLASSES: (
        *_HEAD,
        "title",
        "grades",
        "courseSourcedId",
        "classCode",
        "classType",
        "location",
        "schoolSourcedId",
        "termSourcedIds",
        "subjects",
        "subjectCodes",
        "periods",
    ),
    USERS: (
        *_HEAD,
        "enabledUser",
        "username",
        "userIds",
        "givenName",
        "familyName",
        "middleName",
        "identifier",
        "email",
        "sms",
        "phone",
        "agentSourcedIds",
        "grades",
        "password",
        "userMasterIdentifier",
        "preferredGivenName",
        "preferredMiddleName",
        "preferredFamilyName",
        "primaryOrgSourcedId",
        "pronouns",
    ),
    ROLES: (
        *_HEAD,
        "userSourcedId",
        "roleType",
        "role",
        "beginDate",
        "endDate",
        "orgSourcedId",
        "userProfileSourcedId",
    ),
    DEMOGRAPHICS: (
        *_HEAD,
        "birthDate",
        "sex",
        "americanIndianOrAlaskaNative",
        "asian",
        "blackOrAfricanAmerican",
        "nativeHawaiianOrOtherPacificIslander",
        "white",
        "demographicRaceTwoOrMoreRaces",
        "hispanicOrLatinoEthnicity",
        "countryOfBirthCode",
        "stateOfBirthAbbreviation",
        "cityOfBirth",
        "publicSchoolResidenceStatus",
    ),
    ENROLLMENTS: (
        *_HEAD,
        "classSourcedId",
        "schoolSourcedId",
        "userSourcedId",
        "role",
        "primary",
        "beginDate",
        "endDate",
    ),
}
"""Every column of a table in version 1.2.1, in its order; what we write."""

_ESSENTIAL: Final[dict[str, tuple[str, ...]]] = {
    ORGS: ("sourcedId", "name", "type"),
    SESSIONS: ("sourcedId", "title", "type", "startDate", "endDate", "schoolYear"),
    COURSES: ("sourcedId", "title"),
    CLASSES: ("sourcedId", "title"),
    USERS: ("sourcedId", "givenName", "familyName"),
    ROLES: ("userSourcedId", "role", "orgSourcedId"),
    RELATIONSHIPS: ("userSourcedId", "relationshipUserSourcedId", "relationshipRole"),
    ENROLLMENTS: ("classSourcedId", "userSourcedId", "role"),
}


def essential_columns(table: str, version: Version) -> tuple[str, ...]:
    """The columns without which a table of that version means nothing."""
    columns = _ESSENTIAL.get(table, ())
    if table == CLASSES and version is not Version.SDS:
        columns += ("classType", "schoolSourcedId")
    if table == USERS and version is Version.V1_1:
        columns += ("role",)
    if table == DEMOGRAPHICS:
        columns = ("userSourcedId",) if version is Version.SDS else ("sourcedId",)
    return columns


NEEDED: Final = (CLASSES, USERS, ENROLLMENTS)
"""Tables without which there is no roster; with version 1.2 and SDS, `roles` too."""

STATUSES: Final = ("active", "tobedeleted")
ORG_TYPES: Final = ("department", "school", "district", "local", "state", "national")
CAMPUS_TYPES: Final = ("campus", "ext:campus")
"""SDS's word, and how version 1.2 lets one say it."""
SESSION_TYPES: Final = ("gradingPeriod", "semester", "schoolYear", "term")
CLASS_TYPES: Final = ("homeroom", "scheduled")
SEXES: Final = ("male", "female", "unspecified", "other")
ROLE_TYPES: Final = ("primary", "secondary")
STUDENT: Final = "student"
PARENT: Final = "parent"
GUARDIAN: Final = "guardian"
RELATIVE: Final = "relative"
USER_ROLES: Final = (
    "administrator",
    "aide",
    "counselor",
    "districtAdministrator",
    GUARDIAN,
    PARENT,
    "principal",
    "proctor",
    RELATIVE,
    "siteAdministrator",
    STUDENT,
    "systemAdministrator",
    "teacher",
)

EXTENSION: Final = "ext:"
"""How a word of one's own begins in version 1.2 (§6)."""

FULL_NAME: Final = "metadata.cn.fullName"
STUDENT_STATUS: Final = "metadata.cn.studentStatus"
BOARDING: Final = "metadata.cn.boarding"
AGENT_RELATIONS: Final = "metadata.cn.agentRelations"
CAMPUS: Final = "metadata.cn.campus"
"""Columns of our own, behind those of the specification (§3.2: metadata extension fields)."""
EXTRA_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    USERS: (FULL_NAME, STUDENT_STATUS, BOARDING, AGENT_RELATIONS),
    CLASSES: (CAMPUS,),
}

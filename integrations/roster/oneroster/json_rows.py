"""Records of the REST service become rows with the names of the CSV tables.

Source: OneRoster 1.1 Final §4 (data model) and 1.2 Rostering Service, information model: a link
to another record is an object with its `sourcedId`; lists are lists. Providers differ in small
things: `grade` and `grades`, links as bare ids, an object where a list belongs.
"""

from collections.abc import Iterator
from typing import Any, Final

from integrations.roster.oneroster.rows import Row, clean
from integrations.roster.oneroster.tables import (
    CLASSES,
    COURSES,
    DEMOGRAPHICS,
    ENROLLMENTS,
    ORGS,
    SESSIONS,
    USERS,
)

_LINKS: Final[dict[str, dict[str, str]]] = {
    ORGS: {"parent": "parentSourcedId"},
    SESSIONS: {"parent": "parentSourcedId"},
    COURSES: {"schoolYear": "schoolYearSourcedId", "org": "orgSourcedId"},
    CLASSES: {"course": "courseSourcedId", "school": "schoolSourcedId", "terms": "termSourcedIds"},
    USERS: {"orgs": "orgSourcedIds", "agents": "agentSourcedIds"},
    ENROLLMENTS: {
        "user": "userSourcedId",
        "class": "classSourcedId",
        "school": "schoolSourcedId",
    },
    DEMOGRAPHICS: {},
}
"""Table → what a link is called in JSON and in CSV."""

_SECRET: Final = "password"  # noqa: S105


def row_of(table: str, file: str, line: int, record: dict[str, Any]) -> Row:
    """The record as a row; passwords are left behind."""
    values: dict[str, str] = {}
    for name, value in record.items():
        link = _LINKS[table].get(name)
        if name == "metadata" and isinstance(value, dict):
            values.update({f"metadata.{key}": _text(part) for key, part in value.items()})
        elif link:
            values[link] = ",".join(_ids(value))
        elif name not in (_SECRET, "roles", "userProfiles"):
            values[name] = _text(value)
    return Row(file, line, {name: value for name, value in values.items() if value})


def role_rows(file: str, line: int, record: dict[str, Any]) -> Iterator[Row]:
    """A user's roles, which since 1.2 stand in the user."""
    roles = record.get("roles")
    for role in roles if isinstance(roles, list) else [roles]:
        if isinstance(role, dict):
            values = {name: _text(value) for name, value in role.items() if name != "org"}
            values["orgSourcedId"] = ",".join(_ids(role.get("org")))
            values["userSourcedId"] = _text(record.get("sourcedId"))
            values["status"] = _text(record.get("status"))
            yield Row(file, line, values)


def _ids(value: object) -> list[str]:
    parts = value if isinstance(value, list) else [value]
    found = (part.get("sourcedId") if isinstance(part, dict) else part for part in parts)
    return [text for part in found if (text := _text(part))]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(_text(part) for part in value if not isinstance(part, dict))
    if isinstance(value, (str, int, float)):
        return clean(str(value))
    return ""

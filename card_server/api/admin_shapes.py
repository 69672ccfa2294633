"""What the API answers of what administrators see: accounts, tokens, history, the audit log."""

from datetime import datetime
from typing import Any

from pydantic import Field

from card_server.api.shapes import Grant, Next, School, Shape
from schema.tables.staff import Role, Scope


class Staff(Shape):
    """An account of the school."""

    id: int
    login: str
    name: str
    grants: list[Grant]
    must_choose_password: bool
    disabled_at: datetime | None


class StaffList(Shape):
    """All accounts of the school."""

    items: list[Staff]


class OneTimePassword(Shape):
    """An account's one-time password, which is told at this moment only."""

    id: int
    login: str
    one_time_password: str


class OpenedSchool(Shape):
    """A new school, and the account of its first administrator."""

    school: School
    admin: OneTimePassword


class Token(Shape):
    """A program's token, without what it is; those that ended stay for the record."""

    id: int
    name: str
    role: Role
    scope: Scope
    grade: int | None
    homeroom: str | None
    place: str | None
    made_by: str
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    is_over: bool = Field(description="Whether its time has run out.")


class Tokens(Shape):
    """All tokens of the school, newest first."""

    items: list[Token]


class MadeToken(Shape):
    """A token, which is told at this moment only."""

    id: int
    token: str


class Actor(Shape):
    """Who did something; `name` is what they are called today, empty for who is gone."""

    kind: str = Field(description="`staff`, `token`, `command`, `system` or `nobody`.")
    id: int | None
    name: str


class AuditEntry(Shape):
    """One entry of the audit log."""

    seq: int
    at: datetime
    actor: Actor
    action: str
    subject: str
    has_detail: bool = Field(description="False where the personal part was erased.")


class AuditEntries(Shape):
    """A part of the log, newest first."""

    items: list[AuditEntry]
    next: Next


class AuditDetail(Shape):
    """An entry's personal part; null where it was erased or is not what was once noted."""

    seq: int
    is_readable: bool
    name: str | None
    address: str | None
    reason: str | None
    details: dict[str, Any] | None


class ChangedValue(Shape):
    """One value of a change; `before` is null where the thing was new or had none."""

    field: str
    before: str | None
    after: str | None


class Change(Shape):
    """One change of a thing; `values` is empty where its personal part was erased."""

    at: datetime
    action: str
    actor: Actor = Field(description="By the name that they had then.")
    subject: str
    values: list[ChangedValue]


class History(Shape):
    """The last changes of one thing, newest first, ten at most."""

    items: list[Change]

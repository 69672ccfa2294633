"""Reading the audit log: its entries, newest first, and one entry's personal part."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from card_server.audit.chain import digest_of
from card_server.audit.details import Detail, open_text, read_detail
from card_server.errors import AppError, Code
from schema.tables.audit import DISTRICT, AuditDetail, AuditEntry
from schema.tables.staff import Staff
from schema.tables.tokens import ApiToken

KINDS = ("staff", "token", "guardian", "command", "system", "nobody")


class ActorKey(NamedTuple):
    """An actor as the chain names them; `staff` without an id is any member of staff."""

    kind: str
    id: int | None = None

    def __str__(self) -> str:
        return self.kind if self.id is None else f"{self.kind}:{self.id}"


@dataclass(frozen=True)
class Wanted:
    """Which entries; None is all."""

    actor: ActorKey | None = None
    action: str | None = None
    subject: str | None = None
    between: tuple[datetime, datetime] | None = None
    """From a moment to another, without the last."""


@dataclass(frozen=True)
class LoggedEntry:
    """One entry; the actor's name is what they are called today, and empty for who is gone."""

    seq: int
    at: datetime
    actor: ActorKey
    name: str
    action: str
    subject: str
    has_detail: bool


@dataclass(frozen=True)
class LoggedDetail:
    """An entry with its personal part; None where that was erased."""

    entry: LoggedEntry
    detail: Detail | None
    is_readable: bool
    """Whether the detail is what was once noted, as far as this server's key can tell."""


def read_actor_key(text: str) -> ActorKey | None:
    """The actor that `staff:12` or `system` names; None for anything else."""
    kind, _, id_ = text.partition(":")
    if kind not in KINDS or (id_ and not (id_.isascii() and id_.isdigit() and len(id_) < 10)):
        return None
    return ActorKey(kind, int(id_) if id_ else None)


def read_entries(
    session: Session, chain: int, wanted: Wanted, before: int | None, limit: int
) -> list[LoggedEntry]:
    """The newest entries of a chain before a number, in three queries at most."""
    own = and_(AuditDetail.school_id == AuditEntry.school_id, AuditDetail.seq == AuditEntry.seq)
    found = session.execute(
        select(
            AuditEntry.seq,
            AuditEntry.at,
            AuditEntry.actor_kind,
            AuditEntry.actor_id,
            AuditEntry.action,
            AuditEntry.subject,
            AuditDetail.seq.is_not(None),
        )
        .outerjoin(AuditDetail, own)
        .where(*_conditions(chain, wanted, before))
        .order_by(AuditEntry.seq.desc())
        .limit(limit)
    ).all()
    names = _name_actors(session, chain, {ActorKey(row.actor_kind, row.actor_id) for row in found})
    return [
        LoggedEntry(seq, at, actor := ActorKey(kind, id_), names.get(actor, ""), action, about, has)
        for seq, at, kind, id_, action, about, has in found
    ]


def count_entries(session: Session, chain: int, wanted: Wanted) -> int:
    """How many entries of a chain are wanted."""
    counted = select(func.count()).select_from(AuditEntry)
    return session.scalar(counted.where(*_conditions(chain, wanted, None))) or 0


def open_entry(session: Session, chain: int, seq: int) -> LoggedDetail:
    """One entry and its personal part. Raises AppError(NOT_FOUND)."""
    entry = next(iter(read_entries(session, chain, Wanted(), seq + 1, 1)), None)
    if entry is None or entry.seq != seq:
        raise AppError(Code.NOT_FOUND, "There is no such entry in this log.")
    row = session.execute(
        select(AuditEntry.digest, AuditDetail.body)
        .outerjoin(
            AuditDetail,
            and_(AuditDetail.school_id == chain, AuditDetail.seq == AuditEntry.seq),
        )
        .where(AuditEntry.school_id == chain, AuditEntry.seq == seq)
    ).one()
    if row.body is None:
        return LoggedDetail(entry, None, is_readable=True)
    text = open_text(session.connection(), row.body)
    if text is None or digest_of(text) != row.digest:
        return LoggedDetail(entry, None, is_readable=False)
    return LoggedDetail(entry, read_detail(text), is_readable=True)


def list_staff(session: Session, chain: int) -> list[tuple[ActorKey, str]]:
    """Whom one may look for: the staff of the school, or of the district, by name."""
    own = Staff.school_id.is_(None) if chain == DISTRICT else Staff.school_id == chain
    found = session.connection().execute(
        select(Staff.id, Staff.name).where(own).order_by(Staff.name, Staff.id)
    )
    return [(ActorKey("staff", row.id), row.name) for row in found]


def find_newest(
    session: Session, chain: int, actor: ActorKey, action: str, subject: str
) -> LoggedDetail | None:
    """The last time that this actor did this to this subject."""
    newest = read_entries(session, chain, Wanted(actor, action, subject), None, 1)
    return open_entry(session, chain, newest[0].seq) if newest else None


def _conditions(chain: int, wanted: Wanted, before: int | None) -> list[ColumnElement[bool]]:
    conditions = [AuditEntry.school_id == chain]
    if before is not None:
        conditions.append(AuditEntry.seq < before)
    if wanted.actor:
        conditions.append(AuditEntry.actor_kind == wanted.actor.kind)
        if wanted.actor.id is not None:
            conditions.append(AuditEntry.actor_id == wanted.actor.id)
    if wanted.action:
        conditions.append(AuditEntry.action == wanted.action)
    if wanted.subject:
        conditions.append(AuditEntry.subject == wanted.subject)
    if wanted.between:
        conditions += [AuditEntry.at >= wanted.between[0], AuditEntry.at < wanted.between[1]]
    return conditions


def _name_actors(session: Session, chain: int, actors: Iterable[ActorKey]) -> dict[ActorKey, str]:
    """Names of staff and tokens of this school, and of the district's staff, who may enter it.

    On the connection, because the session sees nobody of the district.
    """
    staff = [one.id for one in actors if one.kind == "staff"]
    tokens = [one.id for one in actors if one.kind == "token"]
    connection = session.connection()
    names: dict[ActorKey, str] = {}
    if staff:
        wanted = select(Staff.id, Staff.name).where(
            Staff.id.in_(staff), or_(Staff.school_id.is_(None), Staff.school_id == chain)
        )
        names |= {ActorKey("staff", id_): name for id_, name in connection.execute(wanted)}
    if tokens:
        of_tokens = select(ApiToken.id, ApiToken.name).where(
            ApiToken.id.in_(tokens), ApiToken.school_id == chain
        )
        names |= {ActorKey("token", id_): name for id_, name in connection.execute(of_tokens)}
    return names

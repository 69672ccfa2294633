"""The last changes of one thing (历史), as the audit log has them: who, when, from what to what."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from card_server.audit.details import open_text, read_detail
from card_server.audit.reading import ActorKey
from schema.tables.audit import AuditDetail, AuditEntry

NEWEST = 10


@dataclass(frozen=True)
class Value:
    """One value of a change; `before` is None where the thing was new or had none."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Change:
    """One change; its values are gone when its personal part was erased."""

    at: datetime
    action: str
    actor: ActorKey
    who: str
    """The name as it was then; empty when it was erased."""
    subject: str
    values: tuple[Value, ...]


def read_history(session: Session, school_id: int, subjects: Collection[str]) -> list[Change]:
    """The newest changes of these subjects, newest first, in one query."""
    found = session.execute(
        select(AuditEntry, AuditDetail.body)
        .outerjoin(
            AuditDetail,
            and_(AuditDetail.school_id == AuditEntry.school_id, AuditDetail.seq == AuditEntry.seq),
        )
        .where(
            AuditEntry.school_id == school_id,
            AuditEntry.subject.in_(subjects),
            AuditEntry.action.in_(_ACTIONS),
        )
        .order_by(AuditEntry.seq.desc())
        .limit(NEWEST)
    )
    return [_change(session, entry, body) for entry, body in found]


_ACTIONS = (
    "attendance.rules_changed",
    "calendar.said",
    "calendar.taken_back",
    "homeroom.changed",
    "homeroom.made",
    "message_rules.changed",
    "message_text.changed",
    "message_text.code_changed",
    "message_text.restored",
    "reader.brought_back",
    "reader.changed",
    "reader.made",
    "reader.retired",
    "school.changed",
    "school.logo_changed",
    "school.logo_removed",
    "school.made",
    "sending.district_resumed",
    "sending.district_stopped",
    "sending.resumed",
    "sending.stopped",
    "staff.changed",
    "staff.code_switched_off",
    "staff.disabled",
    "staff.enabled",
    "staff.made",
    "staff.password_renewed",
    "staff.unlocked",
    "timetable.changed",
    "timetable.ended",
    "timetable.hours_changed",
    "timetable.made",
    "webhook.changed",
    "webhook.disabled",
    "webhook.enabled",
    "webhook.gone",
    "webhook.made",
    "webhook.secret_renewed",
)
"""What administrators do; that somebody logged in is no change of the account."""


def _change(session: Session, entry: AuditEntry, body: bytes | None) -> Change:
    text = open_text(session.connection(), body) if body is not None else None
    detail = read_detail(text) if text is not None else None
    values = tuple(_value(*pair) for pair in detail.details.items()) if detail else ()
    actor = ActorKey(entry.actor_kind, entry.actor_id)
    who = detail.name if detail else ""
    return Change(entry.at, entry.action, actor, who, entry.subject, values)


def _value(field: str, given: object) -> Value:
    """A change is noted as a pair, before and after; what is new as it is."""
    if isinstance(given, list) and len(given) == 2:
        return Value(field, *(None if one is None else str(one) for one in given))
    return Value(field, None, None if given is None else str(given))

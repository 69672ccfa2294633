"""How sending does: carriers, reached limits, numbers that get nothing, what is unclear."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, func, or_, select, text
from sqlalchemy.orm import Session

from card_server.reports.outbox import OutboxMessage, select_messages
from card_server.reports.reader_report import count_still_used
from schema.tables.messages import (
    CarrierHealth,
    LimitScope,
    Message,
    MessageCount,
    MessageKind,
    MessageRules,
    PhoneStanding,
    StopBy,
)
from schema.tables.people import Guardian, Guardianship, Student

_MOST = 200


@dataclass(frozen=True)
class CarrierLine:
    """One carrier, as the notifier that used it last saw it."""

    name: str
    is_used: bool
    """Whether the settings name it."""
    tried: int
    failed: int
    """Of the last `tried` calls."""
    passed_over_since: datetime | None
    passed_over_until: datetime | None
    last_error: str
    last_error_at: datetime | None
    last_taken_at: datetime | None


@dataclass(frozen=True)
class ReachedLimit:
    """A limit of a day that kept messages back."""

    day: date
    scope: LimitScope
    kind: MessageKind | None
    """Of a limit to one number and kind."""
    student_id: int | None
    student: str
    guardian_id: int | None
    """Whose number it is; None when nobody has it any more."""
    phone_tail: str
    count: int
    price: int
    """In thousandths of the currency."""
    reached_at: datetime | None
    seen_by: str


@dataclass(frozen=True)
class KeptNumber:
    """A guardian's number to which nothing goes."""

    guardian_id: int
    guardian: str
    phone_tail: str
    student_id: int | None
    student: str
    stopped_at: datetime | None
    stopped_by: StopBy | None
    bad_at: datetime | None
    bad_because: str
    seen_by: str


@dataclass(frozen=True)
class Alerts:
    """What the school's administrators should look at, on whichever page they are."""

    limits: int
    """Reached, and seen by nobody yet."""
    numbers: int
    """Stopped or bad, and seen by nobody yet."""
    undecided: int
    """Unclear messages of which a person must say what became of them."""
    is_stopped: bool
    retired_readers: int
    """Retired, and cards are still held to them."""

    def __bool__(self) -> bool:
        return bool(
            self.limits or self.numbers or self.undecided or self.is_stopped or self.retired_readers
        )


def read_alerts(session: Session, school_id: int, now: datetime) -> Alerts:
    """What there is to look at, in one query."""
    limits = select(func.count(MessageCount.key)).where(
        MessageCount.school_id == school_id,
        MessageCount.reached_at.is_not(None),
        MessageCount.seen_by == "",
    )
    numbers = select(func.count(PhoneStanding.phone_hash)).where(
        PhoneStanding.school_id == school_id, _IS_KEPT, _IS_HAD, PhoneStanding.seen_by == ""
    )
    undecided = select(func.count(Message.id)).where(
        Message.school_id == school_id, _IS_UNKNOWN, Message.look_up_at.is_(None)
    )
    stopped = select(func.count(MessageRules.school_id)).where(
        MessageRules.school_id == school_id, MessageRules.stopped_at.is_not(None)
    )
    readers = count_still_used(school_id, now)
    counted = [one.scalar_subquery() for one in (limits, numbers, undecided, stopped, readers)]
    found = session.execute(select(*counted)).one()
    return Alerts(found[0], found[1], found[2], bool(found[3]), found[4])


_IS_UNKNOWN = text("message.state = 'unknown'")
"""Spelt as in the partial index."""
_IS_KEPT = or_(PhoneStanding.stopped_at.is_not(None), PhoneStanding.bad_at.is_not(None))
_IS_HAD = (
    select(Guardian.id)
    .where(
        Guardian.school_id == PhoneStanding.school_id,
        Guardian.phone_hash == PhoneStanding.phone_hash,
    )
    .exists()
)
"""Whether some guardian has the number today."""


def list_carriers(session: Session, order: Sequence[str]) -> list[CarrierLine]:
    """The carriers of the settings in their order, then those that were used before."""
    known = {one.name: one for one in session.scalars(select(CarrierHealth))}
    names = [*order, *sorted(known.keys() - set(order))]
    return [_carrier(name, known.get(name), is_used=name in order) for name in names]


def _carrier(name: str, row: CarrierHealth | None, *, is_used: bool) -> CarrierLine:
    if row is None:
        return CarrierLine(name, is_used, 0, 0, None, None, "", None, None)
    return CarrierLine(
        name,
        is_used,
        row.tried,
        row.failed,
        row.passed_over_since,
        row.passed_over_until,
        row.last_error,
        row.last_error_at,
        row.last_taken_at,
    )


def list_limits(session: Session, school_id: int, since: datetime) -> list[ReachedLimit]:
    """The limits that were reached since a moment or that nobody has seen, newest first."""
    rows = session.scalars(
        select(MessageCount)
        .where(
            MessageCount.school_id == school_id,
            MessageCount.reached_at.is_not(None),
            or_(MessageCount.reached_at >= since, MessageCount.seen_by == ""),
        )
        .order_by(MessageCount.reached_at.desc(), MessageCount.scope, MessageCount.key)
        .limit(_MOST)
    ).all()
    hashes = {one.key: bytes.fromhex(one.key.partition(":")[0]) for one in rows if _is_number(one)}
    ids = [int(one.key) for one in rows if one.scope is LimitScope.STUDENT]
    owners = _owners(session, school_id, set(hashes.values()))
    names = dict(session.execute(select(Student.id, Student.name).where(Student.id.in_(ids))).all())
    return [_limit(one, owners.get(hashes.get(one.key, b"")), names) for one in rows]


def _is_number(one: MessageCount) -> bool:
    return one.scope in (LimitScope.NUMBER, LimitScope.NUMBER_AND_KIND)


class _Owner(NamedTuple):
    guardian_id: int
    phone_tail: str
    student_id: int | None


def _owners(session: Session, school_id: int, hashes: set[bytes]) -> dict[bytes, _Owner]:
    """Who has these numbers today; of several the first."""
    if not hashes:
        return {}
    found = session.execute(
        select(
            Guardian.phone_hash,
            Guardian.id,
            Guardian.phone_tail,
            func.min(Guardianship.student_id),
        )
        .outerjoin(Guardianship, Guardianship.guardian_id == Guardian.id)
        .where(Guardian.school_id == school_id, Guardian.phone_hash.in_(hashes))
        .group_by(Guardian.id)
        .order_by(Guardian.id.desc())
    )
    return {row[0]: _Owner(row[1], row[2], row[3]) for row in found}


def _limit(one: MessageCount, owner: _Owner | None, names: Mapping[int, str]) -> ReachedLimit:
    _, _, kind = one.key.partition(":") if _is_number(one) else ("", "", "")
    student_id = int(one.key) if one.scope is LimitScope.STUDENT else owner and owner.student_id
    return ReachedLimit(
        one.day,
        one.scope,
        MessageKind(kind) if kind else None,
        student_id,
        names.get(student_id or 0, ""),
        owner.guardian_id if owner else None,
        owner.phone_tail if owner else "",
        one.count,
        one.price,
        one.reached_at,
        one.seen_by,
    )


def list_numbers(session: Session, school_id: int) -> list[KeptNumber]:
    """Guardians to whose number nothing goes, those whom nobody has seen first."""
    since = func.coalesce(PhoneStanding.stopped_at, PhoneStanding.bad_at)
    first_child = (
        select(Guardianship.guardian_id, func.min(Guardianship.student_id).label("student_id"))
        .group_by(Guardianship.guardian_id)
        .subquery()
    )
    found = session.execute(
        select(
            Guardian.id,
            Guardian.name,
            Guardian.phone_tail,
            Student.id,
            func.coalesce(Student.name, ""),
            PhoneStanding.stopped_at,
            PhoneStanding.stopped_by,
            PhoneStanding.bad_at,
            PhoneStanding.bad_because,
            PhoneStanding.seen_by,
        )
        .select_from(PhoneStanding)
        .join(
            Guardian,
            and_(
                Guardian.school_id == PhoneStanding.school_id,
                Guardian.phone_hash == PhoneStanding.phone_hash,
            ),
        )
        .outerjoin(first_child, first_child.c.guardian_id == Guardian.id)
        .outerjoin(Student, Student.id == first_child.c.student_id)
        .where(PhoneStanding.school_id == school_id, _IS_KEPT)
        .order_by(PhoneStanding.seen_by != "", since.desc(), Guardian.id)
        .limit(_MOST)
    )
    rows: list[tuple[Any, ...]] = [tuple(row) for row in found]
    return [KeptNumber(*row) for row in rows]


def list_undecided(session: Session, school_id: int) -> list[OutboxMessage]:
    """The unclear messages of which a person must say what became of them, oldest first."""
    found = select_messages().where(
        Message.school_id == school_id, _IS_UNKNOWN, Message.look_up_at.is_(None)
    )
    found = found.order_by(Message.changed_at, Message.id)
    return [OutboxMessage(*row) for row in session.execute(found.limit(_MOST))]

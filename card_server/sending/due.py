"""The messages whose turn has come, each with all that is known of its guardian and school.

One statement, whose text never changes, so that the database keeps its plan.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, bindparam, case, exists, func, or_, select, text
from sqlalchemy.orm import aliased

from card_server.messages.judging import Facts
from card_server.messages.limits import Most, Sending
from card_server.messages.segments import size_of
from card_server.sending.choosing import Wanted
from schema.tables.messages import (
    CarrierText,
    Message,
    MessageKind,
    MessageRules,
    MessageState,
    PhoneStanding,
    Suppression,
)
from schema.tables.parents import ParentCode
from schema.tables.people import Channel, Guardian, Guardianship, Language, Student
from schema.tables.school import School

_ARRIVALS: Final = (MessageKind.ARRIVAL, MessageKind.LATE, MessageKind.ARRIVED)
_UNTOLD: Final = (MessageKind.INVITATION, MessageKind.CODE)
"""Kinds that go to guardians who want to be told nothing."""
_TOLD: Final = (
    MessageState.SENDING,
    MessageState.ACCEPTED,
    MessageState.DELIVERED,
    MessageState.UNDELIVERED,
    MessageState.UNKNOWN,
)
_LOOKS_BACK: Final = timedelta(days=1)
"""A departure that was told so long ago overtakes no arrival any more."""


class Price(NamedTuple):
    """How long a message is, and what that costs."""

    segments: int
    money: int
    """In thousandths of the school's currency."""


class TextKey(NamedTuple):
    """Which text of a school a carrier approved."""

    school_id: int
    provider: str
    kind: MessageKind
    language: Language


Templates = Mapping[TextKey, str]
"""The carriers' codes of texts."""


class Due(NamedTuple):
    """A message whose turn has come."""

    school_id: int
    id: UUID
    kind: MessageKind
    student_id: int
    homeroom_id: int
    """The student's; 0 when nobody knows the student."""
    language: Language
    channel: Channel
    body: str
    slots: str
    refused_by: str
    attempts: int
    created_at: datetime
    expires_at: datetime
    is_overtaken: bool
    """A later departure was told, or after an absence an arrival is, to the same guardian."""
    phone_sealed: bytes | None
    phone_hash: bytes | None
    phone_tail: str
    phone_since: datetime | None
    verified_at: datetime | None
    wecom_id: str
    stopped_at: datetime | None
    bad_at: datetime | None
    code_sealed: bytes | None
    is_told: bool | None
    """None: no guardian of this student any more."""
    consented_at: datetime | None
    quiet_from: int
    quiet_until: int
    daily_limit: int | None
    zone: str
    signature: str
    per_number: int
    per_number_and_kind: int
    per_student: int
    per_school: int
    money_per_day: int
    price_per_segment: int

    def facts(self) -> Facts:
        """What decides whether it may go out."""
        return Facts(
            self.kind,
            self.created_at,
            self.expires_at,
            has_number=bool(self.phone_tail or self.wecom_id),
            is_guardian=self.is_told is not None and (self.is_told or self.kind in _UNTOLD),
            phone_since=self.phone_since,
            stopped_at=self.stopped_at,
            bad_at=self.bad_at,
            verified_at=self.verified_at,
            consented_at=self.consented_at,
            quiet_from=self.quiet_from,
            quiet_until=self.quiet_until,
            zone=ZoneInfo(self.zone),
            is_overtaken=self.is_overtaken,
        )

    def wanted(self, templates: Templates) -> Wanted:
        """What decides about its carrier."""
        own = (self.school_id, self.kind, self.language)
        approved = {
            key.provider for key in templates if (key.school_id, key.kind, key.language) == own
        }
        refused_by = frozenset(self.refused_by.split())
        return Wanted(self.channel, bool(self.wecom_id), refused_by, frozenset(approved))

    def price(self) -> Price:
        """As SMS; on WeCom the same row costs nothing, which nobody counts on."""
        segments = size_of(self.body).segments
        return Price(segments, segments * self.price_per_segment)

    def sending(self, money: int, now: datetime) -> Sending:
        """What it counts for."""
        day = now.astimezone(ZoneInfo(self.zone)).date()
        number = (self.phone_hash or b"").hex()
        return Sending(self.school_id, day, number, self.kind, self.student_id, money)

    def most(self) -> Most:
        """The limits that hold for it."""
        of_student = self.per_student
        if self.daily_limit is not None:
            of_student = min(of_student, self.daily_limit)
        return Most(
            self.per_number,
            self.per_number_and_kind,
            of_student,
            self.per_school,
            self.money_per_day,
        )


QUEUED: Final = text("message.state = 'queued'")
"""Spelt as in the partial index: with a parameter there, no database would use it."""


def read_due(connection: Connection, now: datetime, most: int) -> list[Due]:
    """Up to `most`, oldest first, locked; what another notifier has locked is left out."""
    asked = {"now": now, "since": now - _LOOKS_BACK, "most": most}
    rows: list[tuple[Any, ...]] = [tuple(row) for row in connection.execute(_DUE, asked)]
    return [Due(*row) for row in rows]


def _of_school(name: str) -> Any:
    """A rule of the school, or what every school has that has set none."""
    column = MessageRules.__table__.c[name]
    return func.coalesce(column, column.default.arg)


_LATER = aliased(Message)
_SAME = and_(
    _LATER.school_id == Message.school_id,
    _LATER.student_id == Message.student_id,
    _LATER.guardian_id == Message.guardian_id,
)
_HAS_LEFT = exists().where(
    _SAME,
    _LATER.kind == MessageKind.DEPARTURE,
    _LATER.state.in_(_TOLD),
    _LATER.created_at >= bindparam("since"),
    _LATER.about_at > Message.about_at,
)
_HAS_COME = exists().where(
    _SAME,
    _LATER.kind.in_(_ARRIVALS),
    _LATER.created_at > Message.created_at,
    or_(_LATER.state != MessageState.SUPPRESSED, _LATER.suppression == Suppression.STALE),
)
_OVERTAKEN = or_(
    and_(Message.kind.in_(_ARRIVALS), _HAS_LEFT),
    and_(Message.kind == MessageKind.ABSENCE, _HAS_COME),
)
_HAS_OWN_HOURS = and_(Guardianship.quiet_from.is_not(None), Guardianship.quiet_until.is_not(None))

_DUE = (
    select(
        Message.school_id,
        Message.id,
        Message.kind,
        Message.student_id,
        func.coalesce(Student.homeroom_id, 0),
        Message.language,
        Message.channel,
        Message.body,
        Message.slots,
        Message.refused_by,
        Message.attempts,
        Message.created_at,
        Message.expires_at,
        _OVERTAKEN,
        Guardian.phone_sealed,
        Guardian.phone_hash,
        func.coalesce(Guardian.phone_tail, ""),
        Guardian.phone_since,
        Guardian.verified_at,
        func.coalesce(Guardian.wecom_id, ""),
        PhoneStanding.stopped_at,
        PhoneStanding.bad_at,
        ParentCode.code_sealed,
        Guardianship.is_told,
        Guardianship.consented_at,
        case((_HAS_OWN_HOURS, Guardianship.quiet_from), else_=_of_school("quiet_from")),
        case((_HAS_OWN_HOURS, Guardianship.quiet_until), else_=_of_school("quiet_until")),
        Guardianship.daily_limit,
        School.zone,
        School.signature,
        *(
            _of_school(name)
            for name in (
                "per_number",
                "per_number_and_kind",
                "per_student",
                "per_school",
                "money_per_day",
                "price_per_segment",
            )
        ),
    )
    .join(School, School.id == Message.school_id)
    .outerjoin(MessageRules, MessageRules.school_id == Message.school_id)
    .outerjoin(Student, Student.id == Message.student_id)
    .outerjoin(Guardian, Guardian.id == Message.guardian_id)
    .outerjoin(
        Guardianship,
        and_(
            Guardianship.student_id == Message.student_id,
            Guardianship.guardian_id == Message.guardian_id,
        ),
    )
    .outerjoin(
        PhoneStanding,
        and_(
            PhoneStanding.school_id == Guardian.school_id,
            PhoneStanding.phone_hash == Guardian.phone_hash,
        ),
    )
    .outerjoin(ParentCode, ParentCode.guardian_id == Message.guardian_id)
    .where(QUEUED, Message.due_at <= bindparam("now"), MessageRules.stopped_at.is_(None))
    .order_by(Message.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=Message)
)


def read_templates(
    connection: Connection, due: Collection[Due], carriers: Collection[str]
) -> dict[TextKey, str]:
    """These carriers' codes of the texts of these messages."""
    if not carriers:
        return {}
    found = connection.execute(
        select(*(getattr(CarrierText, name) for name in TextKey._fields), CarrierText.code).where(
            CarrierText.school_id.in_(sorted({one.school_id for one in due})),
            CarrierText.provider.in_(sorted(carriers)),
            CarrierText.kind.in_(sorted({one.kind for one in due})),
        )
    )
    return {TextKey(*row[:4]): row[4] for row in found}

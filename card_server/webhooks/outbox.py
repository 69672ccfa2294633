"""Events of taps, days and messages, written down in the transaction that they tell of."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, insert, select, tuple_
from sqlalchemy.orm import Session

from card_server.services.protocol import PlacedTap
from card_server.storage.bulk import Write
from card_server.taps.directory import SchoolFacts
from card_server.webhooks.delivery import DeliveryRow, rows_of
from card_server.webhooks.events import (
    AboutStudent,
    AttendanceEvent,
    MessageEvent,
    MessageSettled,
    TapEvent,
    Tapped,
    TrialEvent,
    Tried,
    changed_day,
)
from schema.messages import Refusal
from schema.tables.attendance import Attendance
from schema.tables.messages import Message, MessageState
from schema.tables.people import Student
from schema.tables.school import Homeroom, School
from schema.tables.webhooks import EventKind, Webhook, WebhookDelivery, split_kinds

SETTLED: Final = frozenset(
    {
        MessageState.ACCEPTED,
        MessageState.DELIVERED,
        MessageState.UNDELIVERED,
        MessageState.FAILED,
        MessageState.UNKNOWN,
    }
)
"""The states of a message that webhooks are told of."""


_TOLD_SCHOOLS: Final = select(Webhook.school_id).where(Webhook.disabled_at.is_(None)).distinct()
"""Few schools have any: this is asked first, and its text never changes."""


class MessageKey(NamedTuple):
    """Which message."""

    school_id: int
    id: UUID


def tell_of_taps(
    session: Session,
    taps: Sequence[PlacedTap],
    refusals: Mapping[UUID, Refusal | None],
    writes: Iterable[Write],
    now: datetime,
) -> list[Write]:
    """What is to be written beside these judged taps and the days that they change."""
    schools = {
        tap.reader.school.id: tap.reader.school for tap in taps if tap.reader.school.webhooks
    }
    taps = [tap for tap in taps if tap.reader.school.id in schools]
    days = [
        day
        for write in writes
        if write.table is Attendance
        for day in write.rows
        if day.school_id in schools
    ]
    students = _students(session, {tap.holder.student_id for tap in taps if tap.holder})
    rows: list[DeliveryRow] = []
    for tap in taps:
        school = tap.reader.school
        if wanting := _who_wants(school, EventKind.TAP):
            student = students.get(tap.holder.student_id) if tap.holder else None
            tapped = _tapped(tap, student, refusals)
            rows += rows_of(school.id, wanting, TapEvent(now, school.code, tapped))
    for day in days:
        school = schools[day.school_id]
        wanting = _who_wants(school, EventKind.ATTENDANCE)
        if wanting and day.student_id in students:
            changed = changed_day(day, students[day.student_id])
            rows += rows_of(school.id, wanting, AttendanceEvent(now, school.code, changed))
    return [Write(WebhookDelivery, rows)]


def tell_of_messages(connection: Connection, keys: Sequence[MessageKey], now: datetime) -> None:
    """Write down that these messages have come to the state that they are in."""
    told = set(connection.scalars(_TOLD_SCHOOLS))
    keys = [key for key in keys if key.school_id in told]
    if not keys:
        return
    found = connection.execute(
        select(
            Message.school_id,
            Message.id,
            Message.kind,
            Message.tap_id,
            Message.state,
            Message.student_id,
            Student.number,
            Student.homeroom_id,
            Homeroom.name,
            School.code,
            Webhook.id.label("webhook_id"),
            Webhook.kinds,
        )
        .join(Webhook, Webhook.school_id == Message.school_id)
        .join(School, School.id == Message.school_id)
        .join(Student, Student.id == Message.student_id)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(
            tuple_(Message.school_id, Message.id).in_(keys),
            Message.state.in_(SETTLED),
            Webhook.disabled_at.is_(None),
        )
    ).all()
    rows: list[DeliveryRow] = []
    for row in found:
        if EventKind.MESSAGE in split_kinds(row.kinds):
            student = AboutStudent(row.student_id, row.number, row.homeroom_id, row.name)
            settled = MessageSettled(row.id, row.kind, row.tap_id, student, row.state)
            event = MessageEvent(now, row.code, settled)
            rows += rows_of(row.school_id, [row.webhook_id], event)
    if rows:
        connection.execute(insert(WebhookDelivery), [msgspec.structs.asdict(row) for row in rows])


def tell_for_trial(session: Session, webhook: Webhook, school: str, now: datetime) -> UUID:
    """Write a test event for one webhook, whatever it wants; the event's id."""
    event = TrialEvent(now, school, Tried(webhook.id))
    [row] = rows_of(webhook.school_id, [webhook.id], event)
    session.execute(insert(WebhookDelivery), [msgspec.structs.asdict(row)])
    return row.id


def _students(session: Session, ids: set[int]) -> dict[int, AboutStudent]:
    """The students by id; asked only for schools that have a webhook."""
    found = session.execute(
        select(Student.id, Student.number, Student.homeroom_id, Homeroom.name)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(Student.id.in_(ids))
    )
    return {row[0]: AboutStudent(*row) for row in found}


def _who_wants(school: SchoolFacts, kind: EventKind) -> list[int]:
    return [webhook.id for webhook in school.webhooks if kind in webhook.kinds]


def _tapped(
    tap: PlacedTap, student: AboutStudent | None, refusals: Mapping[UUID, Refusal | None]
) -> Tapped:
    return Tapped(
        tap.id,
        tap.reader.code,
        student,
        tap.occurred_at,
        tap.received_at,
        tap.clock_suspect,
        tap.is_admitted,
        refusals[tap.id],
        tap.direction,
        tap.effect,
    )

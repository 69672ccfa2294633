"""Events of cards and of students' statuses, written down in the transaction that changes them.

Whoever changes one calls this, and it alone asks whether anybody wants to know. Tables are named,
and not mapped classes: a guard who lends a card reaches no webhook, and it is told all the same.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from card_server.webhooks.delivery import rows_of
from card_server.webhooks.events import (
    AboutStudent,
    CardEvent,
    CardStepped,
    Event,
    StatusChanged,
    StudentEvent,
)
from schema.messages import utc_now
from schema.tables.cards import Card, CardStep
from schema.tables.people import Student, StudentStatus
from schema.tables.school import Homeroom, School
from schema.tables.webhooks import EventKind, Webhook, WebhookDelivery, split_kinds

_AT_ONCE = 500


class DoneStep(NamedTuple):
    """A step of a card that was done; `student_id` is whose it became or was."""

    card: Card
    step: CardStep
    student_id: int | None


class NewStatus(NamedTuple):
    """What a student has become; `before` is None for somebody new."""

    student_id: int
    before: StudentStatus | None
    status: StudentStatus
    on: date


class Listening(NamedTuple):
    """The webhooks of a school that want to know."""

    school: str
    """The school's code."""
    webhooks: list[int]


def tell_of_cards(session: Session, school_id: int, steps: Sequence[DoneStep]) -> None:
    """Write down what was done with these cards, which have their new states."""
    listening = who_listens(session, school_id, EventKind.CARD) if steps else None
    if listening is None:
        return
    owners = [one.student_id for one in steps if one.student_id is not None]
    students, now = read_students(session, owners), utc_now()
    told = [
        CardStepped(
            one.card.id,
            one.card.kind,
            None if one.student_id is None else students.get(one.student_id),
            one.step,
            one.card.state,
            one.card.state_since,
        )
        for one in steps
    ]
    events = [CardEvent(now, listening.school, one) for one in told]
    write_events(session, school_id, listening, events)


def tell_of_statuses(session: Session, school_id: int, changed: Sequence[NewStatus]) -> None:
    """Write down what these students have become; their rows say it already."""
    listening = who_listens(session, school_id, EventKind.STUDENT) if changed else None
    if listening is None:
        return
    students, now = read_students(session, [one.student_id for one in changed]), utc_now()
    told = [
        StatusChanged(students[one.student_id], one.before, one.status, one.on) for one in changed
    ]
    events = [StudentEvent(now, listening.school, one) for one in told]
    write_events(session, school_id, listening, events)


def who_listens(session: Session, school_id: int, kind: EventKind) -> Listening | None:
    """The school's webhooks that want this kind; None where there is none."""
    webhook, school = Webhook.__table__, School.__table__
    found = session.execute(
        select(school.c.code, webhook.c.id, webhook.c.kinds)
        .join(webhook, webhook.c.school_id == school.c.id)
        .where(school.c.id == school_id, webhook.c.disabled_at.is_(None))
        .order_by(webhook.c.id)
    ).all()
    wanting = [row for row in found if kind in split_kinds(row.kinds)]
    return Listening(wanting[0].code, [row.id for row in wanting]) if wanting else None


def read_students(session: Session, ids: Sequence[int]) -> dict[int, AboutStudent]:
    """Whom events are about, by id; who is not on record is missing."""
    student, homeroom = Student.__table__, Homeroom.__table__
    found: dict[int, AboutStudent] = {}
    for at in range(0, len(ids), _AT_ONCE):
        rows = session.execute(
            select(student.c.id, student.c.number, student.c.homeroom_id, homeroom.c.name)
            .join(homeroom, homeroom.c.id == student.c.homeroom_id)
            .where(student.c.id.in_(ids[at : at + _AT_ONCE]))
        )
        found |= {row[0]: AboutStudent(*row) for row in rows}
    return found


def write_events(
    session: Session, school_id: int, listening: Listening, events: Sequence[Event]
) -> None:
    """Write these events for all who listen, in their order."""
    for at in range(0, len(events), _AT_ONCE):
        rows = [
            msgspec.structs.asdict(row)
            for one in events[at : at + _AT_ONCE]
            for row in rows_of(school_id, listening.webhooks, one)
        ]
        session.execute(insert(WebhookDelivery), rows)

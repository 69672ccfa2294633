"""Messages to guardians (消息): what was sent, waits, failed and cost, and what staff decide."""

from datetime import timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import current_app

from card_server.access import (
    actor,
    allow,
    changing_session,
    now,
    school_in_use,
    school_session,
)
from card_server.api import message_shapes as shapes
from card_server.api.cursors import MomentKey, next_address, read_moment, write_moment
from card_server.api.inputs import StudentPath
from card_server.api.message_shapes import (
    CostsQuery,
    Freeing,
    HistoryPart,
    MessageDecision,
    MessagePath,
    MessagesQuery,
    NumberPath,
    Resending,
    Seen,
)
from card_server.api.people_inputs import GuardianPath
from card_server.looks import note_look
from card_server.messages import attention, resending
from card_server.messages.rules import rules_of
from card_server.people.guardians import find_guardian
from card_server.people.students import find_student
from card_server.reports import sending_health
from card_server.reports.message_costs import LONGEST, read_costs, total_of
from card_server.reports.message_failures import list_failures
from card_server.reports.message_history import list_of_guardian, list_of_student
from card_server.reports.message_record import read_message
from card_server.reports.message_waits import list_waiting
from card_server.reports.outbox import OutboxMessage, Wanted, count_states, list_messages
from card_server.school_time import bounds_of, day_of
from card_server.webhooks.outbox import MessageKey
from schema.tables.staff import Role

routes = APIBlueprint("messages", __name__, tag="Messages")
_SEEING = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER)
_ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
_DAYS = timedelta(days=7)


@routes.get("/messages")
@allow(*_SEEING)
@routes.input(MessagesQuery, location="query", arg_name="asked")
@routes.output(shapes.Messages)
def messages(asked: MessagesQuery) -> Any:
    """The messages within the token's reach, newest first by when they changed."""
    wanted = Wanted(
        asked.since, asked.until, asked.state, asked.kind, asked.homeroom, asked.suppression
    )
    with school_session() as session:
        found = list_messages(
            session, school_in_use().id, wanted, read_moment(asked.cursor), asked.limit + 1
        )
    last = MomentKey(found[-2].changed_at, found[-2].id) if len(found) > asked.limit else None
    return {"items": found[: asked.limit], "next": next_address(last and write_moment(last))}


@routes.get("/messages/counts")
@allow(*_SEEING)
@routes.output(shapes.MessageCounts)
def counts() -> Any:
    """How many messages are in each state: today's, and all that wait."""
    at = school_in_use()
    midnight, _ = bounds_of(day_of(now(), at.zone), at.zone)
    with school_session() as session:
        return count_states(session, at.id, midnight)


@routes.get("/messages/failures")
@allow(*_SEEING)
@routes.output(shapes.MessageFailures)
def failures() -> Any:
    """Why messages of the last 7 days did not arrive, counted."""
    with school_session() as session:
        return {"items": list_failures(session, school_in_use().id, now() - _DAYS)}


@routes.get("/messages/waiting")
@allow(*_SEEING)
@routes.output(shapes.MessageWaits)
def waiting() -> Any:
    """What waits to be sent, until when, and why."""
    with school_session() as session:
        return {"items": list_waiting(session, school_in_use().id, now())}


@routes.get("/messages/costs")
@allow(*_ADMINS)
@routes.input(CostsQuery, location="query", arg_name="asked")
@routes.output(shapes.MessageCosts)
def costs(asked: CostsQuery) -> Any:
    """What messages cost over a time, by day, homeroom or kind; of the first 92 days of it."""
    last = asked.last if asked.last - asked.first <= LONGEST else asked.first + LONGEST
    at = school_in_use()
    with school_session() as session:
        found = read_costs(session, at.id, (asked.first, last), asked.by)
        currency = rules_of(session, at.id).currency
    return {"currency": currency, "total": total_of(found), "items": found}


@routes.get("/messages/sending")
@allow(*_ADMINS)
@routes.output(shapes.Sending)
def sending() -> Any:
    """Carriers, limits that were reached, numbers that get nothing, and what must be decided."""
    school_id = school_in_use().id
    with school_session() as session:
        return {
            "stopped_at": rules_of(session, school_id).stopped_at,
            "carriers": sending_health.list_carriers(session, current_app.config["SMS_PROVIDERS"]),
            "limits": sending_health.list_limits(session, school_id, now() - _DAYS),
            "numbers": sending_health.list_numbers(session, school_id),
            "undecided": sending_health.list_undecided(session, school_id),
        }


@routes.post("/messages/limits/seen")
@allow(*_ADMINS)
@routes.input(Seen, arg_name="sent")
@routes.output({}, status_code=204)
def note_limits_seen(sent: Seen) -> Any:
    """Take note of the limits that were reached until then; nobody is alerted of them any more."""
    with changing_session() as session:
        attention.note_limits_seen(session, actor(), school_in_use().id, sent.until)
    return ""


@routes.post("/messages/numbers/<guardian_id>/seen")
@allow(*_ADMINS)
@routes.input(NumberPath, location="path", arg_name="asked")
@routes.output({}, status_code=204)
def note_number_seen(guardian_id: str, asked: NumberPath) -> Any:
    """Take note that nothing goes to a guardian's number."""
    with changing_session() as session:
        attention.note_number_seen(session, actor(), school_in_use().id, asked.guardian_id)
    return ""


@routes.post("/messages/numbers/<guardian_id>/free")
@allow(*_ADMINS)
@routes.input(NumberPath, location="path", arg_name="asked")
@routes.input(Freeing, arg_name="sent")
@routes.output({}, status_code=204)
def free_number(guardian_id: str, asked: NumberPath, sent: Freeing) -> Any:
    """Let messages go to a guardian's number again."""
    with changing_session() as session:
        attention.free_number(session, actor(), school_in_use().id, asked.guardian_id, sent.reason)
    return ""


@routes.get("/messages/<message_id>")
@allow(*_SEEING)
@routes.input(MessagePath, location="path", arg_name="asked")
@routes.output(shapes.MessageRecord)
def message(message_id: str, asked: MessagePath) -> Any:
    """One message with all that became of it."""
    with school_session() as session:
        return read_message(session, school_in_use().id, asked.message_id)


@routes.post("/messages/<message_id>/decision")
@allow(*_ADMINS)
@routes.input(MessagePath, location="path", arg_name="asked")
@routes.input(MessageDecision, arg_name="sent")
@routes.output(shapes.MessageRecord)
def decide(message_id: str, asked: MessagePath, sent: MessageDecision) -> Any:
    """Say of an unclear message whether it arrived."""
    key = MessageKey(school_in_use().id, asked.message_id)
    with changing_session() as session:
        resending.decide(session, actor(), key, sent.reason, now(), has_arrived=sent.has_arrived)
        return read_message(session, *key)


@routes.post("/messages/<message_id>/resend")
@allow(*_ADMINS)
@routes.input(MessagePath, location="path", arg_name="asked")
@routes.input(Resending, arg_name="sent")
@routes.output(shapes.MessageRecord, status_code=201)
def resend(message_id: str, asked: MessagePath, sent: Resending) -> Any:
    """Send a message again that did not arrive; the new one, of which there is one at most."""
    key = MessageKey(school_in_use().id, asked.message_id)
    with changing_session() as session:
        again = resending.resend(
            session, actor(), key, sent.reason, now(), although_stale=sent.although_stale
        )
        return read_message(session, key.school_id, again)


@routes.get("/students/<student_id>/messages")
@allow(*_SEEING)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.input(HistoryPart, location="query", arg_name="part")
@routes.output(shapes.MessageHistory)
def of_student(student_id: str, asked: StudentPath, part: HistoryPart) -> Any:
    """All messages about a student, newest first; the look is noted."""
    school_id = school_in_use().id
    with school_session() as session:
        find_student(session, school_id, asked.student_id)
        found = list_of_student(
            session, school_id, asked.student_id, read_moment(part.cursor), part.limit + 1
        )
    note_look("student.messages_seen", f"student:{asked.student_id}", {})
    return _part(found, part.limit)


@routes.get("/students/<student_id>/guardians/<guardian_id>/messages")
@allow(*_SEEING)
@routes.input(GuardianPath, location="path", arg_name="asked")
@routes.input(HistoryPart, location="query", arg_name="part")
@routes.output(shapes.MessageHistory)
def of_guardian(student_id: str, guardian_id: str, asked: GuardianPath, part: HistoryPart) -> Any:
    """All messages to a guardian about students within reach; the look is noted."""
    school_id = school_in_use().id
    with school_session() as session:
        find_guardian(session, school_id, asked.student_id, asked.guardian_id)
        found = list_of_guardian(
            session, school_id, asked.guardian_id, read_moment(part.cursor), part.limit + 1
        )
    details = {"student": str(asked.student_id)}
    note_look("guardian.messages_seen", f"guardian:{asked.guardian_id}", details)
    return _part(found, part.limit)


def _part(found: list[OutboxMessage], limit: int) -> dict[str, Any]:
    last = MomentKey(found[-2].created_at, found[-2].id) if len(found) > limit else None
    return {"items": found[:limit], "next": next_address(last and write_moment(last))}

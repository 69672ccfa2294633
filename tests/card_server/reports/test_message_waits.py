"""What waits stands once for each reason, whatever kinds of messages wait for it."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session, sessionmaker

from card_server.messages.waiting import WaitReason
from card_server.reports.message_waits import Waiting, list_waiting
from schema.tables.messages import Message, MessageKind, MessageState
from tests.card_server.web.small_school import SmallSchool, add_message

NOW = datetime(2026, 9, 1, 0, 5, tzinfo=UTC)


def test_two_kinds_that_wait_for_the_same_are_one(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    due = {
        MessageKind.ARRIVAL: NOW - timedelta(hours=1),
        MessageKind.LATE: NOW - timedelta(hours=2),
    }
    due[MessageKind.LIBRARY] = NOW - timedelta(hours=3)
    with sessions.begin() as session:
        for student, (kind, at) in enumerate(due.items()):
            add_message(session, school, student, MessageState.QUEUED)
            message = session.get_one(Message, (school.id, school.messages[-1]))
            message.kind, message.due_at, message.created_at = kind, at, at
    with sessions() as session:
        waiting = list_waiting(session, school.id, NOW)
    assert waiting == [Waiting(WaitReason.BEHIND, 3, None, min(due.values()), None)]

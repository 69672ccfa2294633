"""Noting that the caller is shown what is kept on a child."""

from datetime import UTC, date, datetime, timedelta

from flask import request

from card_server.access import actor, changing_session, school_in_use, school_session
from card_server.audit.reading import ActorKey, find_newest
from card_server.audit.writing import Actor, note

SAME_LOOK = timedelta(hours=1)
"""An open page fetches its part again at each tap, a program asks by the minute: one look."""


def note_look(action: str, subject: str, details: dict[str, str]) -> None:
    """Note a look, in a transaction of its own; call it before anything is shown."""
    who = actor()
    repeats_itself = "HX-Request" in request.headers or who.kind == "token"
    if repeats_itself and _is_same_look(who, action, subject, details):
        return
    with changing_session() as session:
        note(session, school_in_use().id, who, action, subject, details=details)


def note_day_look(student_id: int, day: date) -> None:
    """Note that the caller is shown a student's day."""
    note_look("student.day_seen", f"student:{student_id}", {"day": day.isoformat()})


def _is_same_look(who: Actor, action: str, subject: str, details: dict[str, str]) -> bool:
    key = ActorKey(who.kind, who.id)
    with school_session() as session:
        found = find_newest(session, school_in_use().id, key, action, subject)
    if found is None or found.detail is None:
        return False
    is_recent = datetime.now(UTC) - found.entry.at < SAME_LOOK
    return is_recent and found.detail.details == details

"""What happened: taps, and messages to guardians."""

from datetime import UTC, datetime
from typing import Any

from apiflask import APIBlueprint

from card_server.access import allow, school_in_use, school_session
from card_server.api import shapes
from card_server.api.cursors import MomentKey, next_address, read_moment, write_moment
from card_server.api.inputs import MessagesQuery, TapsQuery
from card_server.reports.listings import list_messages, list_taps
from card_server.reports.outbox import count_states
from card_server.school_time import bounds_of, day_of
from schema.tables.staff import Role

routes = APIBlueprint("events", __name__, tag="Events")
_READING_MESSAGES = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER)


@routes.get("/taps")
@allow(
    Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER, Role.LAB_TEACHER, Role.GATE_GUARD
)
@routes.input(TapsQuery, location="query", arg_name="asked")
@routes.output(shapes.Taps)
def taps(asked: TapsQuery) -> Any:
    """The taps within the token's reach, newest first by when they were received."""
    with school_session() as session:
        found = list_taps(
            session,
            school_in_use().id,
            read_moment(asked.cursor),
            asked.since,
            asked.limit + 1,
        )
    last = MomentKey(found[-2].received_at, found[-2].id) if len(found) > asked.limit else None
    return {"items": found[: asked.limit], "next": next_address(last and write_moment(last))}


@routes.get("/messages")
@allow(*_READING_MESSAGES)
@routes.input(MessagesQuery, location="query", arg_name="asked")
@routes.output(shapes.Messages)
def messages(asked: MessagesQuery) -> Any:
    """The messages within the token's reach, newest first by when they changed."""
    with school_session() as session:
        found = list_messages(
            session,
            school_in_use().id,
            read_moment(asked.cursor),
            asked.since,
            asked.state,
            asked.limit + 1,
        )
    last = MomentKey(found[-2].changed_at, found[-2].id) if len(found) > asked.limit else None
    return {"items": found[: asked.limit], "next": next_address(last and write_moment(last))}


@routes.get("/messages/counts")
@allow(*_READING_MESSAGES)
@routes.output(shapes.MessageCounts)
def message_counts() -> Any:
    """How many messages are in each state: today's, and all that wait."""
    at = school_in_use()
    midnight, _ = bounds_of(day_of(datetime.now(UTC), at.zone), at.zone)
    with school_session() as session:
        return count_states(session, at.id, midnight)

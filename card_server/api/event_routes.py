"""What happened: taps."""

from typing import Any

from apiflask import APIBlueprint

from card_server.access import allow, school_in_use, school_session
from card_server.api import shapes
from card_server.api.cursors import MomentKey, next_address, read_moment, write_moment
from card_server.api.inputs import TapsQuery
from card_server.reports.listings import list_taps
from schema.tables.staff import Role

routes = APIBlueprint("events", __name__, tag="Events")


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

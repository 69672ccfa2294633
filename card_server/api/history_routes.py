"""The last changes of one thing that administrators decide."""

from typing import Any

from apiflask import APIBlueprint

from card_server.access import allow, school_in_use, school_session
from card_server.api import admin_shapes as shapes
from card_server.api.inputs import HistoryQuery
from card_server.reports.history import Change, read_history
from schema.tables.staff import Role

routes = APIBlueprint("history", __name__, tag="Settings", url_prefix="/history")


@routes.get("")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
@routes.input(HistoryQuery, location="query", arg_name="asked")
@routes.output(shapes.History)
def history(asked: HistoryQuery) -> Any:
    """Who changed a thing, when, and from what to what; newest first."""
    with school_session() as session:
        found = read_history(session, school_in_use().id, [asked.subject])
    return {"items": [_show(one) for one in found]}


def _show(change: Change) -> dict[str, Any]:
    return {
        "at": change.at,
        "action": change.action,
        "actor": {"kind": change.actor.kind, "id": change.actor.id, "name": change.who},
        "subject": change.subject,
        "values": change.values,
    }

"""The audit log of the token's school."""

from typing import Any

from apiflask import APIBlueprint

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.api import admin_shapes as shapes
from card_server.api.cursors import next_address, read_id, write_id
from card_server.api.inputs import AuditPath, AuditQuery
from card_server.audit.reading import Wanted, open_entry, read_actor_key, read_entries
from card_server.audit.writing import note
from card_server.school_time import bounds_of
from schema.tables.staff import Role

routes = APIBlueprint("audit", __name__, tag="Audit", url_prefix="/audit")
_READERS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.AUDITOR)


@routes.get("")
@allow(*_READERS)
@routes.input(AuditQuery, location="query", arg_name="asked")
@routes.output(shapes.AuditEntries)
def entries(asked: AuditQuery) -> Any:
    """Who did what, newest first."""
    school = school_in_use()
    wanted = Wanted(
        read_actor_key(asked.actor or ""),
        asked.action,
        asked.subject,
        bounds_of(asked.day, school.zone) if asked.day else None,
    )
    before = read_id(asked.cursor) if asked.cursor else None
    with school_session() as session:
        found = read_entries(session, school.id, wanted, before, asked.limit + 1)
    last = write_id(found[-2].seq) if len(found) > asked.limit else None
    items = [
        {
            "seq": one.seq,
            "at": one.at,
            "actor": {"kind": one.actor.kind, "id": one.actor.id, "name": one.name},
            "action": one.action,
            "subject": one.subject,
            "has_detail": one.has_detail,
        }
        for one in found[: asked.limit]
    ]
    return {"items": items, "next": next_address(last)}


@routes.post("/<seq>")
@allow(*_READERS)
@routes.input(AuditPath, location="path", arg_name="asked")
@routes.output(shapes.AuditDetail)
def detail(seq: str, asked: AuditPath) -> Any:
    """An entry's personal part.

    By POST, because the look is noted in the log itself.
    """
    school_id = school_in_use().id
    with changing_session() as session:
        opened = open_entry(session, school_id, asked.seq)
        note(session, school_id, actor(), "audit.detail_seen", f"audit:{asked.seq}")
    found = opened.detail
    return {
        "seq": asked.seq,
        "is_readable": opened.is_readable,
        "name": found and found.name,
        "address": found and found.address,
        "reason": found and found.reason,
        "details": found and found.details,
    }

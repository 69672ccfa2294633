"""Links to the parents' page: sent to one guardian or to many, and ended."""

from typing import Any

from apiflask import APIBlueprint
from flask import current_app

from card_server.access import actor, allow, changing_session, now, school_in_use, school_session
from card_server.api.bodies import named_in_body
from card_server.api.inputs import RowId, SentId, Taken
from card_server.api.people_inputs import GuardianPath
from card_server.api.people_routes import SEEING
from card_server.api.shapes import Shape
from card_server.parents import invitations
from card_server.parents.invitations import Web
from card_server.parents.links import end_links
from card_server.people.guardians import lock_guardian
from card_server.reports.sheet_rooms import find_room, read_rooms

routes = APIBlueprint("parent_links", __name__, tag="Students")


class WhichRoom(Taken):
    """Whom an invitation is for."""

    homeroom_id: RowId | None = None


class NewInvitations(Taken):
    """Whom to invite; everybody within reach where no homeroom is named."""

    homeroom_id: SentId | None = None


class InvitationPlan(Shape):
    """What inviting them would be: at most 500 messages at once."""

    waiting: int
    """Guardians who have not shown whose their number is and were not invited lately."""
    messages: int
    segments: int
    price: int
    """In thousandths of the currency."""
    currency: str


class Invited(Shape):
    """How many links are on their way."""

    messages: int


@routes.post("/students/<student_id>/guardians/<guardian_id>/link")
@allow(*SEEING)
@routes.input(GuardianPath, location="path", arg_name="asked")
@routes.output({}, status_code=204)
def send(student_id: str, guardian_id: str, asked: GuardianPath) -> Any:
    """Send one guardian a link to the parents' page; not twice within ten minutes."""
    school_id = school_in_use().id
    with changing_session() as session:
        invitations.invite_one(
            session, actor(), school_id, asked.student_id, asked.guardian_id, _web(), now()
        )
    return ""


@routes.delete("/students/<student_id>/guardians/<guardian_id>/link")
@allow(*SEEING)
@routes.input(GuardianPath, location="path", arg_name="asked")
@routes.output({}, status_code=204)
def end(student_id: str, guardian_id: str, asked: GuardianPath) -> Any:
    """End a guardian's links, and sign the guardian out on all phones."""
    school_id = school_in_use().id
    with changing_session() as session:
        lock_guardian(session, school_id, asked.student_id, asked.guardian_id)
        end_links(session, actor(), school_id, asked.guardian_id, now())
    return ""


@routes.get("/invitations")
@allow(*SEEING)
@routes.input(WhichRoom, location="query", arg_name="asked")
@routes.output(InvitationPlan)
@routes.doc(responses=[404])
def plan(asked: WhichRoom) -> Any:
    """Whom it would reach to invite a homeroom or everybody, and what it would cost."""
    school_id = school_in_use().id
    with school_session() as session:
        if asked.homeroom_id is not None:
            find_room(read_rooms(session, school_id), asked.homeroom_id)
        found = invitations.plan_invitations(session, school_id, asked.homeroom_id, _web(), now())
    return {
        "waiting": found.waiting,
        "messages": len(found.invitees),
        "segments": found.segments,
        "price": found.price,
        "currency": found.currency,
    }


@routes.post("/invitations")
@allow(*SEEING)
@routes.input(NewInvitations, arg_name="sent")
@routes.output(Invited)
def invite(sent: NewInvitations) -> Any:
    """Send a link to those who have not shown whose their number is."""
    school_id = school_in_use().id
    with changing_session() as session:
        if sent.homeroom_id is not None:
            with named_in_body():
                find_room(read_rooms(session, school_id), sent.homeroom_id)
        messages = invitations.invite_many(
            session, actor(), school_id, sent.homeroom_id, _web(), now()
        )
    return {"messages": messages}


def _web() -> Web:
    found: Web = current_app.extensions["parents_web"]
    return found

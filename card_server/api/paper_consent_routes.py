"""Consents on paper of a homeroom: who has not consented yet, and noting many at once."""

from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import Field

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.api.bodies import named_in_body
from card_server.api.inputs import RowId, SentId, Taken
from card_server.api.people_routes import SEEING
from card_server.api.shapes import Shape
from card_server.messages.paper_consents import list_unconsented, note_consents
from card_server.reports.sheet_rooms import find_room, read_rooms

routes = APIBlueprint("paper_consents", __name__, tag="Messages", url_prefix="/consents")


class WhichHomeroom(Taken):
    """Of which homeroom."""

    homeroom_id: RowId


class PaperConsents(Taken):
    """Signed papers; without `guardian_ids` of everybody but those who withdrew a consent."""

    homeroom_id: SentId
    wording_id: SentId
    guardian_ids: Annotated[list[SentId], Field(max_length=500)] | None = None


class Unconsented(Shape):
    """A guardian who has not consented to be told of a student."""

    guardian_id: int
    guardian: str
    student_id: int
    student: str
    has_withdrawn: bool


class UnconsentedList(Shape):
    """In the order of students."""

    items: list[Unconsented]


class NotedConsents(Shape):
    """How many guardians' consents were noted."""

    guardians: int


@routes.get("")
@allow(*SEEING)
@routes.input(WhichHomeroom, location="query", arg_name="asked")
@routes.output(UnconsentedList)
@routes.doc(responses=[404])
def unconsented(asked: WhichHomeroom) -> Any:
    """Who of a homeroom has not consented yet."""
    school_id = school_in_use().id
    with school_session() as session:
        room = find_room(read_rooms(session, school_id), asked.homeroom_id)
        return {"items": [one._asdict() for one in list_unconsented(session, school_id, room.id)]}


@routes.post("")
@allow(*SEEING)
@routes.input(PaperConsents, arg_name="sent")
@routes.output(NotedConsents)
def note_all(sent: PaperConsents) -> Any:
    """Note consents that the school has on paper."""
    school_id = school_in_use().id
    with changing_session() as session:
        with named_in_body():
            room = find_room(read_rooms(session, school_id), sent.homeroom_id)
            noted = note_consents(
                session, actor(), school_id, room.id, sent.wording_id, sent.guardian_ids
            )
        return {"guardians": noted}

"""The dormitory's roll call (晚点名): an evening as it stands, and calling it."""

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint

from card_server.access import allow, changing_session, now, school_in_use, school_session
from card_server.api import roll_call_shapes as shapes
from card_server.api.roll_call_shapes import RollCallQuery, SentCalls
from card_server.attendance.roll_call import Called, call_roll, evening_of, night_of
from card_server.leave.callers import SEEING, about_days
from card_server.reports.roll_call import RoomRoll, count_rooms, list_boarders
from schema.tables.staff import Role

routes = APIBlueprint("roll_call", __name__, tag="Attendance", url_prefix="/attendance")
_CALLING = (*SEEING, Role.GATE_GUARD)


@routes.get("/roll-call")
@allow(*_CALLING)
@routes.input(RollCallQuery, location="query", arg_name="asked")
@routes.output(shapes.RollCallWhole)
def roll(asked: RollCallQuery) -> Any:
    """Who boards on an evening, and what is said of them; until noon it is still yesterday's."""
    school = school_in_use()
    newest = evening_of(now(), school.zone)
    day = min(asked.day or newest, newest)
    night = night_of(day, school.zone)
    with school_session() as session:
        rooms = count_rooms(session, school.id, day, night)
        found = list_boarders(session, school.id, day, night, homeroom_id=asked.homeroom)
    wanted = [one for one in rooms if asked.homeroom in (None, one.homeroom_id)]
    return {
        "day": day,
        "rooms": [_room(one) for one in wanted],
        "students": [asdict(one) | {"called": one.called} for one in found],
    }


def _room(room: RoomRoll) -> dict[str, Any]:
    numbers = {called.value: room[called] for called in Called}
    return {
        "homeroom_id": room.homeroom_id,
        "homeroom": room.homeroom,
        "boarders": room.boarders,
        **numbers,
    }


@routes.post("/roll-call")
@allow(*_CALLING)
@routes.input(SentCalls, arg_name="sent")
@routes.output(shapes.ChangedCalls)
def call(sent: SentCalls) -> Any:
    """Say who is here and who is missing; it judges no attendance and sends no message."""
    doing = about_days()
    marks = {one.student_id: one.is_here for one in sent.students}
    with changing_session() as session:
        return {"students": call_roll(session, doing, sent.day, marks)}

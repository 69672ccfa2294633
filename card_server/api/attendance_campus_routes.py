"""Who is on campus, evacuations, a homeroom's minute, and what waits for a gate."""

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from card_server.access import (
    actor,
    allow,
    caller,
    changing_session,
    now,
    school_in_use,
    school_session,
)
from card_server.api import attendance_campus_shapes as shapes
from card_server.api.attendance_campus_shapes import (
    CampusFilter,
    CampusQuery,
    CampusSearch,
    EvacuationPath,
    GatePath,
    NewEvacuation,
    SentTicks,
    WithoutGate,
)
from card_server.api.changes import HomeroomPath
from card_server.api.cursors import next_address, read_id, write_id
from card_server.attendance import evacuating
from card_server.attendance.dark_gates import judge_without
from card_server.attendance.evacuating import Tick, Warden
from card_server.leave.callers import SCHOOL, SEEING, is_school
from card_server.people.student_search import MAX_FOUND
from card_server.reports import evacuation as reports
from card_server.reports.held import list_held
from card_server.reports.homeroom_now import read_homeroom_now
from card_server.reports.marked_list import count_marked, list_marked
from card_server.reports.on_campus import (
    BOARDS_ASKED,
    Boards,
    Part,
    Wanted,
    count_inside,
    list_by_id,
    list_inside,
    list_unsure,
    list_unsure_by_id,
    read_counts,
)
from card_server.reports.waiting import read_waiting
from schema.tables.evacuation import Evacuation
from schema.tables.staff import Role

routes = APIBlueprint("campus", __name__, tag="Attendance")
_ON_CAMPUS = (*SEEING, Role.SUBJECT_TEACHER, Role.GATE_GUARD)
_TAKING_PART = tuple(role for role in Role if role is not Role.AUDITOR)
_MOST_LISTED = 200


@routes.get("/attendance/campus")
@allow(*_ON_CAMPUS)
@routes.input(CampusQuery, location="query", arg_name="asked")
@routes.output(shapes.OnCampus)
def campus(asked: CampusQuery) -> Any:
    """Who is on campus now, or counts as gone unseen, by id, and how fresh each gate is."""
    school_id, moment = school_in_use().id, now()
    wanted = _wanted(asked)
    with school_session() as session:
        counts = read_counts(session, school_id, moment)
        unseen = count_inside(session, school_id, Wanted(boards=Boards.UNSEEN), moment)
        after = read_id(asked.cursor)
        if asked.show == "marked":
            listed = list_marked(session, school_id, wanted, moment)
            beyond = (one for one in listed if one.student_id > after)
            found = sorted(beyond, key=lambda one: one.student_id)[: asked.limit + 1]
        else:
            list_them = list_unsure_by_id if asked.show == "unsure" else list_by_id
            found = list_them(session, school_id, wanted, moment, after, asked.limit + 1)
        marked = count_marked(session, school_id, moment)
    shown = found[: asked.limit]
    is_last = len(found) == len(shown)
    gates = [
        {
            "reader_id": one.reader_id,
            "name": one.name,
            "delivered_to": one.delivered_to,
            "inside": counts.by_gate.get(one.reader_id, 0),
            "is_old": one.is_old(moment),
        }
        for one in counts.gates
    ]
    return {
        "inside": counts.inside,
        "unsure": counts.unsure,
        "marked": marked,
        "unseen": unseen,
        "gates": gates,
        "rooms": counts.rooms,
        "items": shown,
        "next": next_address(None if is_last else write_id(shown[-1].student_id)),
    }


@routes.post("/attendance/campus/search")
@allow(*_ON_CAMPUS)
@routes.input(CampusSearch, arg_name="asked")
@routes.output(shapes.FoundOnCampus)
def find(asked: CampusSearch) -> Any:
    """Those on campus who answer to a name, its pinyin or a student number.

    By POST, because a name must not stand in an address.
    """
    school_id, moment = school_in_use().id, now()
    wanted = _wanted(asked, asked.words)
    with school_session() as session:
        if asked.show == "marked":
            found = list_marked(session, school_id, wanted, moment)[:MAX_FOUND]
        elif asked.show == "unsure":
            found = list_unsure(session, school_id, wanted, moment)[:MAX_FOUND]
        else:
            found = list_inside(session, school_id, wanted, moment, Part(limit=MAX_FOUND))
    return {"items": found}


def _wanted(asked: CampusFilter, words: str = "") -> Wanted:
    boards = BOARDS_ASKED.get(asked.boarding or "")
    is_on_leave = {"yes": True, "no": False}.get(asked.leave or "")
    return Wanted(asked.homeroom, asked.gate, boards, is_on_leave, words)


@routes.get("/gate/held")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.GATE_GUARD)
@routes.output(shapes.HeldExits)
def held() -> Any:
    """Who was held at a gate today, at which reader, whom to call, and how it ended so far."""
    school = school_in_use()
    with school_session() as session:
        return {"items": list_held(session, school.id, school.zone, now())}


@routes.get("/attendance/evacuations")
@allow(*_TAKING_PART)
@routes.output(shapes.EvacuationList)
def evacuations() -> Any:
    """All evacuations and drills."""
    with school_session() as session:
        return {"items": reports.list_evacuations(session, school_in_use().id, _MOST_LISTED)}


@routes.post("/attendance/evacuations")
@allow(*_TAKING_PART)
@routes.input(NewEvacuation, arg_name="sent")
@routes.output(shapes.EvacuationWhole, status_code=201)
def start(sent: NewEvacuation) -> Any:
    """Begin one: the list is frozen with everybody on campus now."""
    doing = _warden()
    with changing_session() as session:
        return _whole(session, evacuating.start(session, doing, sent.reason))


@routes.get("/attendance/evacuations/<evacuation_id>")
@allow(*_TAKING_PART)
@routes.input(EvacuationPath, location="path", arg_name="asked")
@routes.output(shapes.EvacuationWhole)
def evacuation(evacuation_id: str, asked: EvacuationPath) -> Any:
    """One evacuation as it stands."""
    with school_session() as session:
        row = reports.find_evacuation(session, school_in_use().id, asked.evacuation_id)
        return _whole(session, row)


@routes.post("/attendance/evacuations/<evacuation_id>/ticks")
@allow(*_TAKING_PART)
@routes.input(EvacuationPath, location="path", arg_name="asked")
@routes.input(SentTicks, arg_name="sent")
@routes.output(shapes.Ticked)
def mark(evacuation_id: str, asked: EvacuationPath, sent: SentTicks) -> Any:
    """Tick students off, on the list or not, or take it back; who is beyond reach is left out."""
    doing = _warden()
    ticks = [Tick(one.student_id, one.is_found, one.age_s) for one in sent.ticks]
    with changing_session() as session:
        return {"students": evacuating.mark(session, doing, asked.evacuation_id, ticks)}


@routes.post("/attendance/evacuations/<evacuation_id>/end")
@allow(*_TAKING_PART)
@routes.input(EvacuationPath, location="path", arg_name="asked")
@routes.output(shapes.EvacuationWhole)
def end(evacuation_id: str, asked: EvacuationPath) -> Any:
    """End it: by whoever began it, or for the school."""
    doing = _warden()
    with changing_session() as session:
        return _whole(session, evacuating.end(session, doing, asked.evacuation_id))


@routes.get("/attendance/homerooms/<homeroom_id>/now")
@allow(*SEEING)
@routes.input(HomeroomPath, location="path", arg_name="asked")
@routes.output(shapes.HomeroomNow)
def homeroom_now(homeroom_id: str, asked: HomeroomPath) -> Any:
    """A homeroom's students in the session that goes on."""
    with school_session() as session:
        return read_homeroom_now(session, school_in_use(), asked.homeroom_id, now())


@routes.get("/attendance/waiting")
@allow(*SEEING)
@routes.output(shapes.WaitingReport)
def waiting() -> Any:
    """What is not judged though its time has come, and for which gates it waits."""
    with school_session() as session:
        return read_waiting(session, school_in_use().id, now())


@routes.post("/attendance/waiting/<reader_id>")
@allow(*SCHOOL)
@routes.input(GatePath, location="path", arg_name="asked")
@routes.input(WithoutGate, arg_name="sent")
@routes.output(shapes.LeftOutGate, status_code=201)
def leave_out(reader_id: str, asked: GatePath, sent: WithoutGate) -> Any:
    """Judge a day without a gate; its taps mend the day when they come."""
    school_id = school_in_use().id
    with changing_session() as session:
        return judge_without(
            session, actor(), school_id, sent.day, asked.reader_id, sent.reason, now()
        )


def _warden() -> Warden:
    return Warden(actor(), caller().staff_id, school_in_use().id, now(), is_school())


def _whole(session: Session, row: Evacuation) -> dict[str, Any]:
    people = reports.list_people(session, row)
    return {
        "id": row.id,
        "reason": row.reason,
        "started_at": row.started_at,
        "started_by": row.started_by,
        "ended_at": row.ended_at,
        "ended_by": row.ended_by,
        "rooms": reports.read_progress(session, row),
        "people": [asdict(one) | {"is_missing": one.is_missing} for one in people],
    }

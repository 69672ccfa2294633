"""Today's students by name: absent, not judged and why, late, left early, on leave."""

from typing import Any

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from card_server.access import allow, now, school_in_use, school_session
from card_server.api import today_shapes as shapes
from card_server.api.cursors import next_address, read_id, write_id
from card_server.api.today_shapes import TodayQuery, TodaySearch
from card_server.people.student_search import MAX_FOUND
from card_server.reports.board import time_of
from card_server.reports.on_campus import Part
from card_server.reports.today_list import (
    Today,
    TodayWanted,
    count_today,
    list_today,
    list_today_by_id,
    read_today,
)
from card_server.school_time import day_of
from schema.tables.staff import Role

routes = APIBlueprint("today", __name__, tag="School", url_prefix="/board/students")
_SEEING = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER)


@routes.get("")
@allow(*_SEEING)
@routes.input(TodayQuery, location="query", arg_name="asked")
@routes.output(shapes.TodayStudents)
def students(asked: TodayQuery) -> Any:
    """Who is absent, not judged, late, on leave or has left early today, by id."""
    wanted = TodayWanted(asked.status, asked.grade, asked.homeroom)
    with school_session() as session:
        today = _today(session)
        counts = count_today(session, today, wanted)
        after = read_id(asked.cursor)
        found = list_today_by_id(session, today, wanted, after, asked.limit + 1)
    shown = found[: asked.limit]
    is_last = len(found) == len(shown)
    return {
        "counts": {"students": counts.students, **counts.of},
        "items": shown,
        "next": next_address(None if is_last else write_id(shown[-1].id)),
    }


@routes.post("/search")
@allow(*_SEEING)
@routes.input(TodaySearch, arg_name="asked")
@routes.output(shapes.FoundToday)
def search(asked: TodaySearch) -> Any:
    """Those of them who answer to a name, its pinyin or a student number.

    By POST, because a name must not stand in an address.
    """
    wanted = TodayWanted(asked.status, asked.grade, asked.homeroom, asked.words)
    with school_session() as session:
        return {"items": list_today(session, _today(session), wanted, Part(limit=MAX_FOUND))}


def _today(session: Session) -> Today:
    school, moment = school_in_use(), now()
    return read_today(session, school, time_of(day_of(moment, school.zone), moment, school.zone))

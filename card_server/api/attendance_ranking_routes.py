"""Rankings of homerooms and students (考勤统计), and findings (异常)."""

from datetime import date, timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import request, url_for

from card_server.access import (
    actor,
    allow,
    changing_session,
    now,
    school_in_use,
    school_session,
)
from card_server.api import attendance_ranking_shapes as shapes
from card_server.api.attendance_ranking_shapes import (
    FindingKey,
    FindingsQuery,
    FindingsSearch,
    RankingQuery,
    StudentRankingQuery,
    StudentRankingSearch,
)
from card_server.api.bodies import named_in_body
from card_server.attendance.looking import look_at, take_back
from card_server.leave.callers import SEEING
from card_server.people.student_search import MAX_FOUND
from card_server.reports.findings import Asked, read_findings
from card_server.reports.rankings import read_ranking
from card_server.reports.student_ranking import Wanted, count_lines, list_lines
from card_server.school_time import day_of
from schema.tables.staff import Role

routes = APIBlueprint("rankings", __name__, tag="Attendance", url_prefix="/attendance")
_LONGEST = timedelta(days=366)
_LONGEST_FINDINGS = timedelta(days=31)
_USUAL = timedelta(days=6)


@routes.get("/homerooms")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER)
@routes.input(RankingQuery, location="query", arg_name="asked")
@routes.output(shapes.Ranking)
def homerooms(asked: RankingQuery) -> Any:
    """Homerooms over a time: rates, counts, conduct points, ranks; by grade and by week."""
    last = _cut(asked.first, asked.last, _LONGEST)
    with school_session() as session:
        return read_ranking(
            session, school_in_use().id, asked.first, last, asked.grade, asked.homeroom
        )


@routes.get("/students")
@allow(*SEEING)
@routes.input(StudentRankingQuery, location="query", arg_name="asked")
@routes.output(shapes.StudentLines)
def students(asked: StudentRankingQuery) -> Any:
    """Students by how often they were late, left early, were absent or on leave over a time."""
    wanted = Wanted(
        asked.first, _cut(asked.first, asked.last, _LONGEST), asked.grade, asked.homeroom
    )
    school_id, begin = school_in_use().id, (asked.page - 1) * asked.limit
    with school_session() as session:
        total = count_lines(session, school_id, wanted)
        found = list_lines(session, school_id, wanted, asked.sort, begin, asked.limit)
    has_more = begin + len(found) < total and bool(found)
    return {"total": total, "items": found, "next": _next(asked.page) if has_more else None}


def _next(page: int) -> str:
    asked: dict[str, Any] = {**request.args, "page": page + 1}
    return url_for(str(request.endpoint), **asked)


@routes.post("/students/search")
@allow(*SEEING)
@routes.input(StudentRankingSearch, arg_name="asked")
@routes.output(shapes.FoundLines)
def find_students(asked: StudentRankingSearch) -> Any:
    """The same of those who answer to a name, its pinyin or a student number.

    By POST, because a name must not stand in an address.
    """
    last = _cut(asked.first, asked.last, _LONGEST)
    wanted = Wanted(asked.first, last, asked.grade, asked.homeroom, asked.words)
    with school_session() as session:
        found = list_lines(session, school_in_use().id, wanted, asked.sort, 0, MAX_FOUND)
    return {"items": found}


@routes.get("/findings")
@allow(*SEEING)
@routes.input(FindingsQuery, location="query", arg_name="asked")
@routes.output(shapes.Findings)
def findings(asked: FindingsQuery) -> Any:
    """What is odd about students' days and cards, the newest first."""
    return _find(asked, "")


@routes.post("/findings/search")
@allow(*SEEING)
@routes.input(FindingsSearch, arg_name="asked")
@routes.output(shapes.Findings)
def search_findings(asked: FindingsSearch) -> Any:
    """The same of those who answer to a name, its pinyin or a student number.

    By POST, because a name must not stand in an address.
    """
    return _find(asked, asked.words)


def _find(asked: FindingsQuery | FindingsSearch, words: str) -> dict[str, Any]:
    school = school_in_use()
    last = asked.last or day_of(now(), school.zone)
    first = asked.first or last - _USUAL
    wanted = Asked(
        first,
        _cut(first, last, _LONGEST_FINDINGS),
        asked.kind,
        asked.grade,
        asked.homeroom,
        words,
        asked.looked_at == "yes",
    )
    with school_session() as session:
        return {"items": read_findings(session, school.id, school.zone, wanted)}


@routes.post("/findings/look")
@allow(*SEEING)
@routes.input(FindingKey, arg_name="sent")
@routes.output({}, status_code=204)
def look(sent: FindingKey) -> Any:
    """Note that a finding was looked at: it stands among the open ones no more."""
    with named_in_body(), changing_session() as session:
        look_at(session, actor(), school_in_use().id, sent.key, now())
    return ""


@routes.post("/findings/reopen")
@allow(*SEEING)
@routes.input(FindingKey, arg_name="sent")
@routes.output({}, status_code=204)
def reopen(sent: FindingKey) -> Any:
    """Put a finding back among the open ones."""
    with named_in_body(), changing_session() as session:
        take_back(session, actor(), school_in_use().id, sent.key)
    return ""


def _cut(first: date, last: date, longest: timedelta) -> date:
    """The last day, or the longest there may be from the first one on."""
    return last if last - first <= longest else first + longest

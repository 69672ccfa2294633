"""The sheets of attendance (考勤表): a homeroom's day and month, a student's term."""

from typing import Any

from apiflask import APIBlueprint

from card_server.access import allow, now, school_in_use, school_session
from card_server.api import attendance_sheet_shapes as shapes
from card_server.api.attendance_sheet_shapes import MonthQuery, SheetQuery, TermQuery
from card_server.api.changes import HomeroomPath
from card_server.api.inputs import StudentPath
from card_server.leave.callers import SEEING
from card_server.looks import note_look
from card_server.reports.day_plans import is_school_day
from card_server.reports.homeroom_month import MonthLine, read_homeroom_month
from card_server.reports.homeroom_sheet import SheetLine, read_homeroom_sheet
from card_server.reports.student_term import Seen, TermDay, read_seen, read_student_term
from card_server.school_time import day_of

routes = APIBlueprint("sheets", __name__, tag="Attendance", url_prefix="/attendance")


@routes.get("/homerooms/<homeroom_id>/day")
@allow(*SEEING)
@routes.input(HomeroomPath, location="path", arg_name="path")
@routes.input(SheetQuery, location="query", arg_name="asked")
@routes.output(shapes.HomeroomDay)
def homeroom_day(homeroom_id: str, path: HomeroomPath, asked: SheetQuery) -> Any:
    """Each student of a homeroom and each session of a day."""
    school = school_in_use()
    today = day_of(now(), school.zone)
    with school_session() as session:
        day = min(asked.day or today, today)
        sheet = read_homeroom_sheet(session, school, path.homeroom_id, day)
    return {
        "homeroom_id": sheet.room.id,
        "homeroom": sheet.room.name,
        "day": sheet.day,
        "kind": sheet.plan.kind if sheet.plan else None,
        "note": sheet.plan.note if sheet.plan else "",
        "is_unsure": sheet.plan.is_unsure if sheet.plan else False,
        "sessions": sheet.sessions,
        "students": [_sheet_line(one) for one in sheet.lines],
    }


def _sheet_line(line: SheetLine) -> dict[str, Any]:
    return {
        "student_id": line.student_id,
        "number": line.number,
        "name": line.name,
        "arrived_at": line.arrived_at,
        "departed_at": line.departed_at,
        "late_minutes": line.late_minutes,
        "early_minutes": line.early_minutes,
        "sessions": list(line.results.values()),
        "findings": line.findings,
        "corrections": line.corrections,
        "notes": line.notes,
    }


@routes.get("/homerooms/<homeroom_id>/month")
@allow(*SEEING)
@routes.input(HomeroomPath, location="path", arg_name="path")
@routes.input(MonthQuery, location="query", arg_name="asked")
@routes.output(shapes.HomeroomMonth)
def homeroom_month(homeroom_id: str, path: HomeroomPath, asked: MonthQuery) -> Any:
    """Each student of a homeroom and each day of a month, with the totals of both."""
    school = school_in_use()
    first = asked.month or day_of(now(), school.zone).replace(day=1)
    with school_session() as session:
        month = read_homeroom_month(session, school, path.homeroom_id, first)
    return {
        "homeroom_id": month.room.id,
        "homeroom": month.room.name,
        "month": f"{month.month:%Y-%m}",
        "days": [
            {
                "day": one.day,
                "kind": one.plan.kind,
                "is_closed": one.is_closed,
                "note": one.plan.note,
                "totals": one.totals,
            }
            for one in month.days
        ],
        "students": [_grid_line(one) for one in month.lines],
        "totals": month.totals,
    }


def _grid_line(line: MonthLine) -> dict[str, Any]:
    return {
        "student_id": line.student_id,
        "number": line.number,
        "name": line.name,
        "days": [{"day": day, "sessions": results} for day, results in line.days.items()],
        "elsewhere": sorted(line.elsewhere),
        "totals": line.totals,
    }


@routes.get("/students/<student_id>/term")
@allow(*SEEING)
@routes.input(StudentPath, location="path", arg_name="path")
@routes.input(TermQuery, location="query", arg_name="asked")
@routes.output(shapes.StudentTerm)
def student_term(student_id: str, path: StudentPath, asked: TermQuery) -> Any:
    """A student's term: days, taps, leave, corrections and notes; the look is noted."""
    school = school_in_use()
    today = day_of(now(), school.zone)
    with school_session() as session:
        found = read_student_term(session, school, path.student_id, asked.term, today, today)
        days = [one for one in found.days if one.is_worth_a_line]
        seen = (
            read_seen(session, school, path.student_id, days[0].day, days[-1].day) if days else {}
        )
        total = found.total
        term_id = found.term.id if found.term else None
        shown = {
            "student_id": found.student_id,
            "number": found.number,
            "name": found.name,
            "homeroom": found.homeroom,
            "term_id": term_id,
            "days": [_term_day(one, seen[one.day]) for one in days],
            "slips": found.slips,
            "school_days": total.school_days,
            "present": total.present,
            "not_judged": total.not_judged,
            "totals": total.totals,
        }
    details = {"term": str(term_id)} if term_id else {}
    note_look("student.term_seen", f"student:{path.student_id}", details)
    return shown


def _term_day(one: TermDay, seen: Seen) -> dict[str, Any]:
    return {
        "day": one.day,
        "kind": one.plan.kind if one.plan else None,
        "note": one.plan.note if one.plan else "",
        "is_school_day": is_school_day(one.plan),
        "arrived_at": one.arrived_at,
        "departed_at": one.departed_at,
        "late_minutes": one.late_minutes,
        "early_minutes": one.early_minutes,
        "sessions": one.results,
        "findings": one.findings,
        "taps": seen.taps,
        "passages": seen.passages,
        "corrections": one.corrections,
        "notes": one.notes,
    }

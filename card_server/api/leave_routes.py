"""Leave slips (请假条): the list, one, asking, and each step."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from card_server.access import allow, changing_session, school_in_use, school_session
from card_server.api import leave_shapes as shapes
from card_server.api.cursors import next_address, read_id, write_id
from card_server.api.inputs import MAX_ITEMS, StudentPath
from card_server.api.leave_shapes import (
    Approval,
    CameBack,
    Decided,
    NewSlip,
    SlipPath,
    SlipsQuery,
    SlipsSearch,
)
from card_server.api.matching import if_match, lock_and_match
from card_server.api.people_routes import seal
from card_server.errors import AppError, Code
from card_server.leave import register
from card_server.leave import slips as rules
from card_server.leave.callers import SEEING, about_leave
from card_server.leave.lists import read_slip
from card_server.leave.wishes import read_end, read_wish
from card_server.looks import note_look
from card_server.people.students import find_student
from card_server.words.leave import overlap_sentence
from schema.tables.leave import LeaveSlip

routes = APIBlueprint("leave", __name__, tag="Attendance")


@routes.get("/leave")
@allow(*SEEING)
@routes.input(SlipsQuery, location="query", arg_name="asked")
@routes.output(shapes.LeaveSlips)
def leave_slips(asked: SlipsQuery) -> Any:
    """The leave slips within the token's reach, by id."""
    school = school_in_use()
    wanted = _wanted(asked, school.zone, asked.student)
    with school_session() as session:
        after = read_id(asked.cursor)
        found = register.slips_after(session, school.id, wanted, after, asked.limit + 1)
    shown = found[: asked.limit]
    is_last = len(found) == len(shown)
    return {"items": shown, "next": next_address(None if is_last else write_id(shown[-1].id))}


@routes.post("/leave/search")
@allow(*SEEING)
@routes.input(SlipsSearch, arg_name="asked")
@routes.output(shapes.FoundSlips)
def find_slips(asked: SlipsSearch) -> Any:
    """The same of those who answer to a name, its pinyin or a student number.

    By POST, because a name must not stand in an address. 200 slips at most.
    """
    school = school_in_use()
    wanted = _wanted(asked, school.zone, words=asked.words)
    with school_session() as session:
        found, _ = register.list_counted(session, school.id, wanted, "-from", 0, MAX_ITEMS)
    return {"items": found}


def _wanted(
    asked: SlipsQuery | SlipsSearch, zone: ZoneInfo, student_id: int | None = None, words: str = ""
) -> register.Wanted:
    return register.Wanted(
        *register.moments_of(asked.first, asked.last, zone),
        asked.homeroom,
        asked.grade,
        asked.kind,
        asked.state,
        student_id,
        words,
    )


@routes.post("/students/<student_id>/leave")
@allow(*SEEING)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.input(NewSlip, arg_name="sent")
@routes.output(shapes.LeaveSlipWhole, status_code=201)
def ask(student_id: str, asked: StudentPath, sent: NewSlip) -> Any:
    """Ask for leave for a student; it counts when it is approved."""
    doing = about_leave()
    with changing_session() as session:
        find_student(session, doing.school_id, asked.student_id)
        wish = read_wish(_typed(sent), doing.zone, doing.now)
        try:
            made = rules.ask(session, doing, asked.student_id, wish, seal())
        except rules.OverlapError as error:
            raise _overlap(error, doing) from error
        return _whole(session, made)


@routes.get("/leave/<slip_id>")
@allow(*SEEING)
@routes.input(SlipPath, location="path", arg_name="asked")
@routes.output(shapes.LeaveSlipWhole)
def leave_slip(slip_id: str, asked: SlipPath) -> Any:
    """One leave slip with its reason; the look is noted."""
    with school_session() as session:
        row = rules.find_slip(session, school_in_use().id, asked.slip_id)
        found = _whole(session, row)
    note_look("leave.seen", f"student:{found['student_id']}", {"slip": str(asked.slip_id)})
    return found


@routes.post("/leave/<slip_id>/approve")
@allow(*SEEING)
@if_match
@routes.input(SlipPath, location="path", arg_name="asked")
@routes.input(Approval, location="query", arg_name="said")
@routes.output(shapes.LeaveSlipWhole)
def approve(slip_id: str, asked: SlipPath, said: Approval) -> Any:
    """Approve it: for the homeroom, or for the school, which is always enough."""
    doing = about_leave()
    lets_out = None if said.lets_out is None else said.lets_out == "yes"
    return _step(
        asked, lambda session: rules.approve(session, doing, asked.slip_id, lets_out=lets_out)
    )


@routes.post("/leave/<slip_id>/refuse")
@allow(*SEEING)
@if_match
@routes.input(SlipPath, location="path", arg_name="asked")
@routes.input(Decided, arg_name="sent")
@routes.output(shapes.LeaveSlipWhole)
def refuse(slip_id: str, asked: SlipPath, sent: Decided) -> Any:
    """Refuse it."""
    doing = about_leave()
    return _step(asked, lambda session: rules.refuse(session, doing, asked.slip_id, sent.reason))


@routes.post("/leave/<slip_id>/withdraw")
@allow(*SEEING)
@if_match
@routes.input(SlipPath, location="path", arg_name="asked")
@routes.input(Decided, arg_name="sent")
@routes.output(shapes.LeaveSlipWhole)
def withdraw(slip_id: str, asked: SlipPath, sent: Decided) -> Any:
    """Take it back, approved or not."""
    doing = about_leave()
    return _step(asked, lambda session: rules.withdraw(session, doing, asked.slip_id, sent.reason))


@routes.post("/leave/<slip_id>/shorten")
@allow(*SEEING)
@if_match
@routes.input(SlipPath, location="path", arg_name="asked")
@routes.input(CameBack, arg_name="sent")
@routes.output(shapes.LeaveSlipWhole)
def shorten(slip_id: str, asked: SlipPath, sent: CameBack) -> Any:
    """The student came back early: approved leave ends there."""
    doing = about_leave()
    end = read_end(_typed(sent), doing.zone)
    return _step(
        asked, lambda session: rules.shorten(session, doing, asked.slip_id, end, sent.reason)
    )


def _step(asked: SlipPath, change: Callable[[Session], LeaveSlip]) -> dict[str, Any]:
    with changing_session() as session:
        row = rules.find_slip(session, school_in_use().id, asked.slip_id)
        lock_and_match(session, shapes.LeaveSlipWhole, row, lambda one: _whole(session, one))
        return _whole(session, change(session))


def _whole(session: Session, row: LeaveSlip) -> dict[str, Any]:
    session.flush()
    found = read_slip(session, row.school_id, row.id)
    if found is None:
        raise AppError(Code.NOT_FOUND, "There is no such leave slip.")
    return asdict(found) | {"reason": seal().open(row.reason_sealed)}


def _typed(sent: NewSlip | CameBack) -> dict[str, str]:
    """What was sent, as a form has it."""
    found = sent.model_dump(mode="json", exclude_none=True)
    return {name: "1" if value is True else str(value or "") for name, value in found.items()}


def _overlap(error: rules.OverlapError, doing: rules.Doing) -> AppError:
    said = overlap_sentence(error.from_at, error.until_at, doing.zone)
    return AppError(Code.CONFLICT, said)

"""What staff say of students' days (更正): corrections, notes, exemptions, passages by hand."""

from datetime import timedelta
from typing import Any

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from card_server.access import (
    actor,
    allow,
    changing_session,
    now,
    school_in_use,
    school_session,
)
from card_server.api import correction_shapes as shapes
from card_server.api.changes import HomeroomPath
from card_server.api.correction_shapes import (
    CorrectionPath,
    DayNotePath,
    EndedMarking,
    ExemptionPath,
    ExpectedAgain,
    NewCorrection,
    NewDayNote,
    NewExemption,
    NewPassage,
    PassagePath,
    PassagesQuery,
    WholeHomeroom,
)
from card_server.api.inputs import StudentDayPath, StudentPath
from card_server.attendance import correcting, exempting, noting_passages
from card_server.attendance.corrections import list_corrections
from card_server.attendance.day_notes import (
    list_day_notes,
    note_day,
    read_note,
    take_note_back,
)
from card_server.attendance.exemptions import list_exemptions
from card_server.attendance.hand_passages import PassageLine, list_passages
from card_server.attendance.markings import end_marking
from card_server.attendance.whole_homeroom import mark_homeroom
from card_server.leave.callers import SCHOOL, SEEING, about_days, at_gate
from card_server.looks import note_day_look
from card_server.people.students import find_student
from schema.tables.staff import Role

routes = APIBlueprint("corrections", __name__, tag="Attendance")
_AT_GATE = (*SCHOOL, Role.GATE_GUARD)
_LIST_TIME = timedelta(hours=24)


@routes.get("/students/<student_id>/days/<day>/corrections")
@allow(*SEEING)
@routes.input(StudentDayPath, location="path", arg_name="asked")
@routes.output(shapes.Corrections)
def corrections(student_id: str, day: str, asked: StudentDayPath) -> Any:
    """All that staff ever said of a student's day; the look is noted."""
    school_id = school_in_use().id
    with school_session() as session:
        find_student(session, school_id, asked.student_id)
        found = list_corrections(session, school_id, asked.student_id, asked.day)
    note_day_look(asked.student_id, asked.day)
    return {"items": found}


@routes.post("/students/<student_id>/corrections")
@allow(*SEEING)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.input(NewCorrection, arg_name="sent")
@routes.output(shapes.Correction, status_code=201)
def correct(student_id: str, asked: StudentPath, sent: NewCorrection) -> Any:
    """Say what a session of a student's day was; what was said of it before is ended."""
    doing = about_days()
    typed = {
        "position": str(sent.position),
        "status": sent.status.value,
        "leave_kind": sent.leave_kind.value if sent.leave_kind else "",
        "minutes": str(sent.minutes or ""),
        "reason": sent.reason,
    }
    with changing_session() as session:
        find_student(session, doing.school_id, asked.student_id)
        mark = correcting.read_mark(typed)
        return correcting.correct(session, doing, asked.student_id, sent.day, mark)


@routes.post("/corrections/<correction_id>/end")
@allow(*SEEING)
@routes.input(CorrectionPath, location="path", arg_name="asked")
@routes.output(shapes.Correction)
def end(correction_id: str, asked: CorrectionPath) -> Any:
    """Take a correction back: the taps decide again."""
    doing = about_days()
    with changing_session() as session:
        return correcting.end_correction(session, doing, asked.correction_id)


@routes.post("/homerooms/<homeroom_id>/corrections")
@allow(*SEEING)
@routes.input(HomeroomPath, location="path", arg_name="asked")
@routes.input(WholeHomeroom, arg_name="sent")
@routes.output(shapes.MarkedHomeroom)
def send_homeroom(homeroom_id: str, asked: HomeroomPath, sent: WholeHomeroom) -> Any:
    """All of a homeroom who were absent or not judged were there."""
    doing = about_days()
    with changing_session() as session:
        return mark_homeroom(
            session, doing, asked.homeroom_id, sent.day, sent.position, sent.reason
        )


@routes.post("/homerooms/<homeroom_id>/corrections/end")
@allow(*SEEING)
@routes.input(HomeroomPath, location="path", arg_name="asked")
@routes.input(EndedMarking, arg_name="sent")
@routes.output(shapes.EndedStudents)
def end_homeroom(homeroom_id: str, asked: HomeroomPath, sent: EndedMarking) -> Any:
    """Take back all that still stands of one such marking: the taps decide again."""
    doing = about_days()
    with changing_session() as session:
        count = end_marking(session, doing, asked.homeroom_id, sent.day, sent.marking_id)
    return {"students": count}


@routes.get("/students/<student_id>/days/<day>/notes")
@allow(*SEEING)
@routes.input(StudentDayPath, location="path", arg_name="asked")
@routes.output(shapes.DayNotes)
def day_notes(student_id: str, day: str, asked: StudentDayPath) -> Any:
    """All that staff ever noted of a student's day; the look is noted."""
    school_id, key = school_in_use().id, (asked.student_id, asked.day)
    with school_session() as session:
        find_student(session, school_id, asked.student_id)
        found = list_day_notes(session, school_id, [asked.student_id], asked.day, asked.day)
    note_day_look(asked.student_id, asked.day)
    return {"items": found.get(key, [])}


@routes.post("/students/<student_id>/days/<day>/notes")
@allow(*SEEING)
@routes.input(StudentDayPath, location="path", arg_name="asked")
@routes.input(NewDayNote, arg_name="sent")
@routes.output(shapes.DayNote, status_code=201)
def write_day_note(student_id: str, day: str, asked: StudentDayPath, sent: NewDayNote) -> Any:
    """Note something beside a student's day; its status stays what it is."""
    doing = about_days()
    with changing_session() as session:
        find_student(session, doing.school_id, asked.student_id)
        return note_day(session, doing, asked.student_id, asked.day, read_note(sent.body))


@routes.post("/day-notes/<day_note_id>/end")
@allow(*SEEING)
@routes.input(DayNotePath, location="path", arg_name="asked")
@routes.output(shapes.DayNote)
def end_day_note(day_note_id: str, asked: DayNotePath) -> Any:
    """Take a note back: by an administrator, or with the same log-in's token."""
    doing = about_days()
    with changing_session() as session:
        return take_note_back(session, doing, asked.day_note_id)


@routes.get("/students/<student_id>/exemptions")
@allow(*SCHOOL)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.output(shapes.Exemptions)
def exemptions(student_id: str, asked: StudentPath) -> Any:
    """A student's exemptions from attendance."""
    school_id = school_in_use().id
    with school_session() as session:
        find_student(session, school_id, asked.student_id)
        return {"items": list_exemptions(session, school_id, asked.student_id)}


@routes.post("/students/<student_id>/exemptions")
@allow(*SCHOOL)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.input(NewExemption, arg_name="sent")
@routes.output(shapes.Exemptions, status_code=201)
def exempt(student_id: str, asked: StudentPath, sent: NewExemption) -> Any:
    """Expect nothing of a student for a time."""
    school = school_in_use()
    wanted = exempting.read_exempt_time(
        {
            "from_on": sent.from_on.isoformat(),
            "last_on": sent.last_on.isoformat() if sent.last_on else "",
            "reason": sent.reason,
        }
    )
    with changing_session() as session:
        exempting.exempt(session, actor(), school.id, asked.student_id, wanted, now(), school.zone)
        return {"items": list_exemptions(session, school.id, asked.student_id)}


@routes.post("/exemptions/<exemption_id>/end")
@allow(*SCHOOL)
@routes.input(ExemptionPath, location="path", arg_name="asked")
@routes.input(ExpectedAgain, arg_name="sent")
@routes.output({}, status_code=204)
def end_exemption(exemption_id: str, asked: ExemptionPath, sent: ExpectedAgain) -> Any:
    """Expect the student again; an exemption without a day left never was."""
    school = school_in_use()
    with changing_session() as session:
        exempting.end_exemption(
            session, actor(), school.id, asked.exemption_id, sent.on, now(), school.zone
        )
    return ""


@routes.get("/passages")
@allow(*_AT_GATE)
@routes.input(PassagesQuery, location="query", arg_name="asked")
@routes.output(shapes.Passages)
def passages(asked: PassagesQuery) -> Any:
    """Who was let in or out without a card, newest first; the last 24 hours at most."""
    earliest = now() - _LIST_TIME
    since = max(asked.since or earliest, earliest)
    with school_session() as session:
        return {"items": list_passages(session, school_in_use().id, since, asked.limit)}


@routes.post("/students/<student_id>/passages")
@allow(*_AT_GATE)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.input(NewPassage, arg_name="sent")
@routes.output(shapes.Passage, status_code=201)
def record(student_id: str, asked: StudentPath, sent: NewPassage) -> Any:
    """Write down that a student was let in or out without a card."""
    doing = at_gate()
    wanted = noting_passages.PassageWish(sent.direction, sent.at or doing.now, sent.reason)
    with changing_session() as session:
        made = noting_passages.record_passage(session, doing, asked.student_id, wanted)
        return _line(session, asked.student_id, made.id)


@routes.delete("/passages/<passage_id>")
@allow(*_AT_GATE)
@routes.input(PassagePath, location="path", arg_name="asked")
@routes.output({}, status_code=204)
def undo(passage_id: str, asked: PassagePath) -> Any:
    """Take back what was written down: by an administrator, or with the same log-in's token."""
    doing = at_gate()
    with changing_session() as session:
        noting_passages.take_back(session, doing, asked.passage_id)
    return ""


def _line(session: Session, student_id: int, passage_id: int) -> PassageLine:
    since = now() - _LIST_TIME * 2
    found = list_passages(session, school_in_use().id, since, 100, student_id)
    return next(one for one in found if one.id == passage_id)

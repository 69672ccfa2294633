"""A student's guardians: added and changed, parted, what they are told, and their numbers."""

from typing import Any

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.api import people_shapes as shapes
from card_server.api.inputs import StudentPath
from card_server.api.matching import if_match, lock_and_match
from card_server.api.people_inputs import (
    GuardianChange,
    GuardianPath,
    GuardianPhonePath,
    NewGuardian,
    PaperConsent,
    Why,
    Wishes,
)
from card_server.api.people_routes import ADMINS, SEEING, seal, typed_of
from card_server.audit.writing import note
from card_server.messages import wishes
from card_server.messages.kinds import WISHES
from card_server.people import guardians as rules
from card_server.people.students import find_student
from card_server.reports.student_record import GuardianLine, list_guardians
from schema.tables.school import School

routes = APIBlueprint(
    "guardians", __name__, tag="Students", url_prefix="/students/<student_id>/guardians"
)


@routes.get("")
@allow(*SEEING)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.output(shapes.Guardians)
def guardians(student_id: str, asked: StudentPath) -> Any:
    """A student's guardians, in the order in which they are asked."""
    school_id = school_in_use().id
    with school_session() as session:
        find_student(session, school_id, asked.student_id)
        return {"items": list_guardians(session, school_id, asked.student_id)}


@routes.post("")
@allow(*ADMINS)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.input(NewGuardian, arg_name="sent")
@routes.output(shapes.Guardian, status_code=201)
def add_guardian(student_id: str, asked: StudentPath, sent: NewGuardian) -> Any:
    """Add a guardian; one whom the school knows by name and phone becomes this student's too."""
    school_id, student = school_in_use().id, asked.student_id
    with changing_session() as session:
        wanted, tie = _read(session, {}, sent.model_dump())
        made = rules.add_guardian(session, actor(), school_id, student, wanted, tie, seal())
        return _line(session, student, made.id)


@routes.get("/<guardian_id>")
@allow(*SEEING)
@routes.input(GuardianPath, location="path", arg_name="asked")
@routes.output(shapes.Guardian)
def guardian(student_id: str, guardian_id: str, asked: GuardianPath) -> Any:
    """One guardian of a student."""
    with school_session() as session:
        rules.find_guardian(session, school_in_use().id, asked.student_id, asked.guardian_id)
        return _line(session, asked.student_id, asked.guardian_id)


@routes.patch("/<guardian_id>")
@allow(*ADMINS)
@if_match
@routes.input(GuardianPath, location="path", arg_name="asked")
@routes.input(GuardianChange, arg_name="sent")
@routes.output(shapes.Guardian)
def change_guardian(
    student_id: str, guardian_id: str, asked: GuardianPath, sent: GuardianChange
) -> Any:
    """Change a guardian and the part in this student's life; further numbers are added."""
    school_id, student, who = school_in_use().id, asked.student_id, asked.guardian_id
    with changing_session() as session:
        found, link = rules.lock_guardian(session, school_id, student, who)
        lock_and_match(session, shapes.Guardian, found, lambda row: _line(session, student, row.id))
        stored = rules.shown_of(found, link) | {"phone": ""}
        wanted, tie = _read(session, stored, sent.model_dump(exclude_none=True))
        rules.change_guardian(session, actor(), school_id, student, who, wanted, tie, seal())
        return _line(session, student, who)


@routes.put("/<guardian_id>/wishes")
@allow(*SEEING)
@routes.input(GuardianPath, location="path", arg_name="asked")
@routes.input(Wishes, arg_name="sent")
@routes.output(shapes.Guardian)
def change_wishes(student_id: str, guardian_id: str, asked: GuardianPath, sent: Wishes) -> Any:
    """Change what a guardian is told, how, when, and in which language."""
    school_id, student, who = school_in_use().id, asked.student_id, asked.guardian_id
    with changing_session() as session:
        _found, link = rules.lock_guardian(session, school_id, student, who)
        typed = wishes.write_wishes(wishes.wishes_of(link)) | _typed_wishes(sent)
        wanted = wishes.read_wishes(typed)
        wishes.change_wishes(
            session, actor(), school_id, student, who, wanted, language=sent.language
        )
        return _line(session, student, who)


def _typed_wishes(sent: Wishes) -> dict[str, str]:
    """What was sent, as a form would have it."""
    given = sent.model_dump(exclude_none=True, exclude={"wanted", "is_told", "language"})
    typed = {name: str(value) for name, value in given.items()}
    typed["is_told"] = "1" if sent.is_told else ""
    if sent.wanted is not None:
        typed |= {kind.value: "1" if kind in sent.wanted else "" for kind in WISHES}
    return typed


@routes.post("/<guardian_id>/vouch")
@allow(*SEEING)
@routes.input(GuardianPath, location="path", arg_name="asked")
@routes.input(Why, arg_name="sent")
@routes.output(shapes.Guardian)
def vouch(student_id: str, guardian_id: str, asked: GuardianPath, sent: Why) -> Any:
    """Say, with a reason, that the number is the guardian's: no code is asked for."""
    school_id, student, who = school_in_use().id, asked.student_id, asked.guardian_id
    with changing_session() as session:
        rules.find_guardian(session, school_id, student, who)
        wishes.vouch_for_number(session, actor(), school_id, who, sent.reason)
        return _line(session, student, who)


@routes.put("/<guardian_id>/consent")
@allow(*SEEING)
@routes.input(GuardianPath, location="path", arg_name="asked")
@routes.input(PaperConsent, arg_name="sent")
@routes.output(shapes.Guardian)
def note_consent(student_id: str, guardian_id: str, asked: GuardianPath, sent: PaperConsent) -> Any:
    """Note a consent that the school has on paper, for all of the guardian's students."""
    school_id, student, who = school_in_use().id, asked.student_id, asked.guardian_id
    with changing_session() as session:
        rules.find_guardian(session, school_id, student, who)
        wishes.give_consent(session, actor(), school_id, who, sent.wording_id, actor().name)
        return _line(session, student, who)


@routes.delete("/<guardian_id>/consent")
@allow(*SEEING)
@routes.input(GuardianPath, location="path", arg_name="asked")
@routes.output({}, status_code=204)
def withdraw_consent(student_id: str, guardian_id: str, asked: GuardianPath) -> Any:
    """Note that a guardian consents no more: nothing is sent from now on."""
    school_id, student, who = school_in_use().id, asked.student_id, asked.guardian_id
    with changing_session() as session:
        rules.find_guardian(session, school_id, student, who)
        wishes.withdraw_consent(session, actor(), school_id, who)
    return ""


@routes.post("/<guardian_id>/numbers")
@allow(*SEEING)
@routes.input(GuardianPath, location="path", arg_name="asked")
@routes.input(Why, arg_name="sent")
@routes.output(shapes.Phones)
def show_numbers(student_id: str, guardian_id: str, asked: GuardianPath, sent: Why) -> Any:
    """A guardian's numbers; the look is noted with its reason."""
    school_id, student, who = school_in_use().id, asked.student_id, asked.guardian_id
    with changing_session() as session:
        numbers = rules.open_phones(session, school_id, student, who, seal())
        note(
            session,
            school_id,
            actor(),
            "guardian.phones_seen",
            f"guardian:{who}",
            reason=sent.reason,
            details={"student": student},
        )
    return {"items": numbers}


@routes.delete("/<guardian_id>/numbers/<phone_id>")
@allow(*ADMINS)
@routes.input(GuardianPhonePath, location="path", arg_name="asked")
@routes.output({}, status_code=204)
def remove_number(
    student_id: str, guardian_id: str, phone_id: str, asked: GuardianPhonePath
) -> Any:
    """Keep a further number no longer."""
    with changing_session() as session:
        rules.remove_further(
            session,
            actor(),
            school_in_use().id,
            asked.student_id,
            asked.guardian_id,
            asked.phone_id,
        )
    return ""


@routes.delete("/<guardian_id>")
@allow(*ADMINS)
@routes.input(GuardianPath, location="path", arg_name="asked")
@routes.output({}, status_code=204)
def unlink(student_id: str, guardian_id: str, asked: GuardianPath) -> Any:
    """Part a guardian from the student; siblings keep the guardian."""
    school_id = school_in_use().id
    with changing_session() as session:
        rules.unlink_guardian(session, actor(), school_id, asked.student_id, asked.guardian_id)
    return ""


def _read(
    session: Session, stored: dict[str, Any], changed: dict[str, Any]
) -> tuple[rules.GuardianSettings, rules.Tie]:
    school = session.get_one(School, school_in_use().id)
    sent = changed | {"further": "、".join(changed.get("further", []))}
    typed = typed_of(stored, sent)
    return rules.read_guardian(typed, school.phone_countries.split()), rules.read_tie(typed)


def _line(session: Session, student_id: int, guardian_id: int) -> GuardianLine:
    found = list_guardians(session, school_in_use().id, student_id)
    return next(one for one in found if one.id == guardian_id)

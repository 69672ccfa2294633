"""A student's guardians (家长): adding, changing, parting, what they are told, their numbers."""

from collections.abc import Callable, Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.audit.writing import note
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.messages import wishes
from card_server.messages.consent_wordings import list_wordings, name_wording
from card_server.messages.kinds import WISHES
from card_server.people import guardians
from card_server.people.phones import show_phone
from card_server.people.students import find_student
from card_server.reports.student_record import FurtherPhone, list_guardians
from card_server.web.changing import NOTHING_WRONG, Wrong, seen_by_form, try_change
from card_server.web.entering import seal
from card_server.web.fragments import render_part
from card_server.web.reasons import read_reason
from card_server.web.student_pages import ADMINS, SEEING
from card_server.words.choices import word
from schema.tables.people import Channel, Language
from schema.tables.school import School

pages = Blueprint("guardians", __name__)


@pages.get("/students/<int:student_id>/guardians/new")
@allow(*ADMINS)
def show_new(student_id: int) -> ResponseReturnValue:
    """The form for one more guardian."""
    return _show_new(student_id, NOTHING_WRONG, {"is_told": "1", "priority": "1"})


@pages.post("/students/<int:student_id>/guardians/new")
@allow(*ADMINS)
def add(student_id: int) -> ResponseReturnValue:
    """Add a guardian, or link one whom the school knows."""
    form, school_id = request.form, school_in_use().id

    def change(session: Session) -> object:
        wanted, tie = _read_both(session, form)
        return guardians.add_guardian(session, actor(), school_id, student_id, wanted, tie, seal())

    wrong = try_change(change)
    if wrong.errors:
        return _show_new(student_id, wrong, form.to_dict())
    return _back(student_id, gettext("The guardian is there."))


def _show_new(student_id: int, wrong: Wrong, values: Mapping[str, str]) -> ResponseReturnValue:
    with school_session() as session:
        student = find_student(session, school_in_use().id, student_id)
    page = render_template(
        "guardian_new.html",
        student=student,
        values=values,
        errors=wrong.errors,
        relations=guardians.RELATIONS,
        languages=_languages(),
    )
    return page, wrong.status


@pages.get("/students/<int:student_id>/guardians/<int:guardian_id>")
@allow(*SEEING)
def show(student_id: int, guardian_id: int) -> ResponseReturnValue:
    """A guardian: who it is, what is told, whether the number and the consent are there."""
    return _show(student_id, guardian_id, NOTHING_WRONG)


@pages.post("/students/<int:student_id>/guardians/<int:guardian_id>")
@allow(*ADMINS)
def change(student_id: int, guardian_id: int) -> ResponseReturnValue:
    """Change a guardian and the part in this student's life."""
    form, school_id = request.form, school_in_use().id

    def change(session: Session) -> object:
        # What the guardian wants to be told has a form of its own.
        found, link = guardians.find_guardian(session, school_id, student_id, guardian_id)
        told = {"is_told": "1" if link.is_told else "", "language": found.language}
        wanted, tie = _read_both(session, {**form, **told})
        return guardians.change_guardian(
            session,
            actor(),
            school_id,
            student_id,
            guardian_id,
            wanted,
            tie,
            seal(),
            form.get("seen", ""),
        )

    return _do(student_id, guardian_id, change)


@pages.post("/students/<int:student_id>/guardians/<int:guardian_id>/wishes")
@allow(*SEEING)
def change_wishes(student_id: int, guardian_id: int) -> ResponseReturnValue:
    """Change what the guardian is told of this student, how, when, and in which language."""
    form, school_id = request.form, school_in_use().id

    def change(session: Session) -> None:
        wanted, language = wishes.read_wishes(form), _read_language(form)
        seen = form.get("seen", "")
        wishes.change_wishes(
            session, actor(), school_id, student_id, guardian_id, wanted, seen, language
        )

    return _do(student_id, guardian_id, change)


@pages.post("/students/<int:student_id>/guardians/<int:guardian_id>/vouch")
@allow(*SEEING)
def vouch(student_id: int, guardian_id: int) -> ResponseReturnValue:
    """Say, with a reason, that the number is the guardian's."""

    def change(session: Session) -> None:
        school_id = school_in_use().id
        guardians.find_guardian(session, school_id, student_id, guardian_id)
        reason = request.form.get("reason", "")
        wishes.vouch_for_number(session, actor(), school_id, guardian_id, reason)

    return _do(student_id, guardian_id, change)


@pages.post("/students/<int:student_id>/guardians/<int:guardian_id>/consent")
@allow(*SEEING)
def note_consent(student_id: int, guardian_id: int) -> ResponseReturnValue:
    """Note a consent that the school has on paper."""

    def change(session: Session) -> None:
        school_id, who = school_in_use().id, actor()
        guardians.find_guardian(session, school_id, student_id, guardian_id)
        wording_id = request.form.get("wording_id", type=int)
        if wording_id is None:
            raise FieldsError({"wording_id": _("Choose from the list.")})
        wishes.give_consent(session, who, school_id, guardian_id, wording_id, who.name)

    return _do(student_id, guardian_id, change)


@pages.post("/students/<int:student_id>/guardians/<int:guardian_id>/consent/withdraw")
@allow(*SEEING)
def withdraw_consent(student_id: int, guardian_id: int) -> ResponseReturnValue:
    """Note that the guardian consents no more."""

    def change(session: Session) -> None:
        school_id, reason = school_in_use().id, request.form.get("reason", "")
        guardians.find_guardian(session, school_id, student_id, guardian_id)
        wishes.withdraw_consent(session, actor(), school_id, guardian_id, reason)

    return _do(student_id, guardian_id, change)


@pages.post("/students/<int:student_id>/guardians/<int:guardian_id>/unlink")
@allow(*ADMINS)
def unlink(student_id: int, guardian_id: int) -> ResponseReturnValue:
    """Part a guardian from the student."""
    with changing_session() as session:
        guardians.unlink_guardian(session, actor(), school_in_use().id, student_id, guardian_id)
    return _back(student_id, gettext("The guardian is not this student's any more."))


@pages.post("/students/<int:student_id>/guardians/<int:guardian_id>/numbers/<int:phone_id>/remove")
@allow(*ADMINS)
def remove_number(student_id: int, guardian_id: int, phone_id: int) -> ResponseReturnValue:
    """Keep a further number no longer."""
    with changing_session() as session:
        guardians.remove_further(
            session, actor(), school_in_use().id, student_id, guardian_id, phone_id
        )
    flash(gettext("The number is gone."), "good")
    address = url_for("guardians.show", student_id=student_id, guardian_id=guardian_id)
    return redirect(address)


@pages.post("/students/<int:student_id>/guardians/<int:guardian_id>/numbers")
@allow(*SEEING)
def show_numbers(student_id: int, guardian_id: int) -> ResponseReturnValue:
    """The guardian's numbers, to whoever says why; the look is noted."""
    reason, school_id = read_reason(), school_in_use().id
    with changing_session() as session:
        guardian, _tie = guardians.find_guardian(session, school_id, student_id, guardian_id)
        name, numbers = guardian.name, []
        if reason:
            numbers = guardians.open_phones(session, school_id, student_id, guardian_id, seal())
            note(
                session,
                school_id,
                actor(),
                "guardian.phones_seen",
                f"guardian:{guardian_id}",
                reason=reason,
                details={"student": student_id},
            )
    return render_part(
        "revealed.html",
        "revealed_part.html",
        name=name,
        student_id=student_id,
        address=url_for("guardians.show_numbers", student_id=student_id, guardian_id=guardian_id),
        reason=reason,
        numbers=[(gettext("Phone"), show_phone(number)) for number in numbers],
    )


def _do(
    student_id: int, guardian_id: int, change: Callable[[Session], object]
) -> ResponseReturnValue:
    wrong = try_change(change)
    if wrong.errors:
        return _show(student_id, guardian_id, wrong, request.form.to_dict())
    return _back(student_id, gettext("Saved."))


def _show(
    student_id: int, guardian_id: int, wrong: Wrong, typed: dict[str, str] | None = None
) -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        student = find_student(session, school_id, student_id)
        guardian, link = guardians.find_guardian(session, school_id, student_id, guardian_id)
        stored = guardians.shown_of(guardian, link)
        wished = wishes.shown_wishes(guardian, link)
        further = _further(session, school_id, student_id, guardian_id)
        wordings = list_wordings(session, school_id)
    kept = {**stored, **wishes.write_wishes(wishes.wishes_of(link)), "phone": ""}
    page = render_template(
        "guardian.html",
        student=student,
        guardian=guardian,
        link=link,
        further=further,
        values=kept if typed is None else {**stored, **typed},
        errors=wrong.errors,
        seen=seen_by_form(stored, typed, wrong),
        seen_wishes=seen_by_form(wished, typed, wrong),
        relations=guardians.RELATIONS,
        languages=_languages(),
        channels=[(one.value, word(one)) for one in Channel],
        kinds=[(kind.value, word(kind)) for kind in WISHES],
        wordings=[(one.id, name_wording(one)) for one in wordings],
    )
    return page, wrong.status


def _further(
    session: Session, school_id: int, student_id: int, guardian_id: int
) -> tuple[FurtherPhone, ...]:
    found = list_guardians(session, school_id, student_id)
    return next((one.further for one in found if one.id == guardian_id), ())


def _read_both(
    session: Session, form: Mapping[str, str]
) -> tuple[guardians.GuardianSettings, guardians.Tie]:
    """Say all that is wrong at once, of the guardian and of the tie."""
    school = session.get_one(School, school_in_use().id)
    wrong: dict[str, str] = {}
    wanted, tie = None, None
    try:
        wanted = guardians.read_guardian(form, school.phone_countries.split())
    except FieldsError as error:
        wrong |= error.fields
    try:
        tie = guardians.read_tie(form)
    except FieldsError as error:
        wrong |= error.fields
    if wanted is None or tie is None:
        raise FieldsError(wrong)
    return wanted, tie


def _back(student_id: int, said: str) -> ResponseReturnValue:
    flash(said, "good")
    return redirect(url_for("students.show_student", student_id=student_id, _anchor="guardians"))


def _read_language(form: Mapping[str, str]) -> Language:
    language = form.get("language", "")
    if language not in list(Language):
        raise FieldsError({"language": _("Choose from the list.")})
    return Language(language)


def _languages() -> list[tuple[str, str]]:
    return [(one.value, word(one)) for one in Language]

"""A student's cards: giving one by its number, and lending one for a day."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import allow, school_in_use, school_session
from card_server.cards import cards
from card_server.cards.cards import Doing
from card_server.errors import AppError, Code
from card_server.reports.cards import cards_of_student
from card_server.reports.desk import find_desk_student
from card_server.web.card_pages import ADMINS, CARD_PEOPLE, doing_now, free_card
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change

pages = Blueprint("student_cards", __name__)


@pages.get("/students/<int:student_id>/cards")
@allow(*CARD_PEOPLE)
def show(student_id: int) -> ResponseReturnValue:
    """The student's cards, and the forms that give one."""
    return _show(student_id, NOTHING_WRONG)


@pages.post("/students/<int:student_id>/cards")
@allow(*ADMINS)
def issue(student_id: int) -> ResponseReturnValue:
    """Give the card with this number (发卡)."""
    said = gettext("The card is given out and works within a minute.")
    return _give(student_id, cards.issue_card, "issue", said)


@pages.post("/students/<int:student_id>/cards/lend")
@allow(*CARD_PEOPLE)
def lend(student_id: int) -> ResponseReturnValue:
    """Lend the card with this number until midnight (临时卡)."""
    said = gettext("The card is lent until midnight and works within a minute.")
    return _give(student_id, cards.lend_card, "lend", said)


def _give(
    student_id: int, step: Callable[[Session, Doing, int, int], object], form: str, said: str
) -> ResponseReturnValue:
    def give(session: Session) -> object:
        doing = doing_now()
        card_id = free_card(session, doing, may_stock=form == "issue")
        return step(session, doing, card_id, student_id)

    wrong = try_change(give)
    if wrong.errors:
        return _show(student_id, wrong, form)
    flash(said, "good")
    return redirect(url_for("student_cards.show", student_id=student_id))


def _show(student_id: int, wrong: Wrong, form: str = "") -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        student = find_desk_student(session, school_id, student_id)
        if student is None:
            raise AppError(Code.NOT_FOUND, "There is no such student in this school.")
        found = cards_of_student(session, school_id, student_id)
    page = render_template(
        "student_cards.html",
        student=student,
        cards=found,
        errors=wrong.errors,
        form_in_error=form,
        values=request.form,
    )
    return page, wrong.status

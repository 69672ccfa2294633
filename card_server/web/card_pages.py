"""Cards (一卡通): which there are, one card with its history, and what is done with it."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from card_server.access import actor, allow, school_in_use, school_session
from card_server.cards import cards
from card_server.cards.cards import Doing
from card_server.cards.stock import stock_card
from card_server.errors import AppError
from card_server.exports.cards import CARDS, FILTERS, read_state
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.reports.cards import (
    MAX_FOUND,
    count_cards,
    find_typed_card,
    list_cards,
    read_card,
    search_cards,
)
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.downloads import send_list
from card_server.web.export import asked_export
from card_server.web.fragments import render_part
from card_server.web.next_page import safe_next
from card_server.web.tables import PAGE_ROWS, Column, Page, count_page, read_asked
from schema.tables.staff import Role

ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
CARD_PEOPLE = (*ADMINS, Role.HOMEROOM_TEACHER, Role.GATE_GUARD)
"""Who meets students without a card: they report one lost and lend one for a day."""

pages = Blueprint("cards", __name__)
_COLUMNS = (
    Column(lazy_gettext("Number")),
    Column(lazy_gettext("Label"), is_minor=True),
    Column(lazy_gettext("State")),
    Column(lazy_gettext("Student")),
    Column(lazy_gettext("Since")),
)


@pages.get("/cards")
@allow(*CARD_PEOPLE)
def show() -> ResponseReturnValue:
    """All cards, or those of one state; those that changed last first."""
    school_id = school_in_use().id
    asked = read_asked(filters=FILTERS)
    if kind := asked_export():
        return send_list(kind, CARDS, asked.filters)
    state = read_state(asked.filters)
    with school_session() as session:
        counts = count_cards(session, school_id)
        total = counts.get(state, 0) if state else sum(counts.values())
        number = min(asked.page, max(1, -(-total // PAGE_ROWS)))
        offset = (number - 1) * PAGE_ROWS
        found = list_cards(session, school_id, state, PAGE_ROWS, offset=offset)
    page = count_page(found, asked, number, total)
    return _render_list(page=page, asked=asked, counts=counts, state=state, words="")


@pages.post("/cards")
@allow(*CARD_PEOPLE)
def search() -> ResponseReturnValue:
    """The cards that match; by POST, because a number or a name must not stand in an address."""
    words, school_id = request.form.get("words", "")[:100], school_in_use().id
    if not words.strip():
        return redirect(url_for("cards.show"))
    with school_session() as session:
        found = search_cards(session, school_id, words)
        counts = count_cards(session, school_id)
    page, asked = Page(found, total=len(found)), read_asked()
    return _render_list(
        page=page, asked=asked, counts=counts, state=None, words=words, most=MAX_FOUND
    )


def _render_list(**values: object) -> ResponseReturnValue:
    return render_part("cards.html", "cards_part.html", columns=_COLUMNS, **values)


@pages.get("/cards/<int:card_id>")
@allow(*CARD_PEOPLE)
def show_card(card_id: int) -> ResponseReturnValue:
    """One card: whose it is, what can be done with it, and what was done."""
    return _show_card(card_id, NOTHING_WRONG)


@pages.post("/cards/<int:card_id>/lost")
@allow(*CARD_PEOPLE)
def report_lost(card_id: int) -> ResponseReturnValue:
    """It is refused at every reader within a minute (挂失)."""
    return _do(card_id, cards.report_lost, gettext("The card is reported lost."))


@pages.post("/cards/<int:card_id>/found")
@allow(*ADMINS)
def report_found(card_id: int) -> ResponseReturnValue:
    """It works again (解挂)."""
    return _do(card_id, cards.report_found, gettext("The card works again."))


@pages.post("/cards/<int:card_id>/back")
@allow(*ADMINS)
def take_back(card_id: int) -> ResponseReturnValue:
    """Into stock again (退卡)."""
    return _do(card_id, cards.take_back, gettext("The card is back in stock."))


@pages.post("/cards/<int:card_id>/end")
@allow(*ADMINS)
def blacklist(card_id: int) -> ResponseReturnValue:
    """Never to be used again (作废); asks why."""

    def end(session: Session, doing: Doing, card: int) -> object:
        if not doing.reason:
            raise FieldsError({"reason": _("Say why; it cannot be undone.")})
        return cards.blacklist_card(session, doing, card)

    return _do(card_id, end, gettext("The card is ended for good."))


@pages.post("/cards/<int:card_id>/replace")
@allow(*ADMINS)
def replace(card_id: int) -> ResponseReturnValue:
    """Another card in its place, in one step (补卡)."""

    def put(session: Session, doing: Doing, card: int) -> object:
        return cards.replace_card(session, doing, card, free_card(session, doing, may_stock=True))

    return _do(card_id, put, gettext("The new card works; the old one has ended."))


def free_card(session: Session, doing: Doing, *, may_stock: bool) -> int:
    """The card whose number the form names, taken into stock where the form wishes that.

    Raises FieldsError: the school has none like it.
    """
    typed = request.form.get("number", "")[:60]
    try:
        return find_typed_card(session, doing.school_id, typed)
    except AppError as error:
        if may_stock and request.form.get("takes_new"):
            try:
                return stock_card(session, doing, typed).id
            except AppError as wrong:
                raise FieldsError({"number": wrong.message}) from wrong
        raise FieldsError({"number": error.message}) from error


def doing_now() -> Doing:
    """The caller, here and now, for the reason that the form gives."""
    reason = " ".join(request.form.get("reason", "").split())[:200]
    return Doing(actor(), school_in_use().id, datetime.now(UTC), reason)


def _do(
    card_id: int, step: Callable[[Session, Doing, int], object], said: str
) -> ResponseReturnValue:
    """Do a step, say so on the page where the form was; or the card's page with what is wrong."""
    wrong = try_change(lambda session: step(session, doing_now(), card_id))
    if wrong.errors:
        return _show_card(card_id, wrong)
    flash(said, "good")
    back = request.form.get("next")
    return redirect(safe_next(back) if back else url_for("cards.show_card", card_id=card_id))


def _show_card(card_id: int, wrong: Wrong) -> ResponseReturnValue:
    with school_session() as session:
        found = read_card(session, school_in_use().id, card_id)
    page = render_template(
        "card.html",
        card=found.card,
        history=found.history,
        errors=wrong.errors,
        values=request.form,
    )
    return page, wrong.status

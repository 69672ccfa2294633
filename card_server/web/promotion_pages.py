"""Promotion to the next school year (升级): proposed, corrected, shown in full, and then done."""

from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.errors import HTTP_STATUS, AppError, Code
from card_server.field_errors import marked as _
from card_server.people.promotion import promote, read_facts
from card_server.people.promotion_plan import Choice, PromotionFacts, make_plan
from card_server.school_time import day_of
from card_server.web.student_pages import ADMINS

pages = Blueprint("promotion", __name__)


@pages.get("/settings/promotion")
@allow(*ADMINS)
def show() -> ResponseReturnValue:
    """What is proposed for each homeroom."""
    return _show({}, {})


@pages.post("/settings/promotion/preview")
@allow(*ADMINS)
def preview() -> ResponseReturnValue:
    """All that would happen with these corrections."""
    return _show(request.form, {}, is_preview=True)


@pages.post("/settings/promotion")
@allow(*ADMINS)
def run() -> ResponseReturnValue:
    """Promote the school, as the preview has shown it."""
    form, school = request.form, school_in_use()
    if not form.get("sure"):
        return _show(form, {"sure": _("Say that you have read the preview.")}, is_preview=True)
    try:
        with changing_session() as session:
            now = datetime.now(UTC)
            facts = read_facts(session, school.id, day_of(now, school.zone))
            choices = _read_choices(facts, form)
            seen = form.get("seen", "")
            done = promote(session, actor(), school.id, choices, seen, now, school.zone)
    except AppError as error:
        if error.code not in (Code.CONFLICT, Code.INVALID):
            raise
        return _show(form, {"": error.message}, is_preview=True, status=HTTP_STATUS[error.code])
    flash(
        gettext(
            "The school year %(year)s has begun here: %(moved)s students moved up, "
            "%(graduated)s graduated.",
            year=done.to_year,
            moved=done.moved,
            graduated=done.graduated,
        ),
        "good",
    )
    return redirect(url_for("settings.show_homerooms"))


def _show(
    form: Mapping[str, str],
    wrong: Mapping[str, str],
    *,
    is_preview: bool = False,
    status: int = HTTP_STATUS[Code.INVALID],
) -> ResponseReturnValue:
    school = school_in_use()
    today = day_of(datetime.now(UTC), school.zone)
    with school_session() as session:
        facts = read_facts(session, school.id, today)
    plan = make_plan(facts, _read_choices(facts, form), today)
    errors = {name: gettext(said) for name, said in {**plan.problems, **wrong}.items()}
    is_early = today < facts.earliest
    # Too early to begin is not too early to look.
    in_the_way = {name for name in plan.problems if name or not is_early}
    page = render_template(
        "settings_promotion.html",
        plan=plan,
        facts=facts,
        errors=errors,
        is_preview=is_preview and not in_the_way,
        is_early=is_early,
    )
    return page, status if is_preview and (in_the_way or wrong) else 200


def _read_choices(facts: PromotionFacts, form: Mapping[str, str]) -> dict[int, Choice]:
    """What the form says of each homeroom; of one that it does not name, nothing."""
    return {
        one.id: Choice(form.get(f"then-{one.id}") == "graduate", form.get(f"name-{one.id}", ""))
        for one in facts.rooms
        if f"then-{one.id}" in form
    }

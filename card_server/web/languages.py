"""Chinese and English: which one a request gets, the switch, and whether texts are compiled."""

from pathlib import Path
from typing import Any

from babel.support import NullTranslations
from flask import Blueprint, Flask, abort, current_app, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel, get_translations
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup
from sqlalchemy import update

from card_server.access import caller_or_none, known_caller, public, writing
from card_server.errors import AppError, Code
from card_server.web.next_page import safe_next
from schema.tables.people import Language
from schema.tables.staff import Staff

COOKIE = "language"
_YEAR_S = 365 * 24 * 3600
_TRANSLATIONS = Path(__file__).parent / "translations"

pages = Blueprint("languages", __name__)


def speak(app: Flask) -> None:
    """Let pages be translated. Raises AppError(UNAVAILABLE) while the texts are not compiled."""
    for source in _TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            raise AppError(
                Code.UNAVAILABLE,
                "The pages' translations are not compiled. Run: "
                "pybabel compile -d card_server/web/translations",
            )
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(_TRANSLATIONS)
    Babel(app, locale_selector=choose_language, default_locale=Language.CHINESE)
    app.jinja_env.globals.update(_=_say, language=choose_language, ngettext=_say_number)
    app.register_blueprint(pages)


def choose_language() -> str:
    """The account's choice, else the switch's, else what the browser asks for, else Chinese.

    A guardian's own language stands in the place of the browser's.
    """
    who = known_caller()
    if who is not None and who.language is not None:
        return who.language
    chosen = request.cookies.get(COOKIE)
    if chosen in list(Language):
        return chosen
    own: Language | None = g.get("own_language")
    return own or request.accept_languages.best_match(list(Language)) or Language.CHINESE


@pass_eval_context
def _say(context: EvalContext, text: str, /, **values: Any) -> str:
    """A template's `_`: a page has hundreds, and Jinja's own asks for the language with each."""
    return _fill(context, _texts().ugettext(text), values)


@pass_eval_context
def _say_number(context: EvalContext, one: str, many: str, number: int, /, **values: Any) -> str:
    return _fill(context, _texts().ungettext(one, many, number), {"num": number, **values})


def _texts() -> NullTranslations:
    """A page is in one language, so its texts are looked for once."""
    found: NullTranslations | None = g.get("page_texts")
    if found is None:
        found = g.page_texts = get_translations()
    return found


def _fill(context: EvalContext, text: str, values: dict[str, Any]) -> str:
    # Always a format, even without values: "100 %%" reads the same with them.
    return (Markup(text) if context.autoescape else text) % values  # noqa: S704


@pages.post("/language/<chosen>")
@public
def switch(chosen: str) -> ResponseReturnValue:
    """Keep a choice of language, with the account and in a cookie, and return to the page."""
    if chosen not in list(Language):
        abort(404)
    who = caller_or_none()
    if who is not None:
        with writing().begin() as session:
            choose = update(Staff).where(Staff.id == who.staff_id)
            session.execute(choose.values(language=Language(chosen)))
    response = redirect(safe_next(request.form.get("next")))
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    response.set_cookie(
        COOKIE, chosen, max_age=_YEAR_S, httponly=True, samesite="Lax", secure=secure
    )
    return response

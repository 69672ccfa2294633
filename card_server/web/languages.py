"""Chinese and English: which one a request gets, the switch, and whether texts are compiled."""

from pathlib import Path

from flask import Blueprint, Flask, abort, current_app, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel
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
    app.jinja_env.globals["language"] = choose_language
    app.register_blueprint(pages)


def choose_language() -> str:
    """The account's choice, else the switch's, else what the browser asks for, else Chinese."""
    who = known_caller()
    if who is not None and who.language is not None:
        return who.language
    chosen = request.cookies.get(COOKIE)
    if chosen in list(Language):
        return chosen
    return request.accept_languages.best_match(list(Language)) or Language.CHINESE


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

"""The words of the pages where no request is: in a process that writes files."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from flask import Flask
from flask_babel import Babel, force_locale

from schema.tables.people import Language

_TRANSLATIONS: Final = Path(__file__).parent.parent / "web" / "translations"


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """In this block gettext and words of choices speak that language."""
    with _make_app().app_context(), force_locale(language.value):
        yield


@cache
def _make_app() -> Flask:
    """Flask-Babel keeps the language with an application: one that serves nothing."""
    app = Flask(__name__, static_folder=None)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(_TRANSLATIONS)
    Babel(app, default_locale=Language.CHINESE.value)
    return app

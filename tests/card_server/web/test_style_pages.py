"""The page of pieces: in Chinese no English stands on it but names that programs have."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from card_server.storage.database import open_engine
from card_server.web.app import close_app, create_app
from tests.card_server.web.conftest import make_settings

_UNSEEN = re.compile(r"<(script|style|code|head)\b.*?</\1>|<!--.*?-->|<[^>]*>", re.DOTALL)
_NAMES = {"CSV", "Excel", "English", "MAC"}


@pytest.fixture
def demo(sqlite_url: str, tmp_path: Path) -> Iterator[FlaskClient]:
    """A browser at a demo, which alone has the page."""
    engine = open_engine(sqlite_url)
    app = create_app(make_settings(sqlite_url, tmp_path), engine)
    yield app.test_client()
    close_app(app)
    engine.dispose()


def test_in_chinese_it_says_nothing_in_english(demo: FlaskClient) -> None:
    demo.set_cookie("language", "zh")
    text = _UNSEEN.sub(" ", demo.get("/styleguide").text)
    assert "按钮" in text
    assert set(re.findall(r"[A-Za-z]{3,}", text)) - _NAMES == set()


def test_each_tone_of_a_badge_has_its_word(demo: FlaskClient) -> None:
    demo.set_cookie("language", "en")
    page = demo.get("/styleguide").text
    for tone, label in (("good", "good"), ("warn", "warning"), ("bad", "bad")):
        assert page.count(f'class="badge {tone}">{label}<') >= 2

"""What templates say is in the page's language, and what is put into it stays harmless."""

import pytest
from flask import Flask, render_template_string

from card_server.web.languages import COOKIE, speak


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    speak(app)
    return app


@pytest.mark.parametrize(
    ("language", "template", "text"),
    [
        ("zh", '{{ _("Today") }}', "今日"),
        ("en", '{{ _("Today") }}', "Today"),
        ("en", '{{ _("all of %% and %(name)s", name="<b>") }}', "all of % and &lt;b&gt;"),
        ("en", '{{ _("no text of ours, 100 %%") }}', "no text of ours, 100 %"),
        ("en", '{{ ngettext("%(num)s homeroom", "%(num)s homerooms", 1) }}', "1 homeroom"),
        ("en", '{{ ngettext("%(num)s homeroom", "%(num)s homerooms", 2) }}', "2 homerooms"),
    ],
)
def test_a_text_is_translated_and_its_values_are_escaped(
    app: Flask, language: str, template: str, text: str
) -> None:
    with app.test_request_context(headers={"Cookie": f"{COOKIE}={language}"}):
        assert render_template_string(template) == text


def test_a_process_speaks_with_each_browser_in_its_own_language(app: Flask) -> None:
    said = []
    for language in ("en", "zh", "en"):
        with app.test_request_context(headers={"Cookie": f"{COOKIE}={language}"}):
            said.append(render_template_string('{{ _("Today") }}'))
    assert said[0] == said[2] == "Today" != said[1]

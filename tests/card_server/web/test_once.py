"""A part of a page that comes again is written once, and stays as safe as it was."""

from flask import Flask, render_template_string

from card_server.web.once import Once

_PAGE = """
{%- macro cell(text, tone) %}{{ asked(text) }}<td class="{{ tone }}">{{ text }}</td>{% endmacro %}
{%- set write = once(cell) %}{{ write("<b>", "bad") }}{{ write("<b>", "bad") }}
{{- write.all([("<b>", "bad"), ("✓", "good")]) }}"""


def test_equal_cells_are_written_once_and_their_text_is_escaped() -> None:
    asked: list[str] = []
    app = Flask(__name__)

    def note(text: str) -> str:
        asked.append(text)
        return ""

    with app.test_request_context():
        page = render_template_string(_PAGE, once=Once, asked=note)
    bad = '<td class="bad">&lt;b&gt;</td>'
    assert page.strip() == f'{bad}{bad}{bad}<td class="good">✓</td>'
    assert asked == ["<b>", "✓"]

"""A list whole on one page, for paper (打印): asked for by `print` in a page's address."""

from collections.abc import Sequence
from html import escape

from flask import render_template, request
from flask_babel import LazyString, gettext
from markupsafe import Markup

from card_server.web.tables import Asked

MOST_ROWS = 2_000
"""Of one print: some forty sheets. Whoever wants more chooses by the filter, or takes the file."""

Line = Sequence[str | int | None]
"""A row as it is written; numbers stand to the right."""


def asks_paper() -> bool:
    """Whether this request wants all rows to print, instead of a page of them."""
    return request.args.get("print") == "all"


def show_paper(
    title: LazyString,
    asked: Asked,
    about: Sequence[tuple[str, object]],
    heads: Sequence[LazyString],
    lines: Sequence[Line],
    total: int,
) -> str:
    """The list with the school, what was chosen, and how many rows there are, `total` in all."""
    return render_template(
        "paper.html",
        title=title,
        asked=asked,
        about=about,
        heads=heads,
        rows=_write(lines),
        shown=len(lines),
        total=total,
    )


def _write(lines: Sequence[Line]) -> Markup:
    """The rows of the table; thousands of them take too long cell by cell through a template."""
    rows = ("".join(map(_write_cell, line)) for line in lines)
    return Markup("".join(f"<tr>{row}</tr>" for row in rows))  # noqa: S704 - each cell is escaped


def _write_cell(cell: str | int | None) -> str:
    if isinstance(cell, int):
        return f'<td class="number">{cell}</td>'
    return f"<td>{escape(cell or '')}</td>"


def choice(
    label: str, options: Sequence[tuple[object, object]], asked: Asked, name: str
) -> list[tuple[str, object]]:
    """What was chosen in one filter, in the words of its options; nothing where it was not."""
    chosen = asked.filters.get(name)
    return [(label, text) for value, text in options if str(value) == chosen]


def days_between(first: object, last: object) -> tuple[str, object]:
    """From when until when, as paper says it."""
    return gettext("When"), f"{first}" if first == last else f"{first} – {last}"

"""Every piece of the frame in every state, for those who build pages (样式)."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import public
from card_server.reports.board import Counts
from card_server.web.tables import Column, Page, read_asked

pages = Blueprint("style", __name__)

_ROWS = (("a", 12, "good"), ("b", 3, "warn"), ("c", 0, "bad"))


@pages.get("/styleguide")
@public
def show() -> ResponseReturnValue:
    """The pieces, without any school's data; a demo alone has this page."""
    asked = read_asked(("name", "number"), filters=("state",), default="name")
    rows = asked.sorted(_ROWS, {"name": lambda row: row[0], "number": lambda row: row[1]})
    return render_template(
        "style.html",
        asked=asked,
        columns=(
            Column(gettext("Name"), "name"),
            Column(gettext("Number"), "number", is_number=True),
            Column(gettext("State")),
        ),
        page=Page(rows, total=25, next=asked.address(page=2)),
        counts=Counts(
            students=600,
            expected=598,
            arrived=541,
            late=14,
            left_early=2,
            absent=9,
            on_leave=6,
            not_yet=42,
            inside=538,
        ),
        values={"name": "第一中学", "place": "east", "told": True},
        errors={
            "name": gettext("A name has 20 characters at most."),
            "": gettext("Somebody else changed this meanwhile."),
        },
        bars=[(f"07:2{number}", 3 + number * (9 - number)) for number in range(10)],
    )

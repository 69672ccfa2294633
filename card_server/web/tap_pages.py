"""The tap stream, live (刷卡动态)."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from card_server.access import allow, school_in_use, school_session
from card_server.reports.tap_stream import NEWEST, read_newest_taps
from card_server.web.fragments import render_part
from schema.tables.staff import Role

pages = Blueprint("taps", __name__)


@pages.get("/taps")
@allow(
    Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER, Role.LAB_TEACHER, Role.GATE_GUARD
)
def show() -> ResponseReturnValue:
    """The newest taps of the school."""
    with school_session() as session:
        taps = read_newest_taps(session, school_in_use().id)
    return render_part("taps.html", "taps_part.html", taps=taps, most=NEWEST)

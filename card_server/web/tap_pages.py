"""The tap stream (刷卡动态): live at its newest end, and back as far as it goes."""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext

from card_server.access import allow, school_in_use, school_session
from card_server.exports.taps import TAPS
from card_server.reports.listings import list_taps
from card_server.web.downloads import send_list
from card_server.web.export import asked_export
from card_server.web.fragments import render_part
from card_server.web.tables import PAGE_ROWS, Column, key_page, read_asked, read_moment
from schema.tables.staff import Role

pages = Blueprint("taps", __name__)

_COLUMNS = (
    Column(lazy_gettext("Time")),
    Column(lazy_gettext("Student")),
    Column(lazy_gettext("Homeroom")),
    Column(lazy_gettext("Reader")),
    Column(lazy_gettext("Direction")),
    Column(lazy_gettext("Result")),
)


@pages.get("/taps")
@allow(
    Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER, Role.LAB_TEACHER, Role.GATE_GUARD
)
def show() -> ResponseReturnValue:
    """A page of the school's taps, from the newest back."""
    if kind := asked_export():
        return send_list(kind, TAPS, {})
    asked = read_asked()
    with school_session() as session:
        taps = list_taps(session, school_in_use().id, read_moment(asked.after), None, PAGE_ROWS + 1)
    page = key_page(taps, asked, lambda tap: (tap.received_at.isoformat(), tap.id))
    return render_part("taps.html", "taps_part.html", page=page, asked=asked, columns=_COLUMNS)

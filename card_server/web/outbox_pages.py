"""The message outbox (消息)."""

from datetime import UTC, datetime, timedelta

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext

from card_server.access import allow, school_in_use, school_session
from card_server.exports.messages import MESSAGES, filter_messages
from card_server.reports.listings import list_messages
from card_server.reports.outbox import count_states
from card_server.school_time import bounds_of, day_of
from card_server.web.downloads import send_list
from card_server.web.export import asked_export
from card_server.web.fragments import render_part
from card_server.web.tables import PAGE_ROWS, Column, key_page, read_asked, read_moment
from schema.tables.messages import MessageState
from schema.tables.staff import Role

LIST_DAYS = 7

pages = Blueprint("outbox", __name__)

_COLUMNS = (
    Column(lazy_gettext("Time")),
    Column(lazy_gettext("Student")),
    Column(lazy_gettext("Kind")),
    Column(lazy_gettext("Phone")),
    Column(lazy_gettext("State")),
    Column(lazy_gettext("Provider"), is_minor=True),
)


@pages.get("/messages")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER)
def show() -> ResponseReturnValue:
    """The messages of the last days, from the newest back; of one state when `state` names one."""
    school, now = school_in_use(), datetime.now(UTC)
    asked = read_asked(filters=("state",))
    wanted = asked.filters.get("state")
    state = MessageState(wanted) if wanted in list(MessageState) else None
    midnight, _ = bounds_of(day_of(now, school.zone), school.zone)
    since = (now - timedelta(days=LIST_DAYS)).replace(second=0, microsecond=0)
    if kind := asked_export():
        return send_list(kind, MESSAGES, filter_messages(state, since))
    before = read_moment(asked.after)
    with school_session() as session:
        messages = list_messages(session, school.id, before, since, state, PAGE_ROWS + 1)
        counts = count_states(session, school.id, midnight)
    return render_part(
        "outbox.html",
        "outbox_part.html",
        counts=counts,
        page=key_page(messages, asked, lambda one: (one.changed_at.isoformat(), one.id)),
        asked=asked,
        columns=_COLUMNS,
        state=state,
        days=LIST_DAYS,
    )

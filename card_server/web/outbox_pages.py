"""The message outbox (消息)."""

from datetime import UTC, datetime, timedelta

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from card_server.access import allow, school_in_use, school_session
from card_server.reports.outbox import NEWEST, count_states, read_outbox
from card_server.school_time import bounds_of, day_of
from card_server.web.fragments import render_part
from schema.tables.messages import MessageState
from schema.tables.staff import Role

LIST_DAYS = 7

pages = Blueprint("outbox", __name__)


@pages.get("/messages")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER)
def show() -> ResponseReturnValue:
    """The newest messages of the last days, of one state when `state` names one."""
    school, now = school_in_use(), datetime.now(UTC)
    wanted = request.args.get("state")
    state = MessageState(wanted) if wanted in list(MessageState) else None
    midnight, _ = bounds_of(day_of(now, school.zone), school.zone)
    with school_session() as session:
        counts = count_states(session, school.id, midnight)
        messages = read_outbox(session, school.id, now - timedelta(days=LIST_DAYS), state)
    return render_part(
        "outbox.html",
        "outbox_part.html",
        counts=counts,
        messages=messages,
        state=state,
        most=NEWEST,
        days=LIST_DAYS,
    )

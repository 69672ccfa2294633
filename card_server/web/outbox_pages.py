"""The message outbox (消息)."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext

from card_server.access import allow, now, school_in_use, school_session
from card_server.exports.messages import MESSAGES, filter_messages
from card_server.reports.outbox import Wanted, count_states, list_messages
from card_server.reports.student_list import list_rooms
from card_server.school_time import bounds_of, day_of
from card_server.web.downloads import send_list
from card_server.web.export import asked_export
from card_server.web.fragments import render_part
from card_server.web.tables import PAGE_ROWS, Column, key_page, read_asked, read_moment
from card_server.words.choices import word
from schema.tables.messages import MessageKind, MessageState, Suppression
from schema.tables.staff import Role

LIST_DAYS = 7
SEEING = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER)
ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)

Choice = TypeVar("Choice", bound=StrEnum)
pages = Blueprint("outbox", __name__)

COLUMNS = (
    Column(lazy_gettext("Time")),
    Column(lazy_gettext("Student")),
    Column(lazy_gettext("Kind")),
    Column(lazy_gettext("Phone")),
    Column(lazy_gettext("State")),
    Column(lazy_gettext("Provider"), is_minor=True),
)


@pages.get("/messages")
@allow(*SEEING)
def show() -> ResponseReturnValue:
    """The messages of the last days or of one day, from the newest back, as the filters say."""
    school, moment = school_in_use(), now()
    asked = read_asked(filters=("state", "kind", "homeroom", "day", "reason", "failure"))
    wanted = read_wanted(asked.filters, moment, school.zone)
    midnight, _ = bounds_of(day_of(moment, school.zone), school.zone)
    if kind := asked_export():
        return send_list(kind, MESSAGES, filter_messages(wanted))
    before = read_moment(asked.after)
    with school_session() as session:
        messages = list_messages(session, school.id, wanted, before, PAGE_ROWS + 1)
        counts = count_states(session, school.id, midnight)
        rooms = list_rooms(session, school.id)
    return render_part(
        "outbox.html",
        "outbox_part.html",
        counts=counts,
        page=key_page(messages, asked, lambda one: (one.changed_at.isoformat(), one.id)),
        asked=asked,
        columns=COLUMNS,
        wanted=wanted,
        kinds=[(one.value, word(one)) for one in MessageKind],
        rooms=rooms,
        days=LIST_DAYS,
        now=moment,
        today=day_of(moment, school.zone),
    )


def read_wanted(filters: Mapping[str, str], moment: datetime, zone: ZoneInfo) -> Wanted:
    """The messages that an address asks for; a filter that it does not know lets all through."""
    day = _read_day(filters.get("day", ""))
    if day:
        since, until = bounds_of(day, zone)
    else:
        since = (moment - timedelta(days=LIST_DAYS)).replace(second=0, microsecond=0)
        until = None
    homeroom = filters.get("homeroom", "")
    is_id = homeroom.isascii() and homeroom.isdigit() and len(homeroom) < 10
    return Wanted(
        since,
        until,
        _read_choice(MessageState, filters.get("state")),
        _read_choice(MessageKind, filters.get("kind")),
        int(homeroom) if is_id else None,
        _read_choice(Suppression, filters.get("reason")),
        filters.get("failure"),
    )


def _read_choice(choices: type[Choice], written: str | None) -> Choice | None:
    return choices(written) if written in list(choices) else None


def _read_day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None

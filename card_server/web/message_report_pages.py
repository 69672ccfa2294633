"""Why messages did not arrive, what waits and why, and what messages cost (消息统计)."""

from collections.abc import Sequence
from datetime import timedelta

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from card_server.access import allow, now, school_in_use, school_session
from card_server.messages.rules import rules_of, write_money
from card_server.register.terms import list_terms
from card_server.reports.message_costs import LONGEST, Cost, CostBy, read_costs, total_of
from card_server.reports.message_failures import list_failures
from card_server.reports.message_waits import list_waiting
from card_server.school_time import day_of
from card_server.web.day_range import asked_range, quick_choices, with_range
from card_server.web.downloads import send_noted
from card_server.web.export import Cell, asked_export
from card_server.web.formats import currency_name
from card_server.web.fragments import render_part
from card_server.web.outbox_pages import ADMINS, LIST_DAYS, SEEING
from card_server.web.tables import Column, Page, read_asked
from card_server.words.choices import word

pages = Blueprint("message_reports", __name__)

_FAILURE_COLUMNS = (
    Column(lazy_gettext("Reason")),
    Column(lazy_gettext("State")),
    Column(lazy_gettext("Messages"), is_number=True),
    Column(lazy_gettext("Last time")),
)
_WAIT_COLUMNS = (
    Column(lazy_gettext("Reason")),
    Column(lazy_gettext("Messages"), is_number=True),
    Column(lazy_gettext("Until")),
    Column(lazy_gettext("Oldest")),
)
_COST_COLUMNS = {
    CostBy.DAY: lazy_gettext("Day"),
    CostBy.HOMEROOM: lazy_gettext("Homeroom"),
    CostBy.KIND: lazy_gettext("Kind"),
}
_COST_TABS = {
    CostBy.DAY: lazy_gettext("by day"),
    CostBy.HOMEROOM: lazy_gettext("by homeroom"),
    CostBy.KIND: lazy_gettext("by kind"),
}


@pages.get("/messages/failures")
@allow(*SEEING)
def show_failures() -> ResponseReturnValue:
    """Why messages of the last days did not arrive, counted; each leads to its messages."""
    asked, since = read_asked(), now() - timedelta(days=LIST_DAYS)
    with school_session() as session:
        found = list_failures(session, school_in_use().id, since)
    return render_part(
        "message_failures.html",
        "message_failures_part.html",
        page=Page(found, total=len(found)),
        asked=asked,
        columns=_FAILURE_COLUMNS,
        days=LIST_DAYS,
    )


@pages.get("/messages/waiting")
@allow(*SEEING)
def show_waiting() -> ResponseReturnValue:
    """What waits to be sent, until when, and why."""
    asked = read_asked()
    with school_session() as session:
        found = list_waiting(session, school_in_use().id, now())
    return render_part(
        "message_waits.html",
        "message_waits_part.html",
        page=Page(found, total=len(found)),
        asked=asked,
        columns=_WAIT_COLUMNS,
    )


@pages.get("/messages/costs")
@allow(*ADMINS)
def show_costs() -> ResponseReturnValue:
    """What messages cost over a time, by day, homeroom or kind; by day as a chart."""
    school = school_in_use()
    asked = read_asked(filters=("from", "to", "by"))
    written = request.args.get("by", "")
    by = CostBy(written) if written in list(CostBy) else CostBy.DAY
    with school_session() as session:
        today = day_of(now(), school.zone)
        choices = quick_choices(today, list_terms(session, school.id))
        time = asked_range(today, choices[0].range, LONGEST)
        costs = read_costs(session, school.id, time, by)
        currency = rules_of(session, school.id).currency
    if kind := asked_export():
        return send_noted(kind, f"message-costs-{by}", _heads(by, currency), _rows(costs, by))
    asked = with_range(asked, time)
    return render_part(
        "message_costs.html",
        "message_costs_part.html",
        page=Page(costs, total=len(costs)),
        asked=asked,
        columns=_columns(by, currency),
        by=by.value,
        tabs_of=[(asked.address(by=one.value), _COST_TABS[one], one is by) for one in CostBy],
        choices=[one for one in choices if one.range.last - one.range.first <= LONGEST],
        time=time,
        today=today,
        total=total_of(costs),
        amount=write_money,
        name_of=lambda one: _name(one, by),
        currency=currency,
    )


def _columns(by: CostBy, currency: str) -> tuple[Column, ...]:
    return (
        Column(_COST_COLUMNS[by]),
        Column(gettext("Messages"), is_number=True),
        Column(gettext("SMS"), is_number=True),
        Column(gettext("Money, %(currency)s", currency=currency_name(currency)), is_number=True),
    )


def _name(one: Cost, by: CostBy) -> str:
    if by is CostBy.DAY:
        return one.day.isoformat() if one.day else ""
    return one.homeroom if by is CostBy.HOMEROOM else word(one.kind)


def _heads(by: CostBy, currency: str) -> list[str]:
    return [str(column.label) for column in _columns(by, currency)]


def _rows(costs: Sequence[Cost], by: CostBy) -> list[tuple[Cell, ...]]:
    return [(_name(one, by), one.messages, one.segments, write_money(one.price)) for one in costs]

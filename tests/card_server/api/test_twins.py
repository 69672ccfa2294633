"""Whatever pages change, programs can change: each action has its twin, or a reason why not."""

from apiflask import APIFlask
from flask import Flask

from tests.card_server.api.page_table import AS_ON_PAGE

TWINS = {
    "calendar.accept_holidays": "calendar.settle",
    "card_stock.take": "cards.add",
    "desk.give": "cards.issue",
    "desk.undo": "cards.take_back",
    "evacuations.end": "campus.end",
    "guard.let_out": "corrections.record",
    "homeroom_now.mark_here": "corrections.correct",
    "jobs.cancel": "jobs.cancel",
    "district_staff.disable": "district_staff.change_staff",
    "district_staff.enable": "district_staff.change_staff",
    "staff.disable": "staff.change_staff",
    "staff.enable": "staff.change_staff",
    "webhooks.disable": "webhooks.change_webhook",
    "webhooks.enable": "webhooks.change_webhook",
}
"""Beside AS_ON_PAGE: several buttons of a page that are one PATCH, and what roles differ for."""
OF_A_BROWSER = {"account", "languages", "oidc", "set_up", "themes", "totp"}
"""Logging in, one's own account, language and colours: a token has none of these."""
OF_PARENTS = {
    "parent_consent",
    "parent_data",
    "parent_door",
    "parent_leave",
    "parent_wishes",
    "parents",
}
"""A guardian speaks for themselves, from their own phone: no program consents or asks for them."""
REASONS = {
    "callbacks.take": "Carriers call it, and nobody else.",
    "card_stock.read": "How a list is to be read is for a person; a program sends numbers.",
    "card_stock.tapped": "It shows a person the card in their hand.",
    "desk.find": "Students have a search.",
    "desk.tap": "It waits with a person for a card; taps are a list of their own.",
    "district.enter": "A token belongs to one school.",
    "district.leave": "A token belongs to one school.",
    "enrolment.find": "Students have a search.",
    "hand_passages.find": "Students have a search.",
    "homeroom_sheets.find": "The sheet comes whole.",
    "homeroom_sheets.find_month": "The sheet comes whole.",
    "faces.change": "How a card looks is chosen by a person who sees it.",
    "faces.print_one": "A document for a printer, which a person stands at.",
    "faces.print_rooms": "A document for a printer, which a person stands at.",
    "leave.find": "Students have a search.",
    "search.find": "Students have a search; homerooms and readers come as whole lists.",
}
_SAFE = {"GET", "HEAD", "OPTIONS"}


def _actions(app: Flask) -> set[str]:
    return {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if (rule.methods or set()) - _SAFE
        and rule.endpoint.split(".")[0] not in OF_A_BROWSER | OF_PARENTS
    }


def test_each_action_of_a_page_has_its_twin_or_a_reason(app: Flask) -> None:
    missing = _actions(app) - {*AS_ON_PAGE.values()} - TWINS.keys() - REASONS.keys()
    assert not missing, "give it a route in card_server/api, or say here why it needs none"


def test_the_lists_name_what_there_is(app: Flask) -> None:
    api: APIFlask = app.extensions["api"]
    assert TWINS.keys() | REASONS.keys() <= _actions(app)
    assert {*TWINS.values()} | AS_ON_PAGE.keys() <= api.view_functions.keys()
    assert {*AS_ON_PAGE.values()} <= app.view_functions.keys()


def test_nothing_has_both_a_twin_and_a_reason_to_have_none() -> None:
    assert not REASONS.keys() & (TWINS.keys() | {*AS_ON_PAGE.values()})

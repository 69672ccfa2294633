"""The sections of the staff pages, in the order of what people do, and which the caller may use."""

from collections.abc import Iterable
from operator import itemgetter
from typing import NamedTuple

from flask import current_app, request, url_for
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from card_server.access import may
from card_server.errors import AppError, Code


class Section(NamedTuple):
    """One entry of the navigation; what the caller may not use is not shown."""

    endpoint: str
    label: LazyString
    beside: str = ""
    """Where pages lie that belong here as well, when not under the section's own address."""


class Entry(NamedTuple):
    """One link of the navigation as this page shows it."""

    address: str
    label: LazyString
    is_here: bool


SECTIONS = (
    Section("district.show", lazy_gettext("District")),
    Section("board.show", lazy_gettext("Today")),
    Section("taps.show", lazy_gettext("Taps")),
    Section("students.show_search", lazy_gettext("Students")),
    Section("cards.show", lazy_gettext("Cards")),
    Section("enrolment.show", lazy_gettext("Registration")),
    Section("readers.show", lazy_gettext("Readers")),
    Section("outbox.show", lazy_gettext("Messages")),
    Section("audit.show", lazy_gettext("Audit log")),
)
"""The bar at the top."""
SETTINGS: tuple[Section, ...] = (
    Section("settings.show", lazy_gettext("School")),
    Section("settings.show_homerooms", lazy_gettext("Homerooms")),
    Section("terms.show", lazy_gettext("Terms and campuses"), beside="/settings/campuses"),
    Section("promotion.show", lazy_gettext("New school year")),
    Section("roster.show", lazy_gettext("Roster")),
    Section("reader_settings.show", lazy_gettext("Readers")),
    Section("staff.show", lazy_gettext("Staff and roles")),
    Section("tokens.show", lazy_gettext("Tokens")),
    Section("webhooks.show", lazy_gettext("Webhooks")),
)
"""One entry of the bar for all of these; each of their pages shows them as tabs."""


DISTRICT: tuple[Section, ...] = (
    Section("district.show", lazy_gettext("Schools")),
    Section("district_staff.show", lazy_gettext("Staff and roles")),
)
"""The tabs of the district's own pages."""


def open_sections() -> list[Entry]:
    """The bar's entries that the caller may use."""
    entries = _open(SECTIONS)
    settings = _open(SETTINGS)
    if settings:
        is_here = any(entry.is_here for entry in settings)
        entries.append(Entry(settings[0].address, lazy_gettext("Settings"), is_here))
    return entries


def open_tabs() -> list[Entry]:
    """The tabs of a page of the settings or of the district; none on other pages."""
    for sections in (SETTINGS, DISTRICT):
        entries = _open(sections)
        if any(entry.is_here for entry in entries):
            return entries
    return []


def all_open() -> list[Entry]:
    """Every page that the caller can go to, for the search."""
    return [*_open(SECTIONS), *_open(SETTINGS)]


def first_address() -> str:
    """Where the caller begins. Raises AppError(NOT_ALLOWED) for an account without any role."""
    entries = all_open()
    if not entries:
        raise AppError(
            Code.NOT_ALLOWED, "Your account has no role yet. Ask the school's administrator."
        )
    started = next((entry for entry in entries if entry.address == url_for("board.show")), None)
    return (started or entries[0]).address


def _open(sections: Iterable[Section]) -> list[Entry]:
    """Which of these the caller may use; the one with the longest fitting address is here."""
    found = [
        (section, url_for(section.endpoint))
        for section in sections
        if section.endpoint in current_app.view_functions and may(section.endpoint)
    ]
    around = [
        (len(place), section)
        for section, address in found
        for place in (address, section.beside)
        if place and _is_around(place)
    ]
    here = max(around, key=itemgetter(0))[1] if around else None
    return [Entry(address, section.label, section is here) for section, address in found]


def _is_around(address: str) -> bool:
    """Whether this request's page is that address or lies under it."""
    return request.path == address or request.path.startswith(f"{address}/")

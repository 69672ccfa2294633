"""The sections of the staff pages, in the order of what people do, and which the caller may use."""

from collections.abc import Iterable
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


class Entry(NamedTuple):
    """One link of the navigation as this page shows it."""

    address: str
    label: LazyString
    is_here: bool


SECTIONS = (
    Section("district.show", lazy_gettext("District")),
    Section("board.show", lazy_gettext("Today")),
    Section("homeroom_sheets.begin", lazy_gettext("Sheets")),
    Section("homeroom_now.show", lazy_gettext("My homeroom")),
    Section("campus.show", lazy_gettext("On campus")),
    Section("evacuations.show", lazy_gettext("Evacuation")),
    Section("leave.show", lazy_gettext("Leave")),
    Section("guard.show", lazy_gettext("Exits")),
    Section("hand_passages.show", lazy_gettext("Without a card")),
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
    Section("terms.show", lazy_gettext("Terms and campuses")),
    Section("calendar.show", lazy_gettext("Calendar")),
    Section("timetables.show", lazy_gettext("Timetables")),
    Section("attendance_rules.show", lazy_gettext("Attendance rules")),
    Section("promotion.show", lazy_gettext("New school year")),
    Section("roster.show", lazy_gettext("Roster")),
    Section("reader_settings.show", lazy_gettext("Readers")),
    Section("staff.show", lazy_gettext("Staff and roles")),
    Section("tokens.show", lazy_gettext("Tokens")),
    Section("webhooks.show", lazy_gettext("Webhooks")),
)
"""One entry of the bar for all of these; each of their pages shows them as tabs."""


STATISTICS: tuple[Section, ...] = (
    Section("rankings.show_homerooms", lazy_gettext("Homerooms by attendance")),
    Section("rankings.show_students", lazy_gettext("Students by attendance")),
    Section("findings.show", lazy_gettext("Findings")),
)
"""The same for what is read about a time."""
DISTRICT: tuple[Section, ...] = (
    Section("district.show", lazy_gettext("Schools")),
    Section("district_staff.show", lazy_gettext("Staff and roles")),
)
"""The tabs of the district's own pages."""


def open_sections() -> list[Entry]:
    """The bar's entries that the caller may use."""
    entries = _open(SECTIONS)
    for sections, label in (
        (STATISTICS, lazy_gettext("Statistics")),
        (SETTINGS, lazy_gettext("Settings")),
    ):
        under = _open(sections)
        if under:
            is_here = any(entry.is_here for entry in under)
            entries.append(Entry(under[0].address, label, is_here))
    return entries


def open_tabs() -> list[Entry]:
    """The tabs of a page of the settings, the statistics or the district; none on other pages."""
    for sections in (STATISTICS, SETTINGS, DISTRICT):
        entries = _open(sections)
        if any(entry.is_here for entry in entries):
            return entries
    return []


def all_open() -> list[Entry]:
    """Every page that the caller can go to, for the search."""
    return [*_open(SECTIONS), *_open(STATISTICS), *_open(SETTINGS)]


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
        (url_for(section.endpoint), section.label)
        for section in sections
        if section.endpoint in current_app.view_functions and may(section.endpoint)
    ]
    here = max(filter(_is_around, (address for address, _ in found)), key=len, default="")
    return [Entry(address, label, address == here) for address, label in found]


def _is_around(address: str) -> bool:
    """Whether this request's page is that address or lies under it."""
    return request.path == address or request.path.startswith(f"{address}/")

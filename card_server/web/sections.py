"""The sections of the staff pages, in the order of what people do, and which the caller may use."""

from operator import itemgetter
from typing import NamedTuple

from flask import current_app, g, request
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from card_server.access import caller_or_none, may
from card_server.errors import AppError, Code
from card_server.web.addresses import address_of


class Section(NamedTuple):
    """One page of the navigation; what the caller may not use is not shown."""

    endpoint: str
    label: LazyString
    beside: str = ""
    """Where pages lie that belong here as well, when not under the section's own address."""


class Group(NamedTuple):
    """One entry of the bar at the top; its pages show each other as tabs."""

    label: LazyString
    sections: tuple[Section, ...]


class Entry(NamedTuple):
    """One link of the navigation as this page shows it."""

    address: str
    label: LazyString
    is_here: bool


_Usable = list[tuple[Group, list[tuple[Section, str]]]]
_KEPT = "usable_sections"


def _alone(endpoint: str, label: LazyString) -> Group:
    return Group(label, (Section(endpoint, label),))


GROUPS = (
    Group(
        lazy_gettext("District"),
        (
            Section("district.show", lazy_gettext("Schools")),
            Section("district_staff.show", lazy_gettext("Staff and roles")),
            Section("district_messages.show", lazy_gettext("Messages to parents")),
        ),
    ),
    Group(
        lazy_gettext("Today"),
        (
            Section("board.show", lazy_gettext("Today")),
            Section("homeroom_now.show", lazy_gettext("My homeroom")),
            Section("taps.show", lazy_gettext("Taps")),
            Section("campus.show", lazy_gettext("On campus")),
            Section("roll_call.show", lazy_gettext("Dorm roll call")),
            Section("evacuations.show", lazy_gettext("Evacuation")),
            Section("guard.show", lazy_gettext("Exits")),
            Section("hand_passages.show", lazy_gettext("Without a card")),
            Section("waiting.show", lazy_gettext("Not judged")),
        ),
    ),
    Group(
        lazy_gettext("Attendance"),
        (
            Section("homeroom_sheets.begin", lazy_gettext("Sheets"), beside="/homerooms"),
            Section("leave.show", lazy_gettext("Leave")),
            Section("rankings.show_homerooms", lazy_gettext("Homerooms by attendance")),
            Section("rankings.show_students", lazy_gettext("Students by attendance")),
            Section("findings.show", lazy_gettext("Findings")),
            Section("calendar.show", lazy_gettext("Calendar")),
            Section("timetables.show", lazy_gettext("Timetables")),
            Section("attendance_rules.show", lazy_gettext("Attendance rules")),
        ),
    ),
    _alone("students.show_search", lazy_gettext("Students")),
    _alone("cards.show", lazy_gettext("Cards")),
    _alone("enrolment.show", lazy_gettext("Registration")),
    _alone("readers.show", lazy_gettext("Readers")),
    Group(
        lazy_gettext("Messages"),
        (
            Section("outbox.show", lazy_gettext("Messages")),
            Section("notices.show", lazy_gettext("Notices")),
            Section("message_reports.show_failures", lazy_gettext("Not delivered")),
            Section("message_reports.show_waiting", lazy_gettext("Waiting")),
            Section("message_reports.show_costs", lazy_gettext("Costs")),
            Section("sending.show", lazy_gettext("Carriers and limits")),
            Section("parent_links.show", lazy_gettext("Invite parents")),
            Section("paper_consents.show", lazy_gettext("Consents on paper")),
        ),
    ),
    _alone("audit.show", lazy_gettext("Audit log")),
    Group(
        lazy_gettext("Settings"),
        (
            Section("settings.show", lazy_gettext("School")),
            Section("settings.show_homerooms", lazy_gettext("Homerooms")),
            Section("terms.show", lazy_gettext("Terms and campuses"), beside="/settings/campuses"),
            Section("promotion.show", lazy_gettext("New school year")),
            Section("roster.show", lazy_gettext("Roster")),
            Section("reader_settings.show", lazy_gettext("Readers")),
            Section("message_texts.show", lazy_gettext("Messages to parents")),
            Section("staff.show", lazy_gettext("Staff and roles")),
            Section("tokens.show", lazy_gettext("Tokens")),
            Section("webhooks.show", lazy_gettext("Webhooks")),
        ),
    ),
)


def open_sections() -> list[Entry]:
    """The bar's entries that the caller may use; each leads to the first page of its group."""
    return [
        Entry(pages[0].address, group.label, any(page.is_here for page in pages))
        for group, pages in _known_groups()
    ]


def open_tabs() -> list[Entry]:
    """The pages beside this one; none where this page is of no group."""
    for _, pages in _known_groups():
        if any(page.is_here for page in pages):
            return pages
    return []


def all_open() -> list[Entry]:
    """Every page that the caller can go to, for the search."""
    return [page for _, pages in _known_groups() for page in pages]


def first_address() -> str:
    """Where the caller begins. Raises AppError(NOT_ALLOWED) for an account without any role."""
    entries = all_open()
    if not entries:
        raise AppError(
            Code.NOT_ALLOWED, "Your account has no role yet. Ask the school's administrator."
        )
    started = next((entry for entry in entries if entry.address == address_of("board.show")), None)
    return (started or entries[0]).address


def _known_groups() -> list[tuple[Group, list[Entry]]]:
    """Found once in a request: the bar and the tabs of one page both ask."""
    if "open_groups" not in g:
        g.open_groups = _open_groups()
    found: list[tuple[Group, list[Entry]]] = g.open_groups
    return found


def _open_groups() -> list[tuple[Group, list[Entry]]]:
    """What the caller may use; the page with the longest fitting address is here."""
    usable = _usable_groups()
    around = [
        (len(place), section)
        for _, pages in usable
        for section, address in pages
        for place in (address, section.beside)
        if place and _is_around(place)
    ]
    here = max(around, key=itemgetter(0))[1] if around else None
    return [
        (group, [Entry(address, section.label, section is here) for section, address in pages])
        for group, pages in usable
    ]


def _usable_groups() -> _Usable:
    """The groups with a page that the caller may use, kept for the next caller of these roles."""
    found = caller_or_none()
    kept: dict[object, _Usable] = current_app.extensions.setdefault(_KEPT, {})
    key = request.script_root, found and (found.roles, found.school is None)
    usable = kept.get(key)
    if usable is None:
        every = (
            (group, [(one, address_of(one.endpoint)) for one in group.sections if _is_open(one)])
            for group in GROUPS
        )
        usable = kept[key] = [(group, pages) for group, pages in every if pages]
    return usable


def _is_open(section: Section) -> bool:
    return section.endpoint in current_app.view_functions and may(section.endpoint)


def _is_around(address: str) -> bool:
    """Whether this request's page is that address or lies under it."""
    return request.path == address or request.path.startswith(f"{address}/")

"""The sections of the staff pages, in the order of what people do, and which the caller may use."""

from collections.abc import Iterator
from typing import NamedTuple

from flask import url_for
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from card_server.access import may


class Section(NamedTuple):
    """One entry of the navigation."""

    endpoint: str
    label: LazyString


SECTIONS = (
    Section("board.show", lazy_gettext("Today")),
    Section("taps.show", lazy_gettext("Taps")),
    Section("students.show_search", lazy_gettext("Students")),
    Section("readers.show", lazy_gettext("Readers")),
    Section("outbox.show", lazy_gettext("Messages")),
)


def open_sections() -> Iterator[Section]:
    """Those that the caller may use."""
    return (section for section in SECTIONS if may(section.endpoint))


def first_address() -> str:
    """Where the caller begins."""
    section = next(open_sections(), None)
    return url_for(section.endpoint if section else "account.log_in")

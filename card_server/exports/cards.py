"""The cards as a list (一卡通), the latest changed first."""

from collections.abc import Iterator
from datetime import datetime

from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from card_server.exports.files import Cell, Row
from card_server.exports.lists import BATCH, ExportList, Filters
from card_server.reports.cards import ListedCard, count_cards, list_cards
from card_server.staff.sessions import SchoolInUse
from card_server.words.choices import word
from schema.messages import CardState

FILTERS = ("state",)


def read_state(filters: Filters) -> CardState | None:
    """The state that is asked for; None for all, and for what is none."""
    asked = filters.get("state", "")
    return CardState(asked) if asked in list(CardState) else None


def _count(session: Session, school: SchoolInUse, filters: Filters) -> int:
    counts, state = count_cards(session, school.id), read_state(filters)
    return counts.get(state, 0) if state else sum(counts.values())


def _read(session: Session, school: SchoolInUse, filters: Filters) -> Iterator[Row]:
    before: tuple[datetime, int] | None = None
    state = read_state(filters)
    while found := list_cards(session, school.id, state, BATCH, before=before):
        yield from map(_cells, found)
        if len(found) < BATCH:
            return
        before = (found[-1].state_since, found[-1].id)


def _cells(one: ListedCard) -> Row:
    return (
        one.uid,
        one.label,
        word(one.kind),
        word(one.state),
        one.state_since,
        one.number,
        one.student,
        one.homeroom,
    )


def _describe(_school: SchoolInUse, filters: Filters) -> list[tuple[str, Cell]]:
    state = read_state(filters)
    return [(gettext("State"), word(state))] if state else []


CARDS = ExportList(
    name="cards",
    title=lazy_gettext("Cards"),
    heads=(
        lazy_gettext("Card number"),
        lazy_gettext("Label"),
        lazy_gettext("Kind"),
        lazy_gettext("State"),
        lazy_gettext("Since"),
        lazy_gettext("Student number"),
        lazy_gettext("Student"),
        lazy_gettext("Homeroom"),
    ),
    count=_count,
    read=_read,
    describe=_describe,
)

"""What addresses ask of tables is checked, kept in their links, and answered by the right rows."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from card_server.web.tables import (
    Asked,
    cut_page,
    key_page,
    read_asked,
    read_moment,
)

_app = Flask(__name__)


@_app.get("/list/<int:key>")
def _list(key: int) -> str:
    return str(key)


def _ask(query: str, **wanted: Any) -> Asked:
    with _app.test_request_context(f"/list/3?{query}"):
        return read_asked(("name", "late"), ("state",), **wanted)


@pytest.mark.parametrize(
    ("query", "sort", "is_descending", "page"),
    [
        ("", "", False, 1),
        ("sort=name", "name", False, 1),
        ("sort=-late&page=3", "late", True, 3),
        ("sort=password", "", False, 1),
        ("sort=--name", "", False, 1),
        ("page=0", "", False, 1),
        ("page=-7", "", False, 1),
        ("page=x", "", False, 1),
        ("page=99999999999999", "", False, 10_000),
    ],
)
def test_only_what_the_table_has_can_be_asked(
    query: str, sort: str, is_descending: bool, page: int
) -> None:
    asked = _ask(query)
    assert (asked.sort, asked.is_descending, asked.page) == (sort, is_descending, page)


@pytest.mark.parametrize("query", ["", "sort=-late&state=failed&page=4", "state=3"])
@pytest.mark.parametrize("key", [0, 1, 7, 12_345])
def test_the_addresses_of_many_rows_are_those_of_each(query: str, key: int) -> None:
    with _app.test_request_context(f"/list/3?{query}"):
        asked = read_asked(("name", "late"), ("state",))
        assert asked.addresses("state")(key) == asked.address(state=key)


def test_links_keep_the_rest_and_begin_at_the_first_page() -> None:
    with _app.test_request_context("/list/3?sort=-late&state=failed&page=4&evil=1"):
        asked = read_asked(("name", "late"), ("state",))
        assert asked.address() == "/list/3?state=failed&sort=-late"
        assert asked.address(page=5) == "/list/3?state=failed&sort=-late&page=5"
        assert asked.address(state="") == "/list/3?sort=-late"
        assert asked.address(page=1) == "/list/3?state=failed&sort=-late"
        assert asked.address(state=1) == "/list/3?state=1&sort=-late", "an id like any other"
        assert asked.sort_address("name") == "/list/3?state=failed&sort=name"
        assert asked.sort_address("late") == "/list/3?state=failed&sort=late"
        assert (asked.order("late"), asked.order("name")) == ("descending", "none")


def test_the_second_click_on_a_head_turns_the_order_round() -> None:
    with _app.test_request_context("/list/3?sort=name"):
        asked = read_asked(("name",))
        assert asked.sort_address("name") == "/list/3?sort=-name"
        assert asked.sorted(["b", "a"], {"name": str}) == ["a", "b"]


def test_the_usual_order_can_be_turned_round_and_back() -> None:
    with _app.test_request_context("/list/3"):
        turned = read_asked(("name",), default="name").sort_address("name")
        assert turned == "/list/3?sort=-name"
    with _app.test_request_context(turned):
        asked = read_asked(("name",), default="name")
        assert asked.is_descending
        assert asked.sort_address("name") in ("/list/3", "/list/3?sort=name")
        assert asked.address() == "/list/3?sort=-name"
    with _app.test_request_context("/list/3"):
        newest = read_asked(("name",), default="-name")
        assert newest.is_descending
        assert newest.address() == "/list/3"


@given(count=st.integers(0, 300), page=st.integers(-2, 20))
def test_pages_hold_every_row_once(count: int, page: int) -> None:
    rows = list(range(count))
    with _app.test_request_context(f"/list/3?page={page}"):
        shown = cut_page(rows, read_asked(), size=20)
    assert shown.total == count
    assert list(shown.rows) == rows[shown.first - 1 : shown.first + 19]
    assert bool(shown.next) == (shown.first + len(shown.rows) <= count)
    assert bool(shown.previous) == (shown.first > 1)


def test_the_key_of_the_last_row_leads_to_the_next_page() -> None:
    when, key = datetime(2026, 9, 1, 7, 30, tzinfo=UTC), UUID(int=7)
    rows = [(when, UUID(int=9)), (when, key), (when, UUID(int=3))]
    with _app.test_request_context("/list/3?state=failed"):
        page = key_page(rows, read_asked((), ("state",)), lambda row: row, size=2)
    assert (len(page.rows), page.newest) == (2, "")
    with _app.test_request_context(page.next):
        asked = read_asked((), ("state",))
        assert read_moment(asked.after) == (when, key)
        last = key_page(rows[2:], asked, lambda row: row, size=2)
    assert (last.next, last.newest) == ("", "/list/3?state=failed")


@given(st.text())
def test_a_key_that_is_none_asks_for_the_beginning(text: str) -> None:
    with _app.test_request_context("/list/3", query_string={"after": text}):
        assert isinstance(read_moment(read_asked().after), tuple | None)


@pytest.mark.parametrize("after", [("x", "y"), ("2026-09-01T07:30:00", str(UUID(int=1))), ("a",)])
def test_nonsense_is_no_moment(after: tuple[str, ...]) -> None:
    assert read_moment(after) is None

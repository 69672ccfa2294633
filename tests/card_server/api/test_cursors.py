"""A cursor names the place that it was written for, and any text of its form names some place."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from card_server.api.cursors import (
    ID_CURSOR,
    MOMENT_CURSOR,
    MomentKey,
    read_id,
    read_moment,
    write_id,
    write_moment,
)

_MOMENTS = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(_MOMENTS, st.uuids())
def test_a_moments_cursor_leads_back(moment: datetime, id_: UUID) -> None:
    assert read_moment(write_moment(MomentKey(moment, id_))) == (moment, id_)


@given(st.integers(0, 2**31 - 1))
def test_an_ids_cursor_leads_back(id_: int) -> None:
    assert read_id(write_id(id_)) == id_


@given(st.from_regex(MOMENT_CURSOR, fullmatch=True))
def test_any_text_of_a_moments_form_is_a_place(cursor: str) -> None:
    found = read_moment(cursor.rstrip("\n"))
    assert found is not None
    assert found.moment.tzinfo is UTC


@given(st.from_regex(ID_CURSOR, fullmatch=True))
def test_any_text_of_an_ids_form_is_a_place(cursor: str) -> None:
    assert 0 <= read_id(cursor.rstrip("\n")) < 2**31


def test_no_cursor_is_the_beginning() -> None:
    assert (read_id(None), read_moment(None)) == (0, None)

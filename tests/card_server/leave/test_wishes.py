"""What is typed on a leave slip becomes a time in the school's zone, or a sentence at a field."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from card_server.field_errors import FieldsError
from card_server.leave.wishes import days_of, read_end
from card_server.words.leave import leave_time
from tests.card_server.leave.leave_school import MONDAY, wish
from tests.card_server.people.people_school import ZONE


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ({}, "2026-11-23"),
        ({"until_on": "2026-11-25"}, "2026-11-23 – 2026-11-25"),
        ({"from_time": "13:00", "until_time": "16:00"}, "2026-11-23 13:00–16:00"),
        ({"from_time": "13:00"}, "2026-11-23 13:00–24:00"),
        (
            {"from_time": "13:00", "until_on": "2026-11-24", "until_time": "10:00"},
            "2026-11-23 13:00 – 2026-11-24 10:00",
        ),
    ],
)
def test_days_and_hours_are_the_schools(typed: dict[str, str], written: str) -> None:
    found = wish(**typed)
    assert leave_time(found.from_at, found.until_at, ZONE) == written


def test_a_whole_day_ends_where_the_next_begins() -> None:
    found = wish()
    assert found.from_at == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert found.until_at == datetime(2026, 11, 23, 16, tzinfo=UTC)
    assert days_of(found.from_at, found.until_at, ZONE) == (MONDAY, MONDAY)


def test_a_day_is_as_long_as_the_zone_says() -> None:
    found = days_of(
        datetime(2026, 3, 29, 0, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC), _BERLIN
    )
    assert [one.day for one in found] == [29, 29]


_BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"kind": "holiday"}, "kind"),
        ({"from_on": "tomorrow"}, "from_on"),
        ({"from_on": "2026-10-23"}, "from_on"),
        ({"from_on": "2028-01-01"}, "from_on"),
        ({"until_on": "2026-11-22"}, "until_on"),
        ({"from_time": "16:00", "until_time": "13:00"}, "until_on"),
        ({"from_time": "13:00", "until_time": "13:00"}, "until_on"),
        ({"until_on": "2027-01-22"}, "until_on"),
        ({"from_time": "1 pm"}, "from_time"),
        ({"until_time": "13:00+08:00"}, "until_time"),
        ({"reason": " "}, "reason"),
        ({"reason": "热" * 201}, "reason"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(typed: dict[str, str], field: str) -> None:
    with pytest.raises(FieldsError) as caught:
        wish(**typed)
    assert field in caught.value.fields


@pytest.mark.parametrize("typed", [{"from_on": "2026-10-24"}, {"until_on": "2027-01-21"}])
def test_thirty_days_back_and_sixty_days_long_can_be(typed: dict[str, str]) -> None:
    assert wish(**typed)


def test_who_is_back_on_a_day_is_back_from_its_begin() -> None:
    assert read_end({"until_on": "2026-11-24"}, ZONE) == datetime(2026, 11, 23, 16, tzinfo=UTC)
    with pytest.raises(FieldsError):
        read_end({"until_on": "2026-11-24", "until_time": "25:00"}, ZONE)

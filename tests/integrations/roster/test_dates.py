"""Dates are read in every usual writing, and never guessed."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.roster.dates import DateError, read_date, read_year
from integrations.roster.kinds import Kind

DAYS = st.dates(date(1990, 1, 1), date(2030, 12, 31))
FORMS = [
    "{0:%Y-%m-%d}",
    "{0:%Y%m%d}",
    "{0.year}/{0.month}/{0.day}",
    "{0.year}.{0.month}.{0.day}",
    "{0.year}年{0.month}月{0.day}日",
    "{0:%Y-%m-%d} 00:00:00",
    "{0:%Y-%m-%d}T00:00:00",
    " {0:%Y-%m-%d} ",
]


@given(day=DAYS, form=st.sampled_from(FORMS))
def test_a_date_comes_back_from_every_writing(day: date, form: str) -> None:
    assert read_date(form.format(day)) == day


@given(DAYS)
def test_a_day_number_of_a_spreadsheet_is_a_date(day: date) -> None:
    assert read_date(str((day - date(1899, 12, 30)) // timedelta(days=1))) == day


def test_full_width_and_han_digits() -> None:
    assert read_date("２０１０－０１－０２") == date(2010, 1, 2)
    assert read_date("二〇一〇年十二月二十一日") == date(2010, 12, 21)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("2010-02-30", Kind.DATE_INVALID),
        ("20101301", Kind.DATE_INVALID),
        ("soon", Kind.DATE_INVALID),
        ("1/2/2010", Kind.DATE_UNCLEAR),
        ("10-01-02", Kind.DATE_UNCLEAR),
        ("2010-05", Kind.DATE_UNCLEAR),
        ("201005", Kind.DATE_UNCLEAR),
        ("2010年5月", Kind.DATE_UNCLEAR),
    ],
)
def test_no_date_and_two_dates_are_refused(written: str, kind: Kind) -> None:
    with pytest.raises(DateError) as raised:
        read_date(written)
    assert raised.value.kind is kind


@pytest.mark.parametrize(
    ("written", "year"),
    [("202409", 2024), ("2024-09", 2024), ("2024", 2024), ("2024年9月1日", 2024), ("x", None)],
)
def test_a_year_of_entry(written: str, year: int | None) -> None:
    assert read_year(written) == year

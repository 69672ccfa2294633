"""How pages write what they show."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask_babel import Babel

from card_server.web.formats import currency_name, hour, moment, money, second, size


@pytest.mark.parametrize(
    ("of_bytes", "written"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 KB"),
        (1234, "1.23 KB"),
        (200_000, "200 KB"),
        (999_499, "999 KB"),
        (999_500, "1 MB"),
        (12_000_000_000, "12 GB"),
        (7_500_000_000_000, "7.5 TB"),
    ],
)
def test_a_size_is_written_in_the_largest_unit_that_gives_one(of_bytes: int, written: str) -> None:
    app = Flask(__name__)
    Babel(app, default_locale="en")
    with app.test_request_context():
        assert size(of_bytes) == written


@pytest.mark.parametrize(
    ("locale", "thousandths", "currency", "written"),
    [
        ("zh", 0, "CNY", "¥0.00"),
        ("zh", 45, "CNY", "¥0.045"),
        ("zh", 90, "CNY", "¥0.09"),
        ("zh", 1_234_500, "CNY", "¥1,234.50"),
        ("zh", 79, "USD", "US$0.079"),
        ("en", 45, "CNY", "CN¥0.045"),
        ("en", 12_500, "USD", "$12.50"),
    ],
)
def test_money_is_written_with_its_sign_and_to_a_tenth_of_a_cent(
    locale: str, thousandths: int, currency: str, written: str
) -> None:
    app = Flask(__name__)
    Babel(app, default_locale=locale)
    with app.test_request_context():
        assert money(thousandths, currency) == written
        assert currency_name("CNY") == {"zh": "人民币 (CNY)", "en": "Chinese Yuan (CNY)"}[locale]


def test_times_are_written_by_the_school_s_clock(app: Flask) -> None:
    morning = datetime(2026, 8, 31, 23, 5, 9, tzinfo=UTC)
    with app.test_request_context():
        assert (hour(morning), second(morning)) == ("07:05", "07:05:09")
        assert moment(morning) == "2026-09-01 07:05:09"
        assert {hour(None), second(None), moment(None)} == {"–"}

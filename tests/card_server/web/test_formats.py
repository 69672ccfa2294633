"""How pages write what they show."""

import pytest
from flask import Flask
from flask_babel import Babel

from card_server.web.formats import size


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

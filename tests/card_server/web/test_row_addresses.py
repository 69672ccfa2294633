"""A row's address is the one that `url_for` gives, wherever in it the row's id or day stands."""

from datetime import date

from flask import Flask, url_for

from card_server.web.row_addresses import row_address

_app = Flask(__name__)


@_app.get("/rooms/<int:room>/days")
def _days(room: int) -> str:
    return str(room)


def test_an_id_stands_in_the_path_beside_other_values() -> None:
    with _app.test_request_context():
        found = row_address("_days", "room", month="2026-09", words="a b&c")
        for room in (1, 7, 70_000):
            assert found(room) == url_for("_days", room=room, month="2026-09", words="a b&c")


def test_a_day_stands_in_the_query() -> None:
    day = date(2026, 9, 7)
    with _app.test_request_context():
        assert row_address("_days", "day", room=7)(day) == url_for("_days", room=7, day=day)

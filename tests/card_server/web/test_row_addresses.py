"""A row's address is the one that `url_for` gives, wherever in it the row's id or day stands."""

from datetime import date

from flask import Flask, url_for

from card_server.web.row_addresses import row_address, student_day_address

_app = Flask(__name__)


@_app.get("/rooms/<int:room>/days")
def _days(room: int) -> str:
    return str(room)


@_app.get("/students/<int:student_id>/day", endpoint="students.show_day")
def _student_day(student_id: int) -> str:
    return str(student_id)


def test_a_students_day_is_where_url_for_says_on_each_day() -> None:
    with _app.test_request_context():
        see = student_day_address()
        for student in (1, 7):
            for day in (date(2026, 9, 7), date(2026, 9, 8), date(2026, 9, 7)):
                wanted = url_for("students.show_day", student_id=student, day=day)
                assert see(student, day) == wanted


def test_an_id_stands_in_the_path_beside_other_values() -> None:
    with _app.test_request_context():
        found = row_address("_days", "room", month="2026-09", words="a b&c")
        for room in (1, 7, 70_000):
            assert found(room) == url_for("_days", room=room, month="2026-09", words="a b&c")


def test_a_day_stands_in_the_query() -> None:
    day = date(2026, 9, 7)
    with _app.test_request_context():
        assert row_address("_days", "day", room=7)(day) == url_for("_days", room=7, day=day)

"""Addresses that are kept are those that Flask would build."""

from flask import Flask, url_for

from card_server.web.addresses import address_of, keep_addresses


def _app() -> Flask:
    app = Flask(__name__)
    app.add_url_rule("/students/<int:student_id>", "student", str)
    app.add_url_rule("/files/<path:filename>", "file", lambda filename: filename)
    app.add_url_rule("/board", "board", lambda: "")
    keep_addresses(app)
    return app


def test_an_address_is_the_one_that_flask_builds_at_first_and_later() -> None:
    app = _app()
    for _ in range(2):
        with app.test_request_context():
            assert address_of("board") == url_for("board") == "/board"
            assert address_of("board", day=3) == "/board?day=3"
            assert address_of("student", student_id=7) == "/students/7"
            assert address_of("student", student_id=8) == "/students/8"
            assert address_of("file", filename="a.css") == "/files/a.css"
            assert address_of("file", filename="b.css") == "/files/b.css"


def test_an_address_follows_where_the_application_is_mounted() -> None:
    app = _app()
    with app.test_request_context():
        assert address_of("board") == "/board"
    with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": "/card"}):
        assert address_of("board") == "/card/board"


def test_templates_ask_for_kept_addresses() -> None:
    app = _app()
    with app.test_request_context():
        page = app.jinja_env.from_string("{{ url_for('board') }} {{ url_for('file', filename=x) }}")
        assert page.render(x="a.css") == "/board /files/a.css"

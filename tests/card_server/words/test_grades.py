"""Grades are named by the school's words, and nothing that is stored breaks a page."""

import pytest
from flask import Flask
from flask_babel import Babel

from card_server.words.grades import grade_word, grade_words


@pytest.mark.parametrize(
    ("grade", "written"), [(1, "Grade 1"), (7, "Grade 7"), (12, "Grade 12"), (0, "0"), (13, "13")]
)
def test_a_grade_has_a_name_and_what_is_none_stands_as_it_is(grade: int, written: str) -> None:
    app = Flask(__name__)
    Babel(app, default_locale="en")
    with app.test_request_context():
        assert grade_word(grade) == written


def test_several_grades_stand_in_a_row() -> None:
    app = Flask(__name__)
    Babel(app, default_locale="en")
    with app.test_request_context():
        assert grade_words([7, 10]) == "Grade 7、Grade 10"
        assert grade_words([]) == ""

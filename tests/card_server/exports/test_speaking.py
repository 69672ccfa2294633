"""Words of the pages where no request is."""

from flask_babel import gettext

from card_server.exports.speaking import speaking
from card_server.words.choices import word
from schema.messages import Refusal
from schema.tables.people import Language


def test_the_block_speaks_its_language_and_an_inner_one_its_own() -> None:
    with speaking(Language.CHINESE):
        assert gettext("Student") == "学生"
        with speaking(Language.ENGLISH):
            assert gettext("Student") == "Student"
            assert word(Refusal.LOST) == "lost card"
        assert gettext("Student") == "学生"

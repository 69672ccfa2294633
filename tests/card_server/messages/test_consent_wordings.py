"""The wordings of consent: the newest of a language counts, and none is ever changed."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.field_errors import FieldsError
from card_server.messages import consent_wordings as wordings
from schema.tables.audit import AuditEntry
from schema.tables.people import Language
from tests.card_server.web.small_school import SmallSchool

CHINESE, ENGLISH = Language.CHINESE, Language.ENGLISH


def test_the_newest_counts_and_the_old_ones_stay(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        before = {one.id for one in wordings.list_wordings(session, school.id)}
        for language, body in ((CHINESE, "第一版"), (ENGLISH, "First"), (CHINESE, "第二版")):
            wordings.add_wording(session, SYSTEM, school.id, language, body)
    with sessions() as session:
        found = [one for one in wordings.list_wordings(session, school.id) if one.id not in before]
        assert [one.body for one in found] == ["第二版", "First", "第一版"]
        for language, body in ((CHINESE, "第二版"), (ENGLISH, "First")):
            newest = wordings.newest_wording(session, school.id, language)
            assert newest
            assert newest.body == body
        actions = session.scalars(select(AuditEntry.action)).all()
    assert actions == ["consent_wording.made"] * 3


def test_the_same_words_again_are_no_new_wording(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        wordings.add_wording(session, SYSTEM, school.id, CHINESE, "同意")
        with pytest.raises(FieldsError):
            wordings.add_wording(session, SYSTEM, school.id, CHINESE, "同意")
        wordings.add_wording(session, SYSTEM, school.id, ENGLISH, "同意")


def test_a_wording_keeps_its_paragraphs_and_nothing_unseen() -> None:
    assert wordings.read_wording(" 一\u200b、\r\n\r\n二、 \n") == "一、\n\n二、"
    for wrong in ("", " \n ", "长" * 4001):
        with pytest.raises(FieldsError):
            wordings.read_wording(wrong)
    with pytest.raises(FieldsError):
        wordings.read_language("fr")

"""Carriers' codes of texts: what to paste at which carrier, and the code that comes back."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.field_errors import FieldsError
from card_server.messages import carrier_codes
from card_server.messages.texts import DEFAULTS
from schema.tables.audit import AuditEntry
from schema.tables.messages import CarrierText, MessageKind
from schema.tables.people import Language
from tests.card_server.web.small_school import SmallSchool

ARRIVAL, CHINESE = MessageKind.ARRIVAL, Language.CHINESE


@pytest.mark.parametrize(
    ("provider", "body", "pasted"),
    [
        ("aliyun", DEFAULTS[ARRIVAL, CHINESE], "家长您好，${student}已于${time}进入学校。"),
        ("tencent", DEFAULTS[ARRIVAL, CHINESE], "家长您好，{1}已于{2}进入学校。"),
        ("tencent", "{time}：{student} {x}", "{1}：{2} {x}"),
        ("aliyun", "{time}：{student} 100%", "${time}：${student} 100%"),
    ],
)
def test_each_carrier_writes_values_its_own_way(provider: str, body: str, pasted: str) -> None:
    assert carrier_codes.write_for(provider, ARRIVAL, body) == pasted


def test_a_code_is_as_the_carrier_shows_it() -> None:
    assert carrier_codes.read_code(" SMS_154950909\n") == "SMS_154950909"
    assert carrier_codes.read_code("") == ""
    for wrong in ("SMS 1", "模板", "x" * 65):
        with pytest.raises(FieldsError):
            carrier_codes.read_code(wrong)


def test_a_code_is_kept_changed_and_forgotten(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    for code, is_new in (("", False), ("SMS_1", True), ("SMS_1", False), ("SMS_2", True)):
        assert _save(sessions, school, code) == is_new
    with sessions() as session:
        found = carrier_codes.list_codes(session, school.id, ARRIVAL, CHINESE, "{student}{time}")
    assert [(one.provider, one.code) for one in found] == [("aliyun", "SMS_2"), ("tencent", "")]
    assert found[1].to_paste == "{1}{2}"
    assert _save(sessions, school, "")
    with sessions() as session:
        assert session.scalars(select(CarrierText)).all() == []
        actions = session.scalars(select(AuditEntry.action)).all()
    assert actions == ["message_text.code_changed"] * 3


def _save(sessions: sessionmaker[Session], school: SmallSchool, code: str) -> bool:
    with sessions.begin() as session:
        return carrier_codes.save_code(session, SYSTEM, school.id, ARRIVAL, CHINESE, "aliyun", code)

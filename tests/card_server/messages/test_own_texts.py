"""A school's own texts: what may stand in one, what it would cost, and who else hears of it."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.errors import AppError
from card_server.field_errors import FieldsError
from card_server.messages import own_texts
from card_server.messages.own_texts import OwnText, SlotError, SlotTrouble
from card_server.messages.templates import texts_of
from card_server.messages.texts import DEFAULTS, SAMPLES
from card_server.seen import fingerprint
from schema.tables.audit import AuditEntry
from schema.tables.messages import MessageKind, MessageText
from schema.tables.people import Language, Student, StudentStatus
from schema.tables.school import School
from tests.card_server.web.small_school import SmallSchool

ARRIVAL, CHINESE = MessageKind.ARRIVAL, Language.CHINESE
BODY = "{student}{time}到校"
TEXT = OwnText(ARRIVAL, CHINESE, BODY, is_own=True)


@pytest.mark.parametrize(
    ("typed", "trouble", "slot"),
    [
        ("{student} {time} {link}", SlotTrouble.UNKNOWN, "link"),
        ("{studnet} {time}", SlotTrouble.UNKNOWN, "studnet"),
        ("{学生} {time}", SlotTrouble.UNKNOWN, "学生"),
        ("{1} {time}", SlotTrouble.UNKNOWN, "1"),
        ("{Student} {time}", SlotTrouble.UNKNOWN, "Student"),
        ("{student} {time} {student}", SlotTrouble.TWICE, "student"),
        ("{student} 到校", SlotTrouble.MISSING, "time"),
        ("{time} 到校", SlotTrouble.MISSING, "student"),
        ("{ } {} {student", SlotTrouble.MISSING, "student"),
    ],
)
def test_a_slot_that_is_wrong_or_missing_is_named(
    typed: str, trouble: SlotTrouble, slot: str
) -> None:
    with pytest.raises(SlotError) as caught:
        own_texts.read_body(ARRIVAL, typed)
    assert (caught.value.trouble, caught.value.slot) == (trouble, slot)
    assert [*caught.value.fields] == ["body"]


@pytest.mark.parametrize(
    "typed", ["", " \u200b", "{student}{time}【一中】", "{student}{time}******", "长" * 301]
)
def test_what_cannot_be_a_text_is_refused(typed: str) -> None:
    with pytest.raises(FieldsError) as caught:
        own_texts.read_body(ARRIVAL, typed)
    assert [*caught.value.fields] == ["body"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("{student} {time}", "{student} {time}"),
        (" { student }\n{time }\u200b ", "{student} {time}"),
        ("{} {a b} {student}: {time} {", "{} {a b} {student}: {time} {"),
        ("${student} {time} 100%", "${student} {time} 100%"),
    ],
)
def test_other_braces_stay_as_they_were_typed(typed: str, kept: str) -> None:
    assert own_texts.read_body(ARRIVAL, typed) == kept


@pytest.mark.parametrize(("kind", "language"), [*DEFAULTS])
def test_the_systems_own_texts_could_be_typed_too(kind: MessageKind, language: Language) -> None:
    assert own_texts.read_body(kind, DEFAULTS[kind, language]) == DEFAULTS[kind, language]


def test_a_text_is_previewed_with_the_longest_name_of_who_is_there(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        first, second, third = (session.get_one(Student, one) for one in school.students[:3])
        first.name, second.name = "阿不都热依木·买买提", "Li Lei Li Lei"
        third.name, third.status = "长" * 30, StudentStatus.GRADUATED
    with sessions() as session:
        assert own_texts.longest_name(session, school.id) == "Li Lei Li Lei"
        preview = own_texts.preview_text(session, school.id, ARRIVAL, CHINESE, BODY)
        signature = session.get_one(School, school.id).signature
    assert preview.shown == f"【{signature}】Li Lei Li Lei07:31到校"
    assert (preview.size.segments, preview.price, preview.currency) == (1, 45, "CNY")
    assert not preview.is_long


def test_a_school_without_students_sees_a_sample(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        for one in school.students:
            session.get_one(Student, one).status = StudentStatus.GRADUATED
    with sessions() as session:
        shown = own_texts.preview_text(session, school.id, ARRIVAL, CHINESE, BODY).shown
    assert SAMPLES[CHINESE]["student"] in shown


def test_a_text_is_kept_ingest_hears_of_it_and_the_log_has_it(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    before = _version(sessions, school)
    with sessions.begin() as session:
        assert own_texts.save_text(session, SYSTEM, school.id, TEXT)
        assert not own_texts.save_text(session, SYSTEM, school.id, TEXT)
    assert _version(sessions, school) == before + 1
    with sessions() as session:
        written = texts_of(session, school.id).write(ARRIVAL, CHINESE, SAMPLES[CHINESE])
        assert written.body.endswith("欧阳小明07:31到校")
        assert own_texts.find_text(session, school.id, ARRIVAL, CHINESE) == TEXT
        assert [one for one in own_texts.list_texts(session, school.id) if one.is_own] == [TEXT]
    with sessions.begin() as session:
        assert own_texts.restore_text(session, SYSTEM, school.id, ARRIVAL, CHINESE)
    assert _version(sessions, school) == before + 2
    with sessions() as session:
        assert session.scalars(select(MessageText)).all() == []
        noted = session.scalars(select(AuditEntry).order_by(AuditEntry.seq)).all()
    assert [(one.action, one.subject) for one in noted] == [
        ("message_text.changed", "text:arrival-zh"),
        ("message_text.restored", "text:arrival-zh"),
    ]


def test_the_systems_text_typed_anew_is_no_text_of_the_schools(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    default = OwnText(ARRIVAL, CHINESE, DEFAULTS[ARRIVAL, CHINESE], is_own=True)
    with sessions.begin() as session:
        own_texts.save_text(session, SYSTEM, school.id, TEXT)
        own_texts.save_text(session, SYSTEM, school.id, default)
        assert session.scalars(select(MessageText)).all() == []


def test_a_text_of_several_sms_is_kept_only_by_who_knows_it(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    text = TEXT._replace(body=BODY + "到" * 70)
    with sessions.begin() as session:
        with pytest.raises(FieldsError) as caught:
            own_texts.save_text(session, SYSTEM, school.id, text)
        assert [*caught.value.fields] == ["may_be_long"]
        assert session.scalars(select(MessageText)).all() == []
        assert own_texts.save_text(session, SYSTEM, school.id, text, may_be_long=True)


def test_two_who_edit_the_same_text_do_not_overwrite_each_other(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    seen = fingerprint(own_texts.values_of(DEFAULTS[ARRIVAL, CHINESE]))
    with sessions.begin() as session:
        own_texts.save_text(session, SYSTEM, school.id, TEXT, seen)
    late = TEXT._replace(body="{time}{student}")
    with sessions.begin() as session, pytest.raises(AppError, match="Somebody else"):
        own_texts.save_text(session, SYSTEM, school.id, late, seen)
    with sessions() as session:
        assert own_texts.find_text(session, school.id, ARRIVAL, CHINESE).body == BODY


def _version(sessions: sessionmaker[Session], school: SmallSchool) -> int:
    with sessions() as session:
        return session.get_one(School, school.id).register_version

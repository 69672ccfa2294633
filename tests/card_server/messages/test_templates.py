"""What parents read: the system's texts and a school's own, filled with anything at all."""

import json
import time
from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from card_server.clean_text import clean
from card_server.messages.segments import size_of
from card_server.messages.templates import (
    ORDINARY,
    SLOT,
    STARS,
    compile_texts,
    reveal,
    take_apart,
    texts_of,
)
from card_server.messages.texts import DEFAULTS, OBLIGATORY, SAMPLES, SLOTS
from schema.messages import utc_now
from schema.tables.messages import MessageKind, MessageText
from schema.tables.people import Language
from schema.tables.school import School
from tests.card_server.web.small_school import make_school

ARRIVAL, DEPARTURE = MessageKind.ARRIVAL, MessageKind.DEPARTURE
CHINESE, ENGLISH = Language.CHINESE, Language.ENGLISH
SCHOOL = compile_texts("实验中学")
EVERY = [(kind, language) for kind in MessageKind for language in Language]


def write(kind: MessageKind, language: Language, **slots: str) -> str:
    return SCHOOL.write(kind, language, SAMPLES[language] | slots).body


@pytest.mark.parametrize(
    ("kind", "language", "name", "text"),
    [
        (ARRIVAL, CHINESE, "张三", "【实验中学】家长您好，张三已于07:31进入学校。"),
        (DEPARTURE, CHINESE, "张三", "【实验中学】家长您好，张三已于07:31离开学校。"),
        (
            ARRIVAL,
            ENGLISH,
            "Li Lei",
            "【实验中学】Dear parent, Li Lei entered the school at 07:31.",
        ),
        (DEPARTURE, ENGLISH, "Li Lei", "【实验中学】Dear parent, Li Lei left the school at 07:31."),
        (ARRIVAL, CHINESE, "\u200b \t", "【实验中学】家长您好，学生已于07:31进入学校。"),
        (ARRIVAL, ENGLISH, "", "【实验中学】Dear parent, your child entered the school at 07:31."),
        (ARRIVAL, CHINESE, "{time}{0}%s", "【实验中学】家长您好，{time}{0}%s已于07:31进入学校。"),
        (ARRIVAL, CHINESE, "=SUM('; DROP", "【实验中学】家长您好，=SUM('; DROP已于07:31进入学校。"),
        (
            MessageKind.ABSENCE,
            CHINESE,
            "张三",
            "【实验中学】家长您好，张三于12月28日（上午）截至07:31未到校，也未请假，请联系班主任。",
        ),
        (
            MessageKind.LEAVE,
            CHINESE,
            "张三",
            "【实验中学】家长您好，张三自12月28日08:00至12月30日17:30的请假未获批准。",
        ),
    ],
)
def test_the_text_says_exactly_this(
    kind: MessageKind, language: Language, name: str, text: str
) -> None:
    assert write(kind, language, student=name) == text


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_each_text_has_what_it_must_tell_and_nothing_else(
    kind: MessageKind, language: Language
) -> None:
    template = take_apart(kind, DEFAULTS[kind, language])
    assert {*OBLIGATORY[kind]} <= {*template.names} <= {*SLOTS[kind]}
    assert not any("{" in part or "！" in part or "!" in part for part in template.parts)
    assert all(template.parts[1:-1]), "no carrier in China approves two values side by side"


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_each_text_takes_no_more_sms_than_usual(kind: MessageKind, language: Language) -> None:
    signature = "实验中学" if kind is MessageKind.INVITATION else "长" * 20
    written = compile_texts(signature).write(kind, language, SAMPLES[language])
    assert size_of(written.body).segments <= ORDINARY[language]
    assert all(value in written.body for name, value in json.loads(written.slots))


def test_the_slots_stand_in_the_texts_own_order() -> None:
    own = {(ARRIVAL, CHINESE): "{time}，{student}到校"}
    written = compile_texts("一中", own).write(ARRIVAL, CHINESE, SAMPLES[CHINESE])
    assert written.body == "【一中】07:31，欧阳小明到校"
    assert json.loads(written.slots) == [["time", "07:31"], ["student", "欧阳小明"]]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("100% {student} {time} %s %d", "100% 张三 07:31 %s %d"),
        ("{ } {} {} {student} {time", "{ } {} {} 张三 {time"),
        ("{{student}} {time}", "{张三} 07:31"),
        ("{gone} {student}", "{gone} 张三"),
        ("{student}{student}", "张三{student}"),
    ],
)
def test_what_is_no_slot_stands_as_it_was_written(body: str, shown: str) -> None:
    texts = compile_texts("一中", {(ARRIVAL, CHINESE): body})
    slots = SAMPLES[CHINESE] | {"student": "张三"}
    assert texts.write(ARRIVAL, CHINESE, slots).body == f"【一中】{shown}"


@given(
    name=st.text(max_size=12),
    body=st.text(max_size=30).filter(lambda body: not SLOT.search(body)),
    signature=st.text(max_size=10),
)
@example(name="𠮷" * 12, body="𠮷" * 11, signature="")
def test_what_a_value_holds_is_never_a_slot(name: str, body: str, signature: str) -> None:
    hostile: Mapping[str, str] = {"student": f"{{time}}%s{name}", "time": "{student}%(time)s"}
    texts = compile_texts(signature, {(ARRIVAL, CHINESE): f"{body}|{{student}}|{{time}}"})
    written = texts.write(ARRIVAL, CHINESE, hostile)
    shown = dict(json.loads(written.slots))["student"]
    assert shown[:4] == "{tim"
    assert written.body == f"【{clean(signature)}】{body}|{shown}|{{student}}%(time)s"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("买买提·" * 10 + "买买提", "买买提·" * 10 + "买买提"),
        ("买买提·" * 11 + "买买提", "买买提·" * 11 + "买…"),
        ("𠮷" * 40, "𠮷" * 22 + "…"),
        ("x" * 44 + "e\u0331\u0331" * 3, "x" * 44 + "…"),
    ],
)
def test_a_long_name_is_cut_between_characters(name: str, shown: str) -> None:
    slots = {"student": name, "time": "07:31"}
    text = compile_texts("实验中学校").write(ARRIVAL, CHINESE, slots).body
    assert text == f"【实验中学校】家长您好，{shown}已于07:31进入学校。"


def test_a_books_title_loses_its_end_before_the_students_name_does() -> None:
    long = write(MessageKind.LIBRARY, CHINESE, title="书" * 80, student="欧阳小明")
    assert size_of(long).units == 70
    assert "欧阳小明" in long
    assert "书…》" in long


def test_what_staff_wrote_is_never_cut() -> None:
    notice = "明天下午" * 60
    assert write(MessageKind.NOTICE, CHINESE, text=notice) == f"【实验中学】家长您好：{notice}"


@given(
    kind=st.sampled_from([kind for kind in MessageKind if "student" in SLOTS[kind]]),
    signature=st.text(alphabet="实验中学ab", min_size=1, max_size=20),
    name=st.text(),
    title=st.text(),
)
def test_a_text_with_any_name_takes_no_more_sms_than_usual(
    kind: MessageKind, signature: str, name: str, title: str
) -> None:
    for language in Language:
        slots = SAMPLES[language] | {"student": name, "title": title}
        text = compile_texts(signature).write(kind, language, slots).body
        assert size_of(text).segments <= ORDINARY[language], text


def test_a_long_text_of_the_schools_own_is_filled_up_to_its_own_segments() -> None:
    own = {(ARRIVAL, CHINESE): "{student}{time}" + "到" * 70}
    texts = compile_texts("一中", own)
    text = texts.write(ARRIVAL, CHINESE, {"student": "长" * 99, "time": "07:31"}).body
    assert size_of(text).segments == 2
    assert text.endswith("到" * 70)


def test_a_codes_digits_come_in_the_place_of_the_stars() -> None:
    for language in Language:
        slots = {"code": STARS, "minutes": "10"}
        kept = SCHOOL.write(MessageKind.CODE, language, slots)
        sent = SCHOOL.write(MessageKind.CODE, language, slots | {"code": "482913"})
        assert STARS in kept.body
        assert reveal(kept.body, "482913") == sent.body
        assert reveal(kept.slots, "482913") == sent.slots


def test_a_schools_texts_are_one_query_with_its_signature_and_its_own_texts(
    engine: Engine,
) -> None:
    with Session(engine) as session:
        school, other = (make_school(session, code).id for code in ("no1", "no2"))
        signature = session.get_one(School, school).signature
        for school_id, body in ((school, "{student}来了{time}"), (other, "{student}{time}")):
            session.add(
                MessageText(
                    school_id=school_id,
                    kind=ARRIVAL,
                    language=CHINESE,
                    body=body,
                    changed_at=utc_now(),
                )
            )
        session.flush()
        session.expire_all()
        asked: list[str] = []
        event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
        texts = texts_of(session, school)
        assert len(asked) == 1
    slots = {"student": "张三", "time": "07:31"}
    assert texts.write(ARRIVAL, CHINESE, slots).body == f"【{signature}】张三来了07:31"
    left = f"【{signature}】家长您好，张三已于07:31离开学校。"
    assert texts.write(DEPARTURE, CHINESE, slots).body == left


def test_writing_takes_microseconds_for_it_stands_in_every_taps_way() -> None:
    names = [f"张{chr(0x4E00 + one)}" for one in range(2_000)]
    for kind in (ARRIVAL, DEPARTURE, MessageKind.LATE):
        took = []
        for _round in range(7):
            began = time.process_time()
            for name in names:
                SCHOOL.write(kind, CHINESE, {"student": name, "time": "07:31", "minutes": "5"})
            took.append((time.process_time() - began) / len(names))
        assert min(took) < 10e-6

"""The settings of messages: texts with their preview, limits, the switch, wordings of consent."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.messages import CarrierText, MessageRules, MessageText
from schema.tables.people import ConsentWording, Student
from schema.tables.school import School
from tests.card_server.web.small_school import SmallSchool, make_school
from tests.card_server.web.test_settings import seen_in

TEXTS, LIMITS = "/settings/messages", "/settings/messages/limits"
ARRIVAL, CONSENT = "/settings/messages/arrival/zh", "/settings/messages/consent"


def test_all_texts_are_shown_as_parents_get_them_with_the_longest_name(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.get_one(Student, school.students[0]).name = "阿不都热依木·买买提"
        signature = session.get_one(School, school.id).signature
    page = staff.get(TEXTS).text
    assert f"【{signature}】家长您好，阿不都热依木·买买提已于07:31进入学校。" in page
    assert "entered the school at 07:31." in page
    assert page.count('id="text-') == 22
    assert 'aria-current="true">Messages to parents</a>' in page


def test_what_is_typed_is_previewed_with_its_size_and_price_and_nothing_is_kept(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    part = staff.post(f"{ARRIVAL}/preview", data={"body": "{student}{time}到了"}).text
    assert "<html" not in part
    assert "07:31到了" in part
    assert "UCS-2" in part
    assert "CN¥0.045" in part
    assert "more SMS than usual" not in part
    long = staff.post(f"{ARRIVAL}/preview", data={"body": "{student}{time}" + "到" * 70}).text
    assert "CN¥0.09" in long
    assert "more SMS than usual" in long
    with sessions() as session:
        assert session.scalars(select(MessageText)).all() == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{student}到了", "{time} is missing"),
        ("{student}{time}{gone}", "{gone} cannot stand in this text."),
        ("{student}{time}{time}", "{time} may stand in a text only once."),
        ("", "This must not be empty."),
    ],
)
def test_a_slot_that_is_wrong_is_named_before_saving_and_after(
    staff: FlaskClient, sessions: sessionmaker[Session], body: str, said: str
) -> None:
    assert said in staff.post(f"{ARRIVAL}/preview", data={"body": body}).text
    answer = staff.post(ARRIVAL, data={"body": body, "seen": seen_in(staff.get(ARRIVAL))})
    assert answer.status_code == 422
    assert said in answer.text
    assert 'id="body-wrong"' in answer.text
    assert f">{body}</textarea>" in answer.text
    with sessions() as session:
        assert session.scalars(select(MessageText)).all() == []


def test_a_text_is_changed_and_the_systems_comes_back(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    seen, own = seen_in(staff.get(ARRIVAL)), "{student}{time}到校"
    assert staff.post(ARRIVAL, data={"body": own, "seen": seen}).location == ARRIVAL
    page = staff.get(ARRIVAL).text
    assert f">{own}</textarea>" in page
    assert f"<ins>{own}</ins>" in page
    assert "07:31到校" in staff.get(TEXTS).text
    late = staff.post(ARRIVAL, data={"body": "{time}{student}", "seen": seen})
    assert late.status_code == 409
    assert "Somebody else has changed this" in late.text
    assert staff.post(f"{ARRIVAL}/restore").location == ARRIVAL
    assert own not in re.sub(r'(?s)id="history".*', "", staff.get(ARRIVAL).text)
    with sessions() as session:
        assert session.scalars(select(MessageText)).all() == []


def test_a_text_of_several_sms_needs_a_tick(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    typed = {"body": "{student}{time}" + "到" * 70, "seen": seen_in(staff.get(ARRIVAL))}
    refused = staff.post(ARRIVAL, data=typed)
    assert refused.status_code == 422
    assert 'id="may_be_long-wrong"' in refused.text
    assert "CN¥0.09" in refused.text
    assert staff.post(ARRIVAL, data=typed | {"may_be_long": "1"}).status_code == 302
    with sessions() as session:
        assert session.scalars(select(MessageText.body)).one() == typed["body"]


def test_a_carriers_code_stands_beside_what_to_paste_there(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    page = staff.get(ARRIVAL).text
    assert "家长您好，${student}已于${time}进入学校。" in page
    assert "家长您好，{1}已于{2}进入学校。" in page
    wrong = staff.post(f"{ARRIVAL}/codes", data={"code_aliyun": "模板", "code_tencent": "449739"})
    assert wrong.status_code == 422
    assert 'id="code_aliyun-wrong"' in wrong.text
    assert 'value="449739"' in wrong.text
    codes = {"code_aliyun": "SMS_154950909", "code_tencent": "449739"}
    assert staff.post(f"{ARRIVAL}/codes", data=codes).location == ARRIVAL
    with sessions() as session:
        rows = session.scalars(select(CarrierText).order_by(CarrierText.provider)).all()
        assert [(one.provider, one.code) for one in rows] == [
            ("aliyun", "SMS_154950909"),
            ("tencent", "449739"),
        ]
    form = {"body": "{student}{time}到校", "seen": seen_in(staff.get(ARRIVAL))}
    answer = staff.post(ARRIVAL, data=form, follow_redirects=True)
    assert "Let the carriers approve the new text" in answer.text


@pytest.mark.parametrize("path", ["/gone/zh", "/arrival/fr", "/gone/zh/preview"])
def test_a_kind_or_language_that_is_none_is_not_there(staff: FlaskClient, path: str) -> None:
    address = f"{TEXTS}{path}"
    answer = staff.post(address) if path.endswith("preview") else staff.get(address)
    assert answer.status_code == 404


def test_limits_are_changed_as_people_write_them(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    page = staff.get(LIMITS)
    for shown in ('value="0.045"', 'value="1000"', 'value="22:00"', 'value="06:30"'):
        assert shown in page.text
    form = {
        "per_number": "15",
        "per_number_and_kind": "8",
        "per_student": "20",
        "per_school": "5000",
        "money_per_day": "300",
        "price_per_segment": "0.038",
        "currency": "CNY",
        "quiet_from": "21:30",
        "quiet_until": "07:00",
        "seen": seen_in(page),
    }
    wrong = staff.post(LIMITS, data=form | {"money_per_day": "1e99", "per_number": "0"})
    assert wrong.status_code == 422
    assert 'id="money_per_day-wrong"' in wrong.text
    assert 'id="per_number-wrong"' in wrong.text
    assert staff.post(LIMITS, data=form).location == LIMITS
    with sessions() as session:
        rules = session.scalars(select(MessageRules)).one()
        assert (rules.per_number, rules.money_per_day, rules.quiet_from) == (15, 300_000, 1290)
    history = staff.get(LIMITS).text.partition('id="history"')[2]
    assert "<del>0.045</del>" in history
    assert "<ins>0.038</ins>" in history
    assert "<del>22:00</del>" in history
    assert staff.post(LIMITS, data=form | {"per_number": "16"}).status_code == 409


def test_the_switch_stops_everything_with_a_reason_and_lets_it_go_on(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    refused = staff.post(f"{LIMITS}/stop", data={"reason": " "})
    assert refused.status_code == 422
    assert 'id="reason-wrong"' in refused.text
    assert staff.post(f"{LIMITS}/stop", data={"reason": "费用异常"}).location == LIMITS
    page = staff.get(LIMITS).text
    assert "Nothing is sent since" in page
    assert "王老师" in page
    with sessions() as session:
        assert session.scalars(select(MessageRules.stopped_at)).one() is not None
    assert staff.post(f"{LIMITS}/resume", data={"reason": "已查清"}).location == LIMITS
    with sessions() as session:
        assert session.scalars(select(MessageRules.stopped_at)).one() is None


def test_a_wording_is_added_and_shown_with_the_one_in_force(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    for body in ("第一版", "第二版\n\n第二段"):
        form = {"language": "zh", "body": body}
        assert staff.post(CONSENT, data=form).location == CONSENT
    page = staff.get(CONSENT).text
    assert page.index("第二版") < page.index("第一版")
    again = staff.post(CONSENT, data={"language": "zh", "body": "第二版\n\n第二段"})
    assert again.status_code == 422
    assert 'id="body-wrong"' in again.text
    with sessions() as session:
        mine = ConsentWording.school_id == school.id
        bodies = session.scalars(select(ConsentWording.body).where(mine)).all()
    assert {"第一版", "第二版\n\n第二段"} <= {*bodies}


def test_another_schools_texts_and_switch_are_untouched(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2").id
    staff.post(ARRIVAL, data={"body": "{student}{time}", "seen": seen_in(staff.get(ARRIVAL))})
    staff.post(f"{LIMITS}/stop", data={"reason": "试"})
    with sessions() as session:
        for table in (MessageText, MessageRules):
            rows = session.scalars(select(table).where(table.school_id == other)).all()
            assert rows == []

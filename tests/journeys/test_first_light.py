"""A tap at the gate reaches a parent's phone: the main job, end to end, with real parts."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from schema.messages import Refusal
from schema.tables.attendance import Attendance
from schema.tables.messages import Message, MessageState
from schema.tables.taps import Effect, Tap
from tests.harness.browser import watch_for_errors
from tests.harness.campus import phone_of
from tests.harness.nfc_udp import NfcCard
from tests.harness.pcscd import Pcscd
from tests.harness.sms_server import SENDER
from tests.harness.virtual_card import VirtualCard
from tests.harness.waiting import wait_for
from tests.journeys.first_light import LOST, STRAY, Running, count, gate, running_school

_PASSWORD = "一卡通是给孩子们用的"


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_three_students_tap_and_their_parents_are_told(
    tmp_path: Path, database_url: str, browser: Browser
) -> None:
    with running_school(tmp_path, database_url) as school, Pcscd("East", "West") as pcscd:
        pcsc = {"source": "pcsc", "pcsc_lights": "acr122", "env": pcscd.env}
        with (
            gate(tmp_path / "east", school, "east", pcsc_reader="East 00 00", **pcsc),
            gate(tmp_path / "west", school, "west", pcsc_reader="West 00 00", **pcsc),
        ):
            ports = [pcscd.ports["East"], pcscd.ports["West"]]
            first, second, third = school.campus.uids
            students = [(first, ports[0]), (second, ports[1]), (third, ports[0])]
            assert all(VirtualCard(port, uid).tap() for uid, port in students)
            stray, lost = VirtualCard(ports[0], STRAY), VirtualCard(ports[1], LOST)
            assert not stray.tap()
            assert not lost.tap()
            wait_for(lambda: _taps(school) == 5, what="five taps on record")
        assert (lost.greens, lost.reds) == (0, 1)
        assert (stray.greens, stray.reds) == (0, 1)
        _judge_the_record(school)
        _judge_the_messages(school, [1, 2, 3])
        page = browser.new_page(locale="zh-CN")
        wrong = watch_for_errors(page)
        _staff_see_it(page, school)
        page.close()
        assert wrong == []


def test_a_card_on_an_nfcpy_reader_reaches_the_parent(tmp_path: Path, sqlite_url: str) -> None:
    with (
        running_school(tmp_path, sqlite_url) as school,
        NfcCard(school.campus.uids[0]) as card,
        gate(tmp_path / "east", school, "east", source="nfcpy", nfcpy_path=card.path),
    ):
        card.tap()
        wait_for(lambda: _taps(school) == 1, what="the tap on record")
        _judge_the_messages(school, [1])


def _taps(school: Running) -> int:
    with school.session() as session:
        return count(session, Tap)


def _judge_the_record(school: Running) -> None:
    """Three arrivals by their students, and two refusals that changed nothing."""
    with school.session() as session:
        taps = {tap.uid: tap for tap in session.scalars(select(Tap))}
        days = set(session.scalars(select(Attendance.student_id)))
        arrived = [taps[uid] for uid in school.campus.uids]
        assert [tap.student_id for tap in arrived] == school.campus.student_ids
        assert {tap.effect for tap in arrived} == {Effect.ARRIVAL}
        assert days == set(school.campus.student_ids)
        assert taps[STRAY].reason is Refusal.UNKNOWN
        assert taps[LOST].reason is Refusal.LOST
        assert {taps[STRAY].effect, taps[LOST].effect} == {Effect.NONE}


def _judge_the_messages(school: Running, students: list[int]) -> None:
    """One request to the provider for each student's guardian, exactly right."""

    def all_accepted() -> bool:
        with school.session() as session:
            states = list(session.scalars(select(Message.state)))
        return states == [MessageState.ACCEPTED] * len(students)

    wait_for(all_accepted, what="the messages to be accepted")
    asked = {one.to: one.fields for one in school.sms.asked}
    assert len(school.sms.asked) == len(asked) == len(students)
    with school.session() as session:
        for number in students:
            tap = session.scalars(select(Tap).where(Tap.student_id == number)).one()
            at = tap.occurred_at.astimezone(school.zone)
            fields = asked[phone_of(number)]
            name = "学" + "〇一二三"[number]
            assert fields["Body"] == f"【一中】家长您好，{name}已于{at:%H:%M}进入学校。"
            assert fields["From"] == SENDER
            assert 0 < int(fields["ValidityPeriod"]) <= 30 * 60


def _staff_see_it(page: Page, school: Running) -> None:
    page.goto(f"{school.address}/board")
    page.get_by_label("登录名").fill("admin")
    page.get_by_label("密码").fill(school.password)
    page.get_by_role("button", name="登录").click()
    page.get_by_label("新密码").fill(_PASSWORD)
    page.get_by_label("再输入一次").fill(_PASSWORD)
    page.get_by_role("button", name="保存密码").click()
    expect(page.locator("#count-arrived")).to_have_text("3")
    page.get_by_role("link", name="刷卡", exact=True).click()
    rows = page.locator("#taps tbody tr")
    expect(rows).to_have_count(5)
    expect(rows.filter(has_text="学一")).to_have_count(1)
    expect(rows.filter(has_text="挂失")).to_have_count(1)
    expect(rows.filter(has_text="04 AA 00 00 00 00 E2")).to_have_count(1)

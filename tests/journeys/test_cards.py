"""Ten cards are given out at the desk; one is lost, dead at the gate, replaced, and works again."""

import time
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from card_server.audit.writing import SYSTEM
from card_server.cards.cards import Doing, take_back
from card_server.cards.stock import NewCard, stock_cards
from tests.harness.browser import watch_for_errors
from tests.harness.pcscd import Pcscd
from tests.harness.virtual_card import VirtualCard
from tests.harness.waiting import wait_for
from tests.journeys.first_light import Running, gate, running_school

_PASSWORD = "一卡通是给孩子们用的"
_STUDENTS = 10
_NEW = "04AA00000000F1"
"""The blank card that takes a lost one's place."""
_WITHIN_S = 60


def test_cards_are_bound_at_the_desk_and_a_lost_one_dies_at_the_gate(
    tmp_path: Path, database_url: str, browser: Browser
) -> None:
    with (
        running_school(tmp_path, database_url, students=_STUDENTS, desks=["desk"]) as school,
        Pcscd("Desk", "East") as pcscd,
    ):
        _empty_all_hands(school)
        pcsc = {"source": "pcsc", "pcsc_lights": "acr122", "env": pcscd.env}
        desk_folder, gate_folder = tmp_path / "desk", tmp_path / "east"
        with (
            gate(desk_folder, school, "desk", pcsc_reader="Desk 00 00", purpose="desk", **pcsc),
            gate(gate_folder, school, "east", pcsc_reader="East 00 00", **pcsc),
        ):
            desk, east = pcscd.ports["Desk"], pcscd.ports["East"]
            page = browser.new_page(locale="zh-CN")
            wrong = watch_for_errors(page)
            _log_in(page, school)
            _give_out_all(page, school, desk)
            first = VirtualCard(east, school.campus.uids[0])
            _until(first, is_admitted=True)
            _report_lost(page, school)
            lost_s = _until(first, is_admitted=False)
            _replace_at_the_desk(page, school, desk)
            new_s = _until(VirtualCard(east, _NEW), is_admitted=True)
            assert not first.tap()
            page.goto("about:blank")
            page.close()
        assert wrong == []
        assert max(lost_s, new_s) < _WITHIN_S


def _empty_all_hands(school: Running) -> None:
    """Every card lies in the drawer, and a new one with them."""
    with school.session() as session:
        doing = Doing(SYSTEM, school.campus.school_id, datetime.now(UTC))
        for card in school.campus.student_ids:
            take_back(session, doing, card)
        stock_cards(session, doing, [NewCard(_NEW)])
        session.commit()


def _log_in(page: Page, school: Running) -> None:
    page.goto(f"{school.address}/cards/desk")
    page.get_by_label("登录名").fill("admin")
    page.get_by_label("密码").fill(school.password)
    page.get_by_role("button", name="登录").click()
    page.get_by_label("新密码").fill(_PASSWORD)
    page.get_by_label("再输入一次").fill(_PASSWORD)
    page.get_by_role("button", name="保存密码").click()
    page.wait_for_url("**/cards/desk")


def _give_out_all(page: Page, school: Running, port: int) -> None:
    """The whole homeroom, in the order of student numbers, each shown within a second."""
    page.goto(f"{school.address}/cards/desk?homeroom=1")
    for uid, number in zip(school.campus.uids, range(1, _STUDENTS + 1), strict=True):
        student = f"S{number:06d}"
        expect(page.locator("#desk-student")).to_contain_text(student)
        card = VirtualCard(port, uid)
        card.present()
        wait_for(lambda card=card: card.lights, 5, "the desk's light")  # type: ignore[misc]
        beeped = time.monotonic()
        expect(page.locator("#desk-result[data-answer=given]")).to_contain_text(student)
        assert time.monotonic() - beeped < 2
        card.remove()
        assert (card.greens, card.reds) == (1, 0)
    expect(page.locator("#desk-student")).not_to_contain_text("S0000")


def _report_lost(page: Page, school: Running) -> None:
    page.goto(f"{school.address}/students/{school.campus.student_ids[0]}/cards")
    page.locator("form[action$='/lost'] button").click()
    expect(page.locator(".student-cards form[action$='/found']")).to_be_visible()


def _replace_at_the_desk(page: Page, school: Running, port: int) -> None:
    page.goto(f"{school.address}/cards/desk?student={school.campus.student_ids[0]}")
    expect(page.locator("#desk-student")).to_contain_text("S000001")
    assert VirtualCard(port, _NEW).tap()
    expect(page.locator("#desk-result[data-answer=replaced]")).to_contain_text("S000001")


def _until(card: VirtualCard, *, is_admitted: bool) -> float:
    """Hold the card to its reader until it gets this answer; how many seconds that took."""
    began = time.monotonic()
    wait_for(lambda: card.tap() is is_admitted, _WITHIN_S, f"admitted: {is_admitted}")
    return time.monotonic() - began

"""The teacher's page of this minute on a phone: what is unfolded to call somebody stays."""

import msgspec
from playwright.sync_api import Browser, expect
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from card_server.school_time import DISTRICT_ZONE, day_of
from schema.messages import utc_now
from schema.tables.staff import Staff
from tests.card_server.web.conftest import make_settings, serving
from tests.card_server.web.odd_things import LESSONS, add_day, add_plan
from tests.card_server.web.small_school import SmallSchool
from tests.harness.browser import log_in

_ABSENT = '[{"position":1,"status":"absent"}]'


def test_what_is_typed_to_call_somebody_stays_while_others_tap(
    browser: Browser, database_url: str, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    day = day_of(utc_now(), DISTRICT_ZONE)
    morning = msgspec.structs.replace(LESSONS.sessions[0], position=1, arrive_from=0)
    with sessions.begin() as session:
        add_plan(session, school, day, msgspec.structs.replace(LESSONS, sessions=(morning,)))
        add_day(session, school, 0, day, absent=1, sessions=_ABSENT)
        session.execute(update(Staff).values(password_is_one_time=False))
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 740})
    page = context.new_page()
    with serving(make_settings(database_url)) as address:
        log_in(page, address, school.login, school.password)
        page.goto(f"{address}/attendance/today/mine?homeroom={school.homerooms[0]}")
        page.locator("details[id^=call-] summary").click()
        reason = page.locator("details[id^=call-] input[name=reason]")
        reason.fill("未到校，联系家长")
        with page.expect_response(lambda one: "/attendance/today/mine" in one.url):
            page.evaluate("document.body.dispatchEvent(new Event('live:taps'))")
        expect(page.locator("#homeroom-now.htmx-request")).to_have_count(0)
        expect(reason).to_have_value("未到校，联系家长")
        page.get_by_role("button", name="显示号码").click()
        expect(page.locator(".revealed dd")).to_be_visible()
        with page.expect_response(lambda one: "/attendance/today/mine" in one.url):
            page.evaluate("document.body.dispatchEvent(new Event('live:taps'))")
        expect(page.locator("#homeroom-now.htmx-request")).to_have_count(0)
        expect(page.locator(".revealed dd")).to_be_visible()
        page.goto("about:blank")
    context.close()

"""The desk: a tap is given to the student on the page, once, and every other card is explained."""

import re
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
import uuid_utils
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.cards.cards import Doing, blacklist_card, report_lost, take_back
from card_server.cards.stock import NewCard, stock_cards
from schema.messages import Decision
from schema.tables.cards import Card, CardBinding
from schema.tables.readers import Purpose, Reader
from schema.tables.taps import Effect, Tap
from tests.card_server.web.small_school import SmallSchool

BLANKS = [f"04BBBBBB00000{number}" for number in range(1, 5)]
_seq = count(1)


class Desk:
    """A school without cards in the first homeroom, blank ones in stock, and a desk reader."""

    def __init__(
        self, client: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
    ) -> None:
        self.client, self.school, self.sessions = client, school, sessions
        self.room = school.students[0::2]
        with sessions.begin() as session:
            now = datetime.now(UTC)
            doing = Doing(SYSTEM, school.id, now)
            for card in school.cards[0::2]:
                blacklist_card(session, doing, card)
            stock_cards(session, doing, [NewCard(uid) for uid in BLANKS])
            reader = Reader(
                school_id=school.id,
                code="desk",
                name="发卡台",
                place="教务处",
                purpose=Purpose.DESK,
            )
            session.add(reader)
            session.flush()
            self.reader = reader.id

    def open(self, **asked: int) -> str:
        """The page, whose hidden fields the next calls send."""
        page = self.client.get("/cards/desk", query_string={"reader": self.reader, **asked}).text
        self._keep(page)
        return page

    def send(self, path: str = "tap", **more: str) -> str:
        """The changing part after a call; empty when there was nothing."""
        answer = self.client.post(f"/cards/desk/{path}", data={**self.fields, **more})
        if answer.status_code == 204:
            return ""
        assert answer.status_code == 200
        self._keep(answer.text)
        return answer.text

    def hold(self, uid: str, seconds_ago: float = 0, is_late: bool = False) -> None:
        """A tap at the desk's reader, as ingest records it."""
        now = datetime.now(UTC) - timedelta(seconds=seconds_ago)
        occurred = now - timedelta(hours=1) if is_late else now
        with self.sessions.begin() as session:
            session.add(
                Tap(
                    school_id=self.school.id,
                    id=UUID(str(uuid_utils.uuid7())),
                    reader_id=self.reader,
                    boot=1,
                    seq=next(_seq),
                    uid=uid,
                    tapped_at=occurred,
                    sent_at=occurred,
                    received_at=now,
                    occurred_at=occurred,
                    clock_suspect=False,
                    decision=Decision.ADMITTED,
                    cards_version=1,
                    effect=Effect.READ,
                )
            )

    def owner(self, uid: str) -> int | None:
        with self.sessions() as session:
            return session.scalar(
                select(CardBinding.student_id)
                .join(Card, Card.id == CardBinding.card_id)
                .where(Card.uid == uid, CardBinding.unbound_at.is_(None))
            )

    def _keep(self, page: str) -> None:
        part = page[page.index('<input type="hidden" name="reader"') :]
        self.fields = dict(re.findall(r'name="(\w+)" value="([^"]*)">', part.split("</form>")[0]))


def answer_of(part: str) -> str:
    found = re.search(r'data-answer="(\w*)"', part)
    return found[1] if found else ""


@pytest.fixture
def desk(staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]) -> Desk:
    return Desk(staff, school, sessions)


def test_a_homeroom_gets_its_cards_one_tap_each(desk: Desk) -> None:
    page = desk.open(homeroom=desk.school.homerooms[0])
    assert "张三" in page
    for uid, student in zip(BLANKS, desk.room, strict=True):
        assert desk.fields["student"] == str(student)
        desk.hold(uid)
        assert answer_of(desk.send()) == "given"
        assert desk.owner(uid) == student
    assert desk.fields["student"] == ""
    assert desk.send() == ""


def test_two_taps_before_the_page_asked_are_given_in_their_order(desk: Desk) -> None:
    desk.open(homeroom=desk.school.homerooms[0])
    desk.hold(BLANKS[0], seconds_ago=1)
    desk.hold(BLANKS[1])
    assert 'hx-trigger="load"' in desk.send()
    assert 'hx-trigger="load"' not in desk.send()
    assert [desk.owner(uid) for uid in BLANKS[:2]] == desk.room[:2]


def test_the_last_is_undone_and_the_student_is_next_again(desk: Desk) -> None:
    desk.open(homeroom=desk.school.homerooms[0])
    desk.hold(BLANKS[0])
    desk.send()
    assert answer_of(desk.send("undo")) == "undone"
    assert desk.owner(BLANKS[0]) is None
    assert desk.fields["student"] == str(desk.room[0])
    desk.hold(BLANKS[1])
    assert answer_of(desk.send()) == "given"
    assert desk.owner(BLANKS[1]) == desk.room[0]


def test_a_tap_counts_for_nobody_when_it_came_before_the_page_or_too_late(desk: Desk) -> None:
    desk.hold(BLANKS[0], seconds_ago=1)
    desk.open(student=desk.room[0])
    assert desk.send() == ""
    desk.hold(BLANKS[1], is_late=True)
    assert desk.send() == ""
    assert desk.owner(BLANKS[0]) is desk.owner(BLANKS[1]) is None


def test_without_a_student_the_desk_says_whose_a_card_is(desk: Desk) -> None:
    desk.open()
    desk.hold(desk.school.uids[1])
    assert "This is the card of 李四" in desk.send()
    desk.hold("04EEEEEEEEEEEE")
    assert "does not know this card" in desk.send()
    desk.hold(BLANKS[0])
    assert "nobody" in desk.send()
    assert desk.owner(BLANKS[0]) is None


@pytest.mark.parametrize(
    ("uid", "answer"),
    [
        ("04EEEEEEEEEEEE", "unknown"),
        ("08AABBCC", "unfit"),
        (bytes.fromhex(BLANKS[0])[::-1].hex().upper(), "twin"),
    ],
)
def test_a_card_that_the_school_has_not_is_explained(desk: Desk, uid: str, answer: str) -> None:
    desk.open(student=desk.room[0])
    desk.hold(uid)
    assert answer_of(desk.send()) == answer
    assert desk.fields["student"] == str(desk.room[0])


def test_an_unknown_card_is_taken_into_stock_at_once_or_by_the_button(desk: Desk) -> None:
    desk.open(student=desk.room[0])
    desk.hold("04EEEEEEEEEEEE")
    desk.send()
    assert answer_of(desk.send("give", stock="1")) == "given"
    assert desk.owner("04EEEEEEEEEEEE") == desk.room[0]
    desk.open(student=desk.room[1], takes_new=1)
    desk.hold("04EEEEEEEEEEEF")
    assert answer_of(desk.send()) == "given"


def test_anothers_card_an_ended_one_and_a_lost_one_are_not_given(desk: Desk) -> None:
    school = desk.school
    with desk.sessions.begin() as session:
        report_lost(session, Doing(SYSTEM, school.id, datetime.now(UTC)), school.cards[3])
    desk.open(student=desk.room[0])
    for uid, answer in (
        (school.uids[1], "others"),
        (school.uids[0], "ended"),
        (school.uids[3], "lost"),
    ):
        desk.hold(uid)
        assert answer_of(desk.send()) == answer
    assert desk.owner(school.uids[1]) == school.students[1]


def test_a_working_card_is_replaced_only_when_staff_say_so(desk: Desk) -> None:
    student = desk.school.students[1]
    desk.open(student=student)
    desk.hold(BLANKS[0])
    assert answer_of(desk.send()) == "full"
    assert desk.owner(BLANKS[0]) is None
    assert answer_of(desk.send("give", replaces="1")) == "replaced"
    assert desk.owner(BLANKS[0]) == student
    assert desk.owner(desk.school.uids[1]) is None


def test_a_lost_card_is_replaced_by_the_next_tap(desk: Desk) -> None:
    school = desk.school
    with desk.sessions.begin() as session:
        report_lost(session, Doing(SYSTEM, school.id, datetime.now(UTC)), school.cards[1])
    desk.open(student=school.students[1])
    desk.hold(BLANKS[0])
    assert answer_of(desk.send()) == "replaced"
    assert desk.owner(school.uids[1]) is None


def test_the_same_card_again_changes_nothing(desk: Desk) -> None:
    desk.open(student=desk.room[0])
    desk.hold(BLANKS[0])
    desk.send()
    desk.open(student=desk.room[0])
    desk.hold(BLANKS[0])
    assert answer_of(desk.send()) == "theirs"
    assert desk.owner(BLANKS[0]) == desk.room[0]


def test_a_student_is_found_by_name_and_not_by_the_address(desk: Desk) -> None:
    desk.open()
    found = desk.client.post("/cards/desk/find", data={**desk.fields, "words": "zs"}).text
    assert "张三" in found
    assert f"student={desk.room[0]}" in found


def test_a_school_without_a_desk_is_told_how_to_get_one(staff: FlaskClient) -> None:
    assert "There is no desk reader yet" in staff.get("/cards/desk").text


def test_a_page_that_carries_nonsense_is_refused(desk: Desk) -> None:
    desk.open()
    desk.fields["after"] = "yesterday"
    assert desk.client.post("/cards/desk/tap", data=desk.fields).status_code == 422


def test_a_card_that_went_meanwhile_is_not_taken_back_twice(desk: Desk) -> None:
    desk.open(student=desk.room[0])
    desk.hold(BLANKS[0])
    desk.send()
    with desk.sessions.begin() as session:
        card = session.scalars(select(Card.id).where(Card.uid == BLANKS[0])).one()
        take_back(session, Doing(SYSTEM, desk.school.id, datetime.now(UTC)), card)
    part = desk.client.post("/cards/desk/undo", data={**desk.fields, "given": str(card)})
    assert "nobody" in part.text
